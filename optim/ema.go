package optim

import (
	"fmt"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
)

// EMA is an exponential moving average a of parameters p, as PyTorch's AveragedModel with get_ema_multi_avg_fn computes it:
//
//	a = p                     at the first update
//	a = a + (1 − decay)·(p − a)      from then on
//
// A parameter that is NaN or infinite once spoils its average for good: an update belongs after a step that is known to be sound.
type EMA struct {
	params   []nn.Param
	averages []nn.Param
	state    []nn.Param
	count    *tensor.Tensor // updates done, float64, rank 0
	begin    command
	update   []command
	swap     []command
}

// NewEMA returns the average of params, which are float32 or float64 on one stream. Before the first update it equals them.
// Other parameters, and a decay that is not at least 0 and below 1, are errors.
func NewEMA(params []nn.Param, decay float64) (e *EMA, err error) {
	defer tensor.Catch(&err)
	if !(decay >= 0 && decay < 1) {
		return nil, fmt.Errorf("optim: ema: decay is %v; want a number of at least 0 and below 1", decay)
	}
	if err := checkParams("ema", params); err != nil {
		return nil, err
	}
	s := params[0].Value.Stream()
	e = &EMA{params: params, count: tensor.Zeros(s, backend.Float64)}
	first := tensor.Zeros(s, backend.Bool)
	e.begin = command{emaBegin, []float64{0, 1}, []*tensor.Tensor{e.count, first}, []*tensor.Tensor{e.count}}
	e.state = []nn.Param{{Name: "n_averaged", Value: e.count}}
	for _, p := range params {
		d, average := p.Value.DType(), tensor.Clone(p.Value)
		e.averages = append(e.averages, nn.Param{Name: p.Name, Value: average})
		e.state = append(e.state, nn.Param{Name: "module." + p.Name, Value: average})
		e.update = append(e.update, command{emaUpdates[d], []float64{1 - decay}, []*tensor.Tensor{average}, []*tensor.Tensor{p.Value, average, first}})
		both := []*tensor.Tensor{p.Value, average}
		e.swap = append(e.swap, command{swapPrograms[d], nil, both, both})
	}
	return e, nil
}

// Update takes the parameters as they are now into the average: after an optimiser's step, and in the recording where that is recorded.
func (e *EMA) Update() {
	e.begin.run()
	for i := range e.update {
		e.update[i].run()
	}
}

// Params returns the averages under the names of the parameters: a second set, for nn.Copy into a model of the same kind.
func (e *EMA) Params() []nn.Param { return e.averages }

// Swap exchanges parameters and averages, so that the model itself computes with the averages; a second Swap undoes it. Meanwhile
// neither Update nor the optimiser may run, and nothing should be saved.
func (e *EMA) Swap() {
	for i := range e.swap {
		e.swap[i].run()
	}
}

// State returns the number of updates and the averages, under the names of PyTorch's AveragedModel, aliasing what it holds.
func (e *EMA) State() []nn.Param { return e.state }

// emaBegin counts an update, and says whether it is the first.
var emaBegin = func() *backend.Prog {
	c, in, param := newCode(backend.Float64, 1, 2)
	none, one := param[0], param[1]
	return c.prog(c.emit(backend.Add, backend.Float64, in[0], one), c.emit(backend.Eq, backend.Bool, in[0], none))
}()

// emaUpdates give the average from the parameter, the average, and whether this is the first update.
var emaUpdates = newPrograms(func(d backend.DType) *backend.Prog {
	c, in, param := newCode(d, 3, 1)
	c.ins[2] = backend.Bool
	p, average, first := in[0], in[1], in[2]
	change := c.emit(backend.Mul, d, param[0], c.emit(backend.Sub, d, p, average))
	return c.prog(c.emit(backend.Where, d, first, p, c.emit(backend.Add, d, average, change)))
})

var swapPrograms = newPrograms(func(d backend.DType) *backend.Prog {
	c, in, _ := newCode(d, 2, 0)
	return c.prog(in[1], in[0])
})
