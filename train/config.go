package train

import (
	"cmp"
	"fmt"
	"math"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/optim"
)

// Config is everything that decides a maximum-likelihood run, apart from the device. It is stored in every checkpoint.
type Config struct {
	Target  string   `json:"target,omitempty"`  // as diffusion.NewTarget takes it, or
	Data    string   `json:"data,omitempty"`    // a file of rows; see dataset.Open
	Dim     int      `json:"dim,omitempty"`     // of imported policies of which neither is known: they sample, and are not trained on
	Columns []string `json:"columns,omitempty"` // of the data, by name or number; none is all

	// DataMemory is how many bytes of rows are held at a time. An .npy file with more is read in blocks, again in each epoch, and shuffled as
	// dataset.Stream does; it is part of what a seed means then.
	DataMemory int `json:"data_memory,omitempty"`

	Steps int `json:"steps"` // in total
	Batch int `json:"batch"`

	Process diffusion.Process   `json:"process"`
	Net     diffusion.NetConfig `json:"net"`

	LearnVariance bool       `json:"learn_variance"` // of the forward policy
	LearnPB       LearnPB    `json:"learn_pb"`
	PBScaleRange  float64    `json:"pb_scale_range"` // c, the size of the learned corrections to the bridge
	IncludeLogPB  bool       `json:"include_log_pb"` // add log p_B to the loss; see mle.MLE
	Exploration   float64    `json:"exploration_std"`
	LR            float64    `json:"lr"`
	Seed          uint64     `json:"seed"`
	DType         FloatDType `json:"dtype"`

	DiagonalVariance bool           `json:"diagonal_variance,omitempty"` // learn one for each coordinate of the forward policy
	Scaled           bool           `json:"scaled,omitempty"`            // the forward network's outputs are in units of the process
	Clip             float64        `json:"clip,omitempty"`              // limit on the raw outputs of the networks; 0 is none
	LogVarRange      float64        `json:"log_var_range,omitempty"`     // limit on learned log standard deviations; 0 is 4
	PBForm           diffusion.Form `json:"pb_form,omitzero"`            // how the learned corrections enter
	LRPB             float64        `json:"lr_pb,omitempty"`             // learning rate of the backward policy; 0 is that of the forward policy
	ExplorationDecay Decay          `json:"exploration_decay,omitempty"`

	WeightDecay float64  `json:"weight_decay,omitempty"` // λ of AdamW; 0 is Adam
	ClipNorm    float64  `json:"clip_norm,omitempty"`    // limit on the norm of the gradients; 0 is none
	EMA         float64  `json:"ema,omitempty"`          // decay of the average of the weights, by which a run is judged and samples; 0 keeps none
	Schedule    Schedule `json:"schedule,omitempty"`     // of the learning rate, over all Steps
	WarmUp      int      `json:"warm_up,omitempty"`      // steps over which the learning rate rises first
	MicroBatch  int      `json:"micro_batch,omitempty"`  // samples whose activations are held at a time; 0 is the whole batch

	BoundEvery int `json:"bound_every"`        // steps between two estimates of the held-out bound
	Patience   int `json:"patience,omitempty"` // estimates without a better bound after which training stops; 0 is no limit
}

// model is the part of a Config that gives weights their meaning.
type model struct {
	Process       diffusion.Process
	Net           diffusion.NetConfig
	LearnVariance bool
	LearnPB       LearnPB
	PBScaleRange  float64
	Diagonal      bool
	Scaled        bool
	Clip          float64
	LogVarRange   float64
	PBForm        diffusion.Form
	DType         FloatDType
}

func (c Config) model() model {
	return model{
		c.Process, c.Net, c.LearnVariance, c.LearnPB, c.PBScaleRange, c.DiagonalVariance, c.Scaled, c.Clip, c.LogVarRange, c.PBForm, c.DType,
	}
}

// LearnPB says what is learned of the backward policy.
type LearnPB string

// The backward policies: the fixed bridge, a learned mean, a learned mean and variance, the latter one for all coordinates or one for each.
const (
	FixedBridge         LearnPB = ""
	LearnPBMean         LearnPB = "mean"
	LearnPBMeanVariance LearnPB = "mean+variance"
	LearnPBMeanDiagonal LearnPB = "mean+diagonal"
)

// Schedule says how the learning rate goes over a run.
type Schedule string

// The schedules: a constant rate, one that falls to 0 along half a cosine, one that falls to 0 along a line.
const (
	ConstantRate Schedule = ""
	CosineRate   Schedule = "cosine"
	LinearRate   Schedule = "linear"
)

// schedule returns the factor of the learning rate by steps done, nil if it is always 1.
func (c Config) schedule() optim.Schedule {
	var f optim.Schedule
	rest := max(c.Steps-c.WarmUp, 1)
	switch c.Schedule {
	case CosineRate:
		f = optim.Cosine(rest, 0)
	case LinearRate:
		f = optim.Linear(1, 0, rest)
	}
	if c.WarmUp == 0 {
		return f
	}
	if f == nil {
		f = optim.Constant(1)
	}
	return optim.WarmUp(c.WarmUp, f)
}

// FloatDType is a dtype that is stored by name.
type FloatDType struct{ backend.DType }

// MarshalText returns the dtype's name.
func (d FloatDType) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText takes the names of the dtypes that training supports.
func (d *FloatDType) UnmarshalText(name []byte) error {
	parsed, err := backend.ParseDType(string(name))
	if err != nil || parsed != backend.Float32 && parsed != backend.Float64 {
		return fmt.Errorf("cannot train in %q; want float32 or float64", name)
	}
	d.DType = parsed
	return nil
}

// DefaultTarget is what a run without target and data learns.
const DefaultTarget = "gmm25_prior"

// DefaultSigma returns a bridge that spreads as far as the run's target: √20 for targets on the scale of ten, 1 for data, which is
// standardized.
func (c Config) DefaultSigma() float64 {
	if c.Data != "" {
		return 1
	}
	return math.Sqrt(20)
}

// DefaultSteps returns 3500 for a target, whose samples are always new, and 1000 for data, of which a thousand rows are soon known by heart.
func (c Config) DefaultSteps() int {
	if c.Data != "" {
		return 1000
	}
	return 3500
}

// WithDefaults returns c with a sensible value in every field that is 0.
//
// They are chosen for the default target on two cores: at most two minutes in pure Go, and samples with 25 separate modes. At equal cost, small batches
// leave the plateau of the first steps sooner; with N = 64 a step's standard deviation σ/√N is that of a mode, and with half as many it
// blurs them; a learned variance, unless scaled, begins with steps that are far too narrow, and costs more training than it saves.
func (c Config) WithDefaults() Config {
	if c.Target == "" && c.Data == "" && c.Dim == 0 {
		c.Target = DefaultTarget
	}
	c.Steps = cmp.Or(c.Steps, c.DefaultSteps())
	c.DataMemory = cmp.Or(c.DataMemory, 1<<30)
	c.Batch = cmp.Or(c.Batch, 64)
	c.LR = cmp.Or(c.LR, 3e-3)
	c.BoundEvery = cmp.Or(c.BoundEvery, 250)
	c.DType.DType = cmp.Or(c.DType.DType, backend.Float32)
	c.Process.NumSteps = cmp.Or(c.Process.NumSteps, 64)
	c.Process.Sigma = cmp.Or(c.Process.Sigma, c.DefaultSigma())
	c.Process.TScale = cmp.Or(c.Process.TScale, 1)
	policy := diffusion.PolicyConfig{Net: c.Net, LogVarRange: c.LogVarRange, ScaleRange: c.PBScaleRange}.WithDefaults()
	c.Net, c.LogVarRange, c.PBScaleRange = policy.Net, policy.LogVarRange, policy.ScaleRange
	return c
}

// Check returns an error that names a setting that contradicts another or is out of range. A zero is out of range where
// WithDefaults would replace it.
func (c Config) Check() error {
	switch {
	case c.Target != "" && c.Data != "":
		return fmt.Errorf("train: both a target (%s) and data (%s) are given; want one", c.Target, c.Data)
	case c.Target == "" && c.Data == "" && c.Dim == 0:
		return fmt.Errorf("train: neither a target nor data is given")
	case c.Dim < 0 || c.Dim > 1<<20:
		return fmt.Errorf("train: dim is %d; want 1 to %d", c.Dim, 1<<20)
	case c.Dim > 0 && (c.Target != "" || c.Data != ""):
		return fmt.Errorf("train: dim is %d, but what is learned says that; want 0", c.Dim)
	case c.Target != "" && len(c.Columns) > 0:
		return fmt.Errorf("train: columns are picked from data, not from target %s", c.Target)
	case c.Steps < 1 || c.Steps > math.MaxInt32:
		return fmt.Errorf("train: steps is %d; want 1 to %d", c.Steps, math.MaxInt32)
	case c.Batch < 1 || c.Batch > 1<<24:
		return fmt.Errorf("train: batch is %d; want 1 to %d", c.Batch, 1<<24)
	case c.Process.NumSteps > 1<<16:
		return fmt.Errorf("train: num-steps is %d; want at most %d", c.Process.NumSteps, 1<<16)
	case c.LearnPB != FixedBridge && c.LearnPB != LearnPBMean && c.LearnPB != LearnPBMeanVariance && c.LearnPB != LearnPBMeanDiagonal:
		return fmt.Errorf("train: learn-pb is %q; want %q, %q or %q", c.LearnPB, LearnPBMean, LearnPBMeanVariance, LearnPBMeanDiagonal)
	case !positive(c.PBScaleRange):
		return fmt.Errorf("train: pb-scale-range is %v; want a positive number", c.PBScaleRange)
	case !positive(c.Exploration) && c.Exploration != 0:
		return fmt.Errorf("train: exploration-std is %v; want 0 or a positive number", c.Exploration)
	case c.DType.DType != backend.Float32 && c.DType.DType != backend.Float64:
		return fmt.Errorf("train: dtype is %v; want float32 or float64", c.DType)
	case !positive(c.LR):
		return fmt.Errorf("train: lr is %v; want a positive number", c.LR)
	}
	if err := c.checkPolicies(); err != nil {
		return err
	}
	if err := c.checkTraining(); err != nil {
		return err
	}
	if err := c.Process.Check(); err != nil {
		return err
	}
	return c.Net.Check()
}

// positive reports whether x is a finite number above 0.
func positive(x float64) bool { return x > 0 && !math.IsInf(x, 1) }

// checkTraining checks how the weights are updated and watched.
func (c Config) checkTraining() error {
	switch {
	case !positive(c.WeightDecay) && c.WeightDecay != 0:
		return fmt.Errorf("train: weight-decay is %v; want 0 or a positive number", c.WeightDecay)
	case !positive(c.ClipNorm) && c.ClipNorm != 0:
		return fmt.Errorf("train: clip-norm is %v; want 0, which is none, or a positive number", c.ClipNorm)
	case !(c.EMA >= 0 && c.EMA < 1):
		return fmt.Errorf("train: ema is %v; want 0, which keeps no average, or a decay below 1", c.EMA)
	case c.Schedule != ConstantRate && c.Schedule != CosineRate && c.Schedule != LinearRate:
		return fmt.Errorf("train: schedule is %q; want %q or %q", c.Schedule, CosineRate, LinearRate)
	case c.WarmUp < 0 || c.WarmUp > math.MaxInt32:
		return fmt.Errorf("train: warm-up is %d; want 0 to %d", c.WarmUp, math.MaxInt32)
	case c.MicroBatch < 0:
		return fmt.Errorf("train: micro-batch is %d; want 0, which is the whole batch, or a number of samples", c.MicroBatch)
	case c.DataMemory < 1:
		return fmt.Errorf("train: data-memory is %d bytes; want at least 1", c.DataMemory)
	case c.BoundEvery < 1:
		return fmt.Errorf("train: bound-every is %d; want at least 1", c.BoundEvery)
	case c.Patience < 0:
		return fmt.Errorf("train: patience is %d; want 0, which is no limit, or a number of estimates", c.Patience)
	}
	return nil
}
