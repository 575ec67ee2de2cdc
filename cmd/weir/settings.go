package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/train"
)

// settings are the flags that make a train.Config. Their defaults are those of Config.WithDefaults.
type settings struct {
	Target  string   `group:"What to learn:" placeholder:"${target}" help:"A known distribution, with parameters if wanted, as in many_well:dim=8: ${targets}."`
	Data    string   `group:"What to learn:" placeholder:"FILE" help:"A table of numbers: .csv, .npy or .safetensors. Columns are standardized; a tenth of the rows is held out."`
	Columns []string `group:"What to learn:" placeholder:"NAME" help:"Columns of the data, by name or number (default: all)."`

	DataMemory mebibytes `group:"What to learn:" default:"${dataMemory}" help:"Memory for rows, in MiB; an .npy file with more is read in blocks."`

	Steps *int    `group:"Training:" placeholder:"N" help:"Training steps, in total, also on --resume (default: ${targetSteps} for a target, ${dataSteps} for data)."`
	Batch int     `group:"Training:" default:"${batch}" help:"Samples a step."`
	LR    float64 `group:"Training:" name:"lr" default:"${lr}" help:"Learning rate of Adam."`
	Seed  uint64  `group:"Training:" default:"${seed}" help:"Decides weights, batches and noise."`

	Schedule    train.Schedule `group:"Training:" placeholder:"cosine|linear" help:"Let the learning rate fall to 0 over all steps (default: constant)."`
	WarmUp      int            `group:"Training:" name:"warm-up" default:"0" help:"Steps over which the learning rate rises first."`
	WeightDecay float64        `group:"Training:" default:"0" help:"Decay of the weights, as in AdamW."`
	ClipNorm    float64        `group:"Training:" default:"0" help:"Limit on the norm of the gradients, 0 for none."`
	EMA         float64        `group:"Training:" name:"ema" default:"0" help:"Decay of an average of the weights, like 0.999, that samples in their place; 0 for none."`
	MicroBatch  int            `group:"Training:" default:"0" help:"Samples whose activations are held at a time, 0 for the whole batch."`
	BoundEvery  int            `group:"Training:" default:"${boundEvery}" help:"Steps between two estimates of the held-out bound."`
	Patience    int            `group:"Training:" default:"0" help:"Estimates without a better bound after which training stops, 0 for no limit."`

	DType          train.FloatDType `group:"Training:" name:"dtype" default:"${dtype}" help:"float32 or float64."`
	IncludeLogPB   bool             `group:"Training:" name:"include-log-pb" help:"Add log p_B to the loss: a bound on −log p also when p_B is learned."`
	ExplorationStd float64          `group:"Training:" default:"${exploration}" help:"Standard deviation added to forward steps."`
	Decay          train.Decay      `group:"Training:" name:"exploration-decay" placeholder:"KIND" help:"How that goes down: linear[:STEPS], cosine[:STEPS] or warm-down:START:END (default: it stays)."`
	LRPB           float64          `group:"Training:" name:"lr-pb" placeholder:"LR" help:"Learning rate of a learned backward policy (default: that of --lr)."`

	NumSteps int      `group:"Process:" default:"${numSteps}" help:"Steps of the diffusion."`
	Sigma    *float64 `group:"Process:" placeholder:"S" help:"Diffusion of the bridge per unit of time (default: √20 for a target, 1 for data)."`
	TScale   float64  `group:"Process:" default:"${tScale}" help:"Factor of the forward variance."`

	TimeGrid diffusion.Grid `group:"Process:" default:"uniform" placeholder:"KIND" help:"How steps divide time: uniform, cosine, power:P or log:R (P or R above 1: short steps last)."`

	Hidden        int           `group:"Networks:" default:"${hidden}" help:"Width of the hidden layers."`
	Embed         int           `group:"Networks:" default:"${embed}" help:"Width of the state and time embeddings."`
	Layers        int           `group:"Networks:" default:"${layers}" help:"Hidden layers after the embeddings."`
	Harmonics     int           `group:"Networks:" default:"${harmonics}" help:"Frequencies of the time embedding."`
	ZeroInit      bool          `group:"Networks:" help:"Start with a drift of almost 0."`
	LearnVariance bool          `group:"Networks:" help:"Learn the variance of forward steps."`
	Diagonal      bool          `group:"Networks:" name:"diagonal-variance" help:"Learn one for each coordinate."`
	LogVarRange   float64       `group:"Networks:" name:"log-var-range" default:"${logVarRange}" help:"Limit on the logarithm of learned standard deviations."`
	Scaled        bool          `group:"Networks:" help:"Let the network give the drift in units of σ/√(1−t) and the deviation in units of σ: learns faster."`
	LearnPB       train.LearnPB `group:"Networks:" name:"learn-pb" placeholder:"mean|mean+variance|mean+diagonal" help:"Learn the backward policy (default: the fixed Brownian bridge)."`
	PBScaleRange  float64       `group:"Networks:" name:"pb-scale-range" default:"${pbScaleRange}" help:"Size of the learned corrections to the bridge."`

	PBForm diffusion.Form `group:"Networks:" name:"pb-form" default:"additive" help:"How they enter: additive or multiplicative."`
}

// mebibytes are a size of memory, by units of 1<<20 bytes.
type mebibytes int

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *mebibytes) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > math.MaxInt>>20 {
		return fmt.Errorf("got %q; want 1 to %d MiB", text, math.MaxInt>>20)
	}
	*m = mebibytes(n)
	return nil
}

// config returns the settings, checked. Zeros are errors here: a default that is wanted is already in place.
func (s *settings) config() (train.Config, error) {
	c := train.Config{
		Target: s.Target, Data: s.Data, Columns: s.Columns,
		Batch: s.Batch, LR: s.LR, Seed: s.Seed, DType: s.DType,
		LearnVariance: s.LearnVariance, LearnPB: s.LearnPB, PBScaleRange: s.PBScaleRange,
		IncludeLogPB: s.IncludeLogPB, Exploration: s.ExplorationStd,
		Schedule: s.Schedule, WarmUp: s.WarmUp, WeightDecay: s.WeightDecay, ClipNorm: s.ClipNorm, EMA: s.EMA,
		DataMemory: int(s.DataMemory) << 20, MicroBatch: s.MicroBatch, BoundEvery: s.BoundEvery, Patience: s.Patience,
	}
	c.DiagonalVariance, c.Scaled, c.LogVarRange, c.PBForm, c.LRPB, c.ExplorationDecay = s.Diagonal, s.Scaled, s.LogVarRange, s.PBForm, s.LRPB, s.Decay
	if c.Target == "" && c.Data == "" {
		c.Target = train.DefaultTarget
	}
	c.Process.Grid = s.TimeGrid
	c.Process.NumSteps, c.Process.TScale, c.Process.Sigma = s.NumSteps, s.TScale, c.DefaultSigma()
	if s.Sigma != nil {
		c.Process.Sigma = *s.Sigma
	}
	c.Steps = c.DefaultSteps()
	if s.Steps != nil {
		c.Steps = *s.Steps
	}
	c.Net.Harmonics, c.Net.Embed, c.Net.Hidden = s.Harmonics, s.Embed, s.Hidden
	c.Net.JointLayers, c.Net.ZeroInit = s.Layers, s.ZeroInit
	return c, c.Check()
}

// mayChange are the flags that do not contradict --resume: the other settings come from the checkpoint.
var mayChange = []string{"resume", "steps", "data", "backend", "workers", "precision", "out", "force", "eager", "json", "eval-samples", "patience", "keep", "checkpoint-every"}

// checkResume returns an error that names the flags that a continued run cannot change.
func checkResume(given map[string]bool) error {
	if given["config"] {
		return usageError{errors.New("--config cannot go with --resume: settings come from the checkpoint")}
	}
	var fixed []string
	for name := range given {
		if !slices.Contains(mayChange, name) {
			fixed = append(fixed, "--"+name)
		}
	}
	if len(fixed) == 0 {
		return nil
	}
	slices.Sort(fixed)
	return usageError{fmt.Errorf("%s cannot change on --resume: settings come from the checkpoint; only --steps, --patience, --data, --backend, --workers and --precision may",
		strings.Join(fixed, ", "))}
}
