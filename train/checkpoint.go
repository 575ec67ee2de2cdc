package train

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/tensorio"
	"github.com/weir-ml/weir/tensorio/safetensors"
)

// Names of the metadata of a checkpoint, and the prefixes of its tensors.
const (
	formatKey = "weir.checkpoint"
	format    = "1"
	configKey = "weir.config"
	stepKey   = "weir.step"
	rngKey    = "weir.rng"
	boundKey  = "weir.bound" // the best so far, of runs that have estimated one
	dataKey   = "weir.data"  // of runs on data

	paramPrefix  = "param"
	bufferPrefix = "buffer"
	optimPrefix  = "optim"
	emaPrefix    = "ema" // of runs that average their weights
)

// state returns every tensor of a checkpoint by name: parameters and buffers under torchgfn's names, the optimiser's state, and the
// averages of the parameters.
func (e *Experiment) state() []nn.Param {
	state := nn.Prefix(paramPrefix, e.Loss.Params())
	state = append(state, nn.Prefix(bufferPrefix, e.Loss.Buffers())...)
	state = append(state, nn.Prefix(optimPrefix, e.Trainer.Optim.State())...)
	if e.Trainer.EMA != nil {
		state = append(state, nn.Prefix(emaPrefix, e.Trainer.EMA.State())...)
	}
	return state
}

// Save writes the run to a safetensors file, whole or not at all: weights, their averages, optimiser, random state, step, settings, and the best
// bound so far. The step and the settings say where in the data the run is. A run continued from it gives the same bits as one that was never
// interrupted. A weight that is not finite is an error that wraps [ErrDiverged]: it would stand in the way of an older, sound checkpoint.
func (e *Experiment) Save(path string) error { return e.save(path, e.bounds.best) }

func (e *Experiment) save(path string, best *Bound) (err error) {
	defer tensor.Catch(&err)
	metadata, err := e.metadata(best)
	if err != nil {
		return err
	}
	f := &safetensors.File{Metadata: metadata}
	for _, p := range e.state() {
		data, err := p.Value.Bytes()
		if err != nil {
			return err
		}
		if !allFinite(p.Value.DType(), data) {
			return diverged(p.Name+" is not finite", e.Trainer.Step)
		}
		f.Entries = append(f.Entries, tensorio.Entry{Name: p.Name, DType: p.Value.DType(), Shape: p.Value.Shape(), Data: data})
	}
	return safetensors.WriteFile(path, f)
}

// metadata returns what a checkpoint holds beside tensors.
func (e *Experiment) metadata(best *Bound) (map[string]string, error) {
	place, err := e.rng.State()
	if err != nil {
		return nil, err
	}
	values := map[string]any{configKey: e.Config, stepKey: e.Trainer.Step, rngKey: place}
	if best != nil {
		values[boundKey] = best
	}
	if e.Data != nil {
		values[dataKey] = scale{e.Data.Columns, e.Data.Standardize}
	}
	texts := map[string]string{formatKey: format}
	for key, value := range values {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("train: %s: %w", key, err)
		}
		texts[key] = string(text)
	}
	return texts, nil
}

// allFinite reports whether no element is NaN or infinite: the exponent of those is all ones.
func allFinite(d backend.DType, data []byte) bool {
	switch d {
	case backend.Float32:
		for i := 0; i < len(data); i += 4 {
			if binary.LittleEndian.Uint32(data[i:])&0x7F80_0000 == 0x7F80_0000 {
				return false
			}
		}
	case backend.Float64:
		for i := 0; i < len(data); i += 8 {
			if binary.LittleEndian.Uint64(data[i:])&0x7FF0_0000_0000_0000 == 0x7FF0_0000_0000_0000 {
				return false
			}
		}
	}
	return true
}

// ReadConfig returns the settings and the step of a checkpoint. A file that is not one is an error.
func ReadConfig(path string) (c Config, step int, err error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return c, 0, err
	}
	return readConfig(path, f)
}

func readConfig(path string, f *safetensors.File) (c Config, step int, err error) {
	switch got, ok := f.Metadata[formatKey]; {
	case !ok:
		return c, 0, fmt.Errorf("%s: not a checkpoint of a run: the metadata lacks %s", path, formatKey)
	case got != format:
		return c, 0, fmt.Errorf("%s: a checkpoint of another version: %s is %q; want %q", path, formatKey, got, format)
	}
	if err := json.Unmarshal([]byte(f.Metadata[configKey]), &c); err != nil {
		return c, 0, fmt.Errorf("%s: %s: %w", path, configKey, err)
	}
	if step, err = strconv.Atoi(f.Metadata[stepKey]); err != nil || step < 0 {
		return c, 0, fmt.Errorf("%s: %s is %q; want a number", path, stepKey, f.Metadata[stepKey])
	}
	return c, step, nil
}

// OpenExperiment returns the run of a checkpoint at the step where it was saved. adjust, if not nil, may change settings that weights do not
// depend on, like the total number of steps or the place of the data. Changed policies are an error, and so is data that is not what the run
// was trained on.
func OpenExperiment(s *tensor.Stream, path string, adjust func(*Config)) (e *Experiment, err error) {
	defer tensor.Catch(&err)
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	c, step, err := readConfig(path, f)
	if err != nil {
		return nil, err
	}
	saved := c.model()
	if adjust != nil {
		adjust(&c)
	}
	if c.model() != saved {
		return nil, fmt.Errorf("%s: its policies are %+v; they cannot become %+v", path, saved, c.model())
	}
	if e, err = newExperiment(s, c, f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := e.restore(f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	e.Trainer.Step, e.opened = step, path
	return e, nil
}

// readBound returns the best bound that a checkpoint knows of, nil if it knows none.
func readBound(f *safetensors.File) (b *Bound, err error) {
	text, ok := f.Metadata[boundKey]
	if !ok {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return nil, fmt.Errorf("%s: %w", boundKey, err)
	}
	return b, nil
}

func (e *Experiment) restore(f *safetensors.File) (err error) {
	defer tensor.Catch(&err)
	if e.Data != nil {
		stored, err := readScale(f)
		if err != nil {
			return err
		}
		if err := stored.check(e.Data); err != nil {
			return fmt.Errorf("%s: %w", e.Config.Data, err)
		}
	}
	var place tensor.RNGState
	if err := json.Unmarshal([]byte(f.Metadata[rngKey]), &place); err != nil {
		return fmt.Errorf("%s: %w", rngKey, err)
	}
	e.stream.Scope(func() { err = nn.Copy(e.state(), tensors(e.stream, f, "")) })
	if err != nil {
		return err
	}
	if e.bounds.best, err = readBound(f); err != nil {
		return err
	}
	e.rng.SetState(place)
	return e.stream.Sync()
}

// checkWeights returns an error if f does not hold the weights that its settings claim in dim dimensions.
func checkWeights(f *safetensors.File, c Config, dim int) error {
	held := 0
	for _, e := range f.Entries {
		if strings.HasPrefix(e.Name, paramPrefix+".") || strings.HasPrefix(e.Name, bufferPrefix+".") {
			held += len(e.Data) / e.DType.Size()
		}
	}
	pf, pb := c.policies()
	if err := pf.CheckWeights(dim, held); err != nil || c.LearnPB == FixedBridge {
		return err
	}
	return pb.CheckWeights(dim, held)
}

// tensors uploads the entries of f whose names begin with prefix, and returns them without it.
func tensors(s *tensor.Stream, f *safetensors.File, prefix string) []nn.Param {
	var params []nn.Param
	for _, entry := range f.Entries {
		if name, ok := strings.CutPrefix(entry.Name, prefix); ok {
			params = append(params, nn.Param{Name: name, Value: tensor.FromBytes(s, entry.DType, entry.Data, entry.Shape...)})
		}
	}
	return params
}
