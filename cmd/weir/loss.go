package main

import (
	"fmt"
	"math"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/gflownet/mle/recorded"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/tensorio"
	"github.com/weir-ml/weir/tensorio/safetensors"
	"github.com/weir-ml/weir/train"
)

// lossCmd evaluates a recorded case; see package recorded.
type lossCmd struct {
	Case  string            `required:"" placeholder:"FILE" help:"Case: a safetensors file with settings, weights, batch and noise."`
	DType *train.FloatDType `name:"dtype" placeholder:"float32|float64" help:"Type to compute in (default: the case's)."`
	Grads string            `placeholder:"FILE" help:"Write the gradients to this safetensors file, as grad.<name>."`
	JSON  bool              `name:"json" help:"Print JSON."`
	deviceFlags
}

// Run prints the loss and how far it is from what the case records.
func (l *lossCmd) Run(c *console) error {
	if err := checkOutputs([]output{{"grads", l.Grads}}, l.Case); err != nil {
		return err
	}
	return l.on(func(s *tensor.Stream) error {
		d := backend.Invalid
		if l.DType != nil {
			d = l.DType.DType
		}
		recordedCase, err := recorded.Open(s, l.Case, d)
		if err != nil {
			return err
		}
		result, err := recordedCase.Run()
		if err != nil {
			return fmt.Errorf("%s: %w", l.Case, err)
		}
		if l.Grads != "" {
			if err := writeGrads(l.Grads, result.Grads); err != nil {
				return err
			}
		}
		if l.JSON {
			return writeJSON(c.out, newLossOutput(result))
		}
		return printLoss(c, result)
	})
}

func writeGrads(path string, grads []nn.Param) error {
	f := &safetensors.File{}
	for _, p := range nn.Prefix("grad", grads) {
		data, err := p.Value.Bytes()
		if err != nil {
			return err
		}
		f.Entries = append(f.Entries, tensorio.Entry{Name: p.Name, DType: p.Value.DType(), Shape: p.Value.Shape(), Data: data})
	}
	return safetensors.WriteFile(path, f)
}

// lossOutput is the JSON of a result.
type lossOutput struct {
	Loss       any     `json:"loss"` // a number, or a list of one a sample
	Reduction  string  `json:"reduction"`
	LossRelErr *number `json:"loss_rel_err,omitempty"`
	GradRelErr *number `json:"grad_rel_err,omitempty"`
}

func newLossOutput(r *recorded.Result) lossOutput {
	known := func(x float64) *number {
		if math.IsNaN(x) {
			return nil
		}
		return (*number)(&x)
	}
	out := lossOutput{Reduction: r.Reduction.String(), LossRelErr: known(r.LossRelErr), GradRelErr: known(r.GradRelErr)}
	if r.Reduction != gflownet.None {
		out.Loss = number(r.Loss[0])
		return out
	}
	losses := make([]number, len(r.Loss))
	for i, x := range r.Loss {
		losses[i] = number(x)
	}
	out.Loss = losses
	return out
}

func printLoss(c *console, r *recorded.Result) error {
	for _, x := range r.Loss {
		if _, err := fmt.Fprintf(c.out, "loss (%v)  %.17g\n", r.Reduction, x); err != nil {
			return err
		}
	}
	for _, e := range []struct {
		what  string
		value float64
	}{{"loss", r.LossRelErr}, {"gradients", r.GradRelErr}} {
		if math.IsNaN(e.value) {
			continue
		}
		if _, err := fmt.Fprintf(c.out, "relative error of the %s  %.2g\n", e.what, e.value); err != nil {
			return err
		}
	}
	return nil
}
