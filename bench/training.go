package bench

import (
	"errors"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/gflownet/mle"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/optim"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

// training is a loss with its optimiser on a stream of a device. All tensors belong to its scope.
type training struct {
	size   StepSize
	dtype  backend.DType
	stream *tensor.Stream
	scope  *tensor.Scope
	rng    *tensor.RNG
	loss   *mle.MLE
	adam   *optim.Adam
}

func newTraining(dev *tensor.Device, z StepSize, d backend.DType) (tr *training, err error) {
	s, err := dev.NewStream()
	if err != nil {
		return nil, err
	}
	tr = &training{size: z, dtype: d, stream: s, scope: s.OpenScope()}
	defer func() {
		if err != nil {
			err = errors.Join(err, tr.close())
		}
	}()
	defer tensor.Catch(&err)
	tr.rng = tensor.NewRNG(s, 1)
	if tr.loss, err = z.loss(tr.rng, d); err != nil {
		return tr, err
	}
	tr.adam, err = optim.NewAdam(tr.loss.Params(), optim.AdamConfig{})
	return tr, err
}

func (tr *training) close() error {
	tr.scope.Close()
	return tr.stream.Close()
}

// trainer returns what repeats whole steps.
func (tr *training) trainer() *train.Trainer {
	return &train.Trainer{
		Loss: tr.loss, Source: normals{tr.size.Dim}, Optim: tr.adam, RNG: tr.rng, DType: tr.dtype, Batch: tr.size.Batch,
	}
}

// normals are samples of a standard normal distribution.
type normals struct{ dim int }

// Sample implements train.Source.
func (s normals) Sample(rng *tensor.RNG, d backend.DType, n int) *tensor.Tensor {
	return rng.Normal(d, n, s.dim)
}

// value computes the loss of a fresh batch, or of the given one with its noise.
func (tr *training) value(tape *autograd.Tape, batch, noise *tensor.Tensor) (*autograd.Var, error) {
	if batch == nil {
		batch = tr.rng.Normal(tr.dtype, tr.size.Batch, tr.size.Dim)
	}
	return tr.loss.Loss(tape, nil, batch, gflownet.Options{RNG: tr.rng, Noise: noise})
}

// gradients gives each parameter a tensor as its gradient.
type gradients map[*tensor.Tensor]*tensor.Tensor

// Of implements optim.Gradients.
func (g gradients) Of(param *tensor.Tensor) *tensor.Tensor { return g[param] }

// like returns a tensor for each parameter, holding its values.
func (tr *training) like() gradients {
	g := gradients{}
	for _, p := range tr.loss.Params() {
		g[p.Value] = tensor.Clone(p.Value)
	}
	return g
}

// adopt overwrites the weights by those of another training, on whatever device.
func (tr *training) adopt(other *training) error {
	for _, pair := range [][2][]nn.Param{{tr.loss.Params(), other.loss.Params()}, {tr.loss.Buffers(), other.loss.Buffers()}} {
		var weights []nn.Param
		for _, p := range pair[1] {
			values, err := p.Value.Float64s()
			if err != nil {
				return err
			}
			weights = append(weights, nn.Param{Name: p.Name, Value: tensor.FromSlice(tr.stream, values, p.Value.Shape()...)})
		}
		if err := nn.Copy(pair[0], weights); err != nil {
			return err
		}
	}
	return nil
}
