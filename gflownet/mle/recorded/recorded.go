// Package recorded evaluates recorded cases of the reference: settings, weights, batch and noise in, the loss and every gradient out, beside what
// the reference computed.
//
// A case is a safetensors file. Its metadata holds the settings (s_dim, num_steps, sigma, t_scale, learn_variance, pb, pb_scale_range,
// exploration_std, reduction, net); its tensors are batch (B, d) or (B, d+1), noise (N, B, d), param.<name> and buffer.<name> under torchgfn's
// state-dict names, and optionally loss and grad.<name>.
package recorded

import (
	"fmt"
	"math"
	"strings"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/gflownet/mle"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/tensorio/safetensors"
)

// Case is a loss with its inputs and the recorded results.
type Case struct {
	Loss        *mle.MLE
	Batch       *tensor.Tensor
	Noise       *tensor.Tensor // (B, N, d)
	Exploration float64

	stream *tensor.Stream
	want   map[string][]float64 // loss and grad.<name>
}

// Open reads a case and places it on a stream, computing in dtype d, or in the file's if d is backend.Invalid. A file that is not a case is an error.
func Open(s *tensor.Stream, path string, d backend.DType) (*Case, error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	c, err := newCase(s, f, d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func newCase(s *tensor.Stream, f *safetensors.File, d backend.DType) (c *Case, err error) {
	defer tensor.Catch(&err)
	settings, err := parseSettings(f.Metadata)
	if err != nil {
		return nil, err
	}
	tensors := make(map[string]*tensor.Tensor, len(f.Entries))
	for _, e := range f.Entries {
		tensors[e.Name] = tensor.FromBytes(s, e.DType, e.Data, e.Shape...)
	}
	batch, noise := tensors["batch"], tensors["noise"]
	if batch == nil || noise == nil || noise.Rank() != 3 {
		return nil, fmt.Errorf("wants the tensors batch (B, d) and noise (N, B, d)")
	}
	if d == backend.Invalid {
		d = batch.DType()
	}
	c = &Case{
		Batch: tensor.Cast(batch, d), Noise: tensor.Cast(tensor.Permute(noise, 1, 0, 2), d),
		Exploration: settings.exploration, stream: s, want: map[string][]float64{},
	}
	if c.Loss, err = settings.loss(s, d); err != nil {
		return nil, err
	}
	if err := nn.Copy(c.Loss.Params(), named(f, tensors, "param.")); err != nil {
		return nil, err
	}
	if err := nn.Copy(c.Loss.Buffers(), named(f, tensors, "buffer.")); err != nil {
		return nil, err
	}
	for _, e := range f.Entries {
		if e.Name == "loss" || strings.HasPrefix(e.Name, "grad.") {
			if c.want[e.Name], err = tensors[e.Name].Float64s(); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// named returns the tensors of f whose names begin with prefix, without it.
func named(f *safetensors.File, tensors map[string]*tensor.Tensor, prefix string) []nn.Param {
	var params []nn.Param
	for _, e := range f.Entries {
		if name, ok := strings.CutPrefix(e.Name, prefix); ok {
			params = append(params, nn.Param{Name: name, Value: tensors[e.Name]})
		}
	}
	return params
}

// loss returns the loss of those settings; its weights are overwritten later.
func (st settings) loss(s *tensor.Stream, d backend.DType) (*mle.MLE, error) {
	rng := tensor.NewRNG(s, 0)
	defer rng.Release()
	pf, err := diffusion.NewForward(rng, d, st.dim, st.process, st.net.policy(st.learnVariance, 0))
	if err != nil {
		return nil, err
	}
	pb := diffusion.NewBridge(st.process, st.dim)
	if st.pb != "none" {
		pb, err = diffusion.NewBackward(rng, d, st.dim, st.process, st.net.policy(st.pb == "mean+variance", st.pbScaleRange))
		if err != nil {
			return nil, err
		}
	}
	loss, err := mle.New(pf, pb)
	if err != nil {
		return nil, err
	}
	loss.Reduction = st.reduction
	return loss, nil
}

// Result is what a case evaluates to. The relative errors are NaN where the file records nothing to compare with.
type Result struct {
	Loss       []float64 // one number, or one a sample
	Reduction  gflownet.Reduction
	Grads      []nn.Param // of the loss, or of the sum of per-sample losses
	LossRelErr float64    // max|a − b| / max|b|, b the recorded loss
	GradRelErr float64    // the largest over the parameters of the same
}

// Run evaluates the loss and its gradients. Its error is that of the loss.
func (c *Case) Run() (r *Result, err error) {
	defer tensor.Catch(&err)
	tape := autograd.NewTape(c.stream)
	loss, err := c.Loss.Loss(tape, nil, c.Batch, gflownet.Options{Noise: c.Noise, ExplorationStd: c.Exploration})
	if err != nil {
		return nil, err
	}
	r = &Result{Reduction: c.Loss.Reduction, LossRelErr: math.NaN(), GradRelErr: math.NaN()}
	if r.Loss, err = loss.Value().Float64s(); err != nil {
		return nil, err
	}
	if want, ok := c.want["loss"]; ok {
		if r.LossRelErr, err = relativeError(r.Loss, want); err != nil {
			return nil, fmt.Errorf("loss: %w", err)
		}
	}
	grads := autograd.Backward(autograd.Sum(loss))
	for _, p := range c.Loss.Params() {
		g := grads.Of(p.Value)
		r.Grads = append(r.Grads, nn.Param{Name: p.Name, Value: g})
		want, ok := c.want["grad."+p.Name]
		if !ok {
			continue
		}
		got, err := g.Float64s()
		if err != nil {
			return nil, err
		}
		e, err := relativeError(got, want)
		if err != nil {
			return nil, fmt.Errorf("grad.%s: %w", p.Name, err)
		}
		if !(e <= r.GradRelErr) {
			r.GradRelErr = e
		}
	}
	return r, nil
}

// relativeError returns max|a − b| / max|b|: 0 if both are 0 everywhere, +Inf if any difference is NaN.
func relativeError(a, b []float64) (float64, error) {
	if len(a) != len(b) {
		return 0, fmt.Errorf("%d elements; the file records %d", len(a), len(b))
	}
	difference, scale := 0.0, 0.0
	for i := range a {
		difference = math.Max(difference, math.Abs(a[i]-b[i]))
		scale = math.Max(scale, math.Abs(b[i]))
	}
	if math.IsNaN(difference) {
		return math.Inf(1), nil // a NaN would read as nothing recorded
	}
	if difference == 0 {
		return 0, nil
	}
	return difference / scale, nil
}
