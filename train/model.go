package train

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/weir-ml/weir/dataset"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/gflownet/mle"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/tensorio/safetensors"
)

// Model is what a run has learned, enough to sample: it needs neither the data nor the optimiser.
type Model struct {
	Config      Config
	Columns     []string // the coordinates: those of the data, or x1, x2, … for a target
	Sampler     *diffusion.Sampler
	Standardize *dataset.Standardizer // of data; nil for a target
}

// OpenModel returns the model of a checkpoint. A file that is not one is an error.
func OpenModel(s *tensor.Stream, path string) (m *Model, err error) {
	defer tensor.Catch(&err)
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	c, _, err := readConfig(path, f)
	if err != nil {
		return nil, err
	}
	if m, err = openModel(s, f, c); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func openModel(s *tensor.Stream, f *safetensors.File, c Config) (*Model, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	m := &Model{Config: c}
	switch {
	case c.Dim > 0:
		m.Columns = coordinates(c.Dim)
	case c.Target != "":
		target, err := diffusion.NewTarget(c.Target)
		if err != nil {
			return nil, err
		}
		m.Columns = coordinates(target.Dim())
	default:
		stored, err := readScale(f)
		if err != nil {
			return nil, err
		}
		m.Columns, m.Standardize = stored.Columns, &stored.Standardizer
	}
	if err := checkWeights(f, c, len(m.Columns)); err != nil {
		return nil, err
	}
	rng := tensor.NewRNG(s, 0) // for weights that are overwritten
	defer rng.Release()
	loss, err := newLoss(rng, c, len(m.Columns))
	if err != nil {
		return nil, err
	}
	s.Scope(func() { err = copyWeights(s, loss, f) })
	if err != nil {
		return nil, err
	}
	m.Sampler, err = diffusion.NewSampler(loss.PF, loss.PB)
	return m, err
}

// copyWeights gives the policies the averages of their weights or, of a run that keeps none, the weights.
func copyWeights(s *tensor.Stream, loss *mle.MLE, f *safetensors.File) error {
	weights := tensors(s, f, emaPrefix+".module.")
	if len(weights) == 0 {
		weights = tensors(s, f, paramPrefix+".")
	}
	if err := nn.Copy(loss.Params(), weights); err != nil {
		return err
	}
	return nn.Copy(loss.Buffers(), tensors(s, f, bufferPrefix+"."))
}

// Freeze makes the weights readable from every stream of their device. Any number of goroutines can then draw at once, each with a generator on a
// stream of its own. The error is the stream's first.
func (m *Model) Freeze() error {
	for _, p := range append(m.Sampler.Params(), m.Sampler.Buffers()...) {
		if err := p.Value.Freeze(); err != nil {
			return fmt.Errorf("train: freeze %s: %w", p.Name, err)
		}
	}
	return nil
}

// Draw returns n samples, row by row, in the data's own units; see [Model.DrawEach]. Its errors are the same.
func (m *Model) Draw(ctx context.Context, rng *tensor.RNG, n, batch int) ([]float64, error) {
	samples := make([]float64, 0, max(n, 0)*len(m.Columns))
	err := m.DrawEach(ctx, rng, n, batch, func(rows []float64) error {
		samples = append(samples, rows...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return samples, nil
}

// DrawEach draws n samples and hands them to each, row by row in the data's own units, a batch at a time: only one batch is held in memory. The
// samples do not depend on the size of the batches. It ends early with each's error or, between two commands, with that of ctx.
func (m *Model) DrawEach(ctx context.Context, rng *tensor.RNG, n, batch int, each func(rows []float64) error) error {
	if m.Standardize == nil {
		return m.Sampler.DrawEach(ctx, rng, n, batch, each)
	}
	return m.Sampler.DrawEach(ctx, rng, n, batch, func(rows []float64) error {
		rows, err := m.Standardize.Inverse(rows)
		if err != nil {
			return err
		}
		return each(rows)
	})
}

// coordinates returns x1, x2, …, xd.
func coordinates(d int) []string {
	names := make([]string, d)
	for i := range names {
		names[i] = fmt.Sprintf("x%d", i+1)
	}
	return names
}

// scale is what a checkpoint keeps of the data: a model speaks its units, and a continued run must see the same.
type scale struct {
	Columns []string `json:"columns"`
	dataset.Standardizer
}

func readScale(f *safetensors.File) (sc scale, err error) {
	if err := json.Unmarshal([]byte(f.Metadata[dataKey]), &sc); err != nil {
		return sc, fmt.Errorf("%s: %w", dataKey, err)
	}
	if d := len(sc.Columns); d == 0 || len(sc.Mean) != d || len(sc.Std) != d {
		return sc, fmt.Errorf("%s: %d columns, %d means and %d standard deviations", dataKey, d, len(sc.Mean), len(sc.Std))
	}
	return sc, nil
}

// check returns an error if data is not that of the checkpoint.
func (sc scale) check(data *Data) error {
	if !slices.Equal(sc.Columns, data.Columns) {
		return fmt.Errorf("the data has the columns %q; the run was trained on %q", data.Columns, sc.Columns)
	}
	for i, name := range sc.Columns {
		mean, std := data.Standardize.Mean[i], data.Standardize.Std[i]
		if mean != sc.Mean[i] || std != sc.Std[i] {
			return fmt.Errorf("the data is not what the run was trained on: column %q is now %v ± %v and was %v ± %v",
				name, mean, std, sc.Mean[i], sc.Std[i])
		}
	}
	return nil
}
