package train

import (
	"fmt"

	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/gflownet/mle"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/optim"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/tensorio/safetensors"
)

// Experiment is a maximum-likelihood run on one stream.
type Experiment struct {
	Config  Config
	Loss    *mle.MLE
	Sampler *diffusion.Sampler
	Trainer *Trainer
	Target  diffusion.Sampled // nil if the run learns from data
	Data    *Data             // nil if it learns a target, or what it has learned is not known; see Config.Dim

	stream *tensor.Stream
	rng    *tensor.RNG
	bounds bounds
	opened string // the checkpoint that the run was continued from, if any
}

// NewExperiment returns a run at step 0. The seed decides weights, batches and noise.
// Settings out of range, data that cannot be read and an unknown target are errors.
func NewExperiment(s *tensor.Stream, c Config) (e *Experiment, err error) {
	defer tensor.Catch(&err)
	return newExperiment(s, c, nil)
}

// newExperiment is NewExperiment of settings that checkpoint, if there is one, holds the weights of.
func newExperiment(s *tensor.Stream, c Config, checkpoint *safetensors.File) (e *Experiment, err error) {
	c = c.WithDefaults()
	if err := c.Check(); err != nil {
		return nil, err
	}
	e = &Experiment{Config: c, stream: s, rng: tensor.NewRNG(s, c.Seed)}
	source, dim, err := e.openSource()
	if err != nil {
		return nil, err
	}
	if checkpoint != nil {
		if err := checkWeights(checkpoint, c, dim); err != nil {
			return nil, err
		}
	}
	if e.Loss, err = newLoss(e.rng, c, dim); err != nil {
		return nil, err
	}
	if e.Sampler, err = diffusion.NewSampler(e.Loss.PF, e.Loss.PB); err != nil {
		return nil, err
	}
	decay, err := c.ExplorationDecay.Schedule(c.Steps)
	if err != nil {
		return nil, err
	}
	e.Trainer = &Trainer{
		Loss: e.Loss, Env: e.Target, Source: source, RNG: e.rng,
		DType: c.DType.DType, Batch: c.Batch, Exploration: c.Exploration, Decay: decay,
		Schedule: c.schedule(), ClipNorm: c.ClipNorm, MicroBatch: c.MicroBatch,
	}
	if e.Trainer.Optim, err = newOptimizer(e.Loss, c); err != nil {
		return nil, err
	}
	if c.EMA > 0 {
		e.Trainer.EMA, err = optim.NewEMA(e.Loss.Params(), c.EMA)
	}
	return e, err
}

// newOptimizer gives each policy a group of its own where their learning rates differ.
func newOptimizer(loss *mle.MLE, c Config) (optim.Optimizer, error) {
	settings := optim.AdamConfig{LR: c.LR, WeightDecay: c.WeightDecay}
	params, more := loss.Params(), []optim.Group[optim.AdamConfig]{}
	if c.LRPB > 0 {
		backward := settings
		backward.LR = c.LRPB
		params = nn.Prefix("pf", loss.PF.Params())
		more = append(more, optim.Group[optim.AdamConfig]{Params: nn.Prefix("pb", loss.PB.Params()), Config: backward})
	}
	if c.WeightDecay > 0 {
		return optim.NewAdamW(params, settings, more...)
	}
	return optim.NewAdam(params, settings, more...)
}

// openSource opens the target or the data, and returns where batches come from, nil if neither is known, and their width.
func (e *Experiment) openSource() (Source, int, error) {
	if e.Config.Dim > 0 {
		return nil, e.Config.Dim, nil
	}
	if e.Config.Target != "" {
		known, err := diffusion.NewTarget(e.Config.Target)
		if err != nil {
			return nil, 0, err
		}
		target, ok := known.(diffusion.Sampled)
		if !ok {
			return nil, 0, fmt.Errorf("train: target %s has no exact samples, which maximum likelihood learns from; train on data of it", e.Config.Target)
		}
		e.Target = target
		return target, target.Dim(), nil
	}
	data, err := openData(e.Config)
	if err != nil {
		return nil, 0, err
	}
	e.Data = data
	return data.source(e.stream, e.Config.DType.DType, e.Config.Batch), len(data.Columns), nil
}

// newLoss makes the policies and the loss in dim dimensions, with fresh weights.
func newLoss(rng *tensor.RNG, c Config, dim int) (*mle.MLE, error) {
	d := c.DType.DType
	forward, backward := c.policies()
	pf, err := diffusion.NewForward(rng, d, dim, c.Process, forward)
	if err != nil {
		return nil, err
	}
	pb := diffusion.NewBridge(c.Process, dim)
	if c.LearnPB != FixedBridge {
		if pb, err = diffusion.NewBackward(rng, d, dim, c.Process, backward); err != nil {
			return nil, err
		}
	}
	loss, err := mle.New(pf, pb)
	if err != nil {
		return nil, err
	}
	loss.IncludeLogPB = c.IncludeLogPB
	return loss, nil
}

// UseAverages makes the policies compute with the averages of their weights, if the run keeps them, until restore is called. Meanwhile the run
// must neither train nor be saved. It is how a run is judged: what [OpenModel] opens are the averages.
func (e *Experiment) UseAverages() (restore func()) {
	if e.Trainer.EMA == nil {
		return func() {}
	}
	e.Trainer.EMA.Swap()
	return e.Trainer.EMA.Swap
}

// Model returns what was learned so far. It shares the run's weights; see [Experiment.UseAverages].
func (e *Experiment) Model() *Model {
	m := &Model{Config: e.Config, Sampler: e.Sampler}
	if e.Data != nil {
		m.Columns, m.Standardize = e.Data.Columns, &e.Data.Standardize
		return m
	}
	m.Columns = coordinates(e.Loss.PF.Dim())
	return m
}

// checkKnown returns an error if there is nothing to train on, or to compare with.
func (e *Experiment) checkKnown(what string) error {
	if e.Target == nil && e.Data == nil {
		return fmt.Errorf("train: %s: what these policies have learned is not known: they were imported without a target; they can sample", what)
	}
	return nil
}

// Stream returns the stream of the run.
func (e *Experiment) Stream() *tensor.Stream { return e.stream }

// Parameters returns the number of trained numbers.
func (e *Experiment) Parameters() int { return nn.Count(e.Loss.Params()) }
