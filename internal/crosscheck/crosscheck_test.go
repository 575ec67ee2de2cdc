// Package crosscheck holds the tests that compare every operation, its gradient and its second gradient with NumPy and PyTorch.
//
// The cases are in testdata/crosscheck, written by the programs in testdata/gen, whose README says what a case is.
package crosscheck

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/autograd"
	_ "github.com/weir-ml/weir/backend/cpu"
	_ "github.com/weir-ml/weir/backend/cuda"
	_ "github.com/weir-ml/weir/backend/simd"
	"github.com/weir-ml/weir/internal/emulator"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/tensor"
)

func TestMain(m *testing.M) { emulator.Main(m) }

var folder = filepath.Join("..", "..", "testdata", "crosscheck")

// recorded returns all cases, by file.
func recorded(t *testing.T) map[string][]*crossCase {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.safetensors"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	files := make(map[string][]*crossCase, len(paths))
	for _, path := range paths {
		files[filepath.Base(path)] = readCases(t, path)
	}
	return files
}

func TestOperationsAgreeWithNumPyAndPyTorch(t *testing.T) {
	files := recorded(t)
	for _, name := range testdevice.Backends(t) {
		t.Run(name, func(t *testing.T) {
			s := testdevice.On(t, name, 0)
			for file, cases := range files {
				t.Run(file, func(t *testing.T) {
					for _, c := range cases {
						for _, l := range layouts {
							s.Scope(func() { c.run(t, s, l) })
						}
					}
				})
			}
		})
	}
}

// run evaluates the case on inputs of that layout, and reports everything that disagrees.
func (c *crossCase) run(t *testing.T, s *tensor.Stream, l layout) {
	op, ok := operations[c.Op]
	require.True(t, ok, "%s: the table of operations lacks %s", c.Name, c.Op)
	xs := make([]*tensor.Tensor, c.Inputs)
	for j := range xs {
		xs[j] = c.input(s, j, l)
	}
	if op.tensor != nil {
		c.evaluate(t, l, op, xs)
	}
	if !c.Differentiable {
		return
	}
	require.NotNil(t, op.autograd, "%s: the table of operations has no %s of package autograd", c.Name, c.Op)
	c.differentiate(t, s, l, op, xs)
}

// evaluate compares the values that package tensor gives.
func (c *crossCase) evaluate(t *testing.T, l layout, op operation, xs []*tensor.Tensor) {
	ys, err := call(op.tensor, c.Args, xs)
	if err != nil {
		t.Errorf("%s, %s: %v", c.Name, l.name, err)
		return
	}
	require.Len(t, ys, len(c.DTypes), c.Name)
	for k, y := range ys {
		c.compare(t, l, c.result("y", k), y)
	}
}

// call returns f(xs), or the misuse that f finds as an error.
func call[T any](f func(arguments, []T) []T, a arguments, xs []T) (ys []T, err error) {
	defer tensor.Catch(&err)
	return f(a, xs), nil
}

// differentiate compares the gradient of L = Σ w·φ(y) and that of M = Σ v·∂L/∂x.
func (c *crossCase) differentiate(t *testing.T, s *tensor.Stream, l layout, op operation, xs []*tensor.Tensor) {
	tape := autograd.NewTape(s)
	inputs := make([]*autograd.Var, len(xs))
	leaves, places := []*autograd.Var(nil), []int(nil)
	for j, x := range xs {
		inputs[j] = tape.Const(x)
		if x.IsFloat() {
			inputs[j] = tape.Leaf(x)
			leaves, places = append(leaves, inputs[j]), append(places, j)
		}
	}
	ys, err := call(op.autograd, c.Args, inputs)
	if err != nil {
		t.Errorf("%s, %s: autograd: %v", c.Name, l.name, err)
		return
	}
	loss := tape.Const(tensor.Zeros(s, xs[places[0]].DType()))
	for k, y := range ys {
		c.compare(t, l, c.result("y", k), y.Value())
		if y.Differentiable() {
			loss = autograd.Add(loss, weigh(c.bend(y), k))
		}
	}
	grads := autograd.Grad(loss, leaves, autograd.GradOptions{CreateGraph: true})
	second := tape.Const(tensor.Zeros(s, xs[places[0]].DType()))
	for i, g := range grads {
		c.compare(t, l, c.result("g", places[i]), g.Value())
		second = autograd.Add(second, weigh(g, secondSalt+places[i]))
	}
	for i, h := range autograd.Grad(second, leaves, autograd.GradOptions{}) {
		c.compare(t, l, c.result("h", places[i]), h.Value())
	}
}

// bend is φ: y²/2 of a linear operation, which has no second derivative of its own, else y.
func (c *crossCase) bend(y *autograd.Var) *autograd.Var {
	if !c.Linear {
		return y
	}
	return autograd.Mul(autograd.MulScalar(y, 0.5), y)
}

// secondSalt is the salt of the weights of the first gradient.
const secondSalt = 100

// weigh returns Σ weights·y, in the dtype of y.
func weigh(y *autograd.Var, salt int) *autograd.Var {
	tape := y.Tape()
	w := make([]float64, y.Value().Len())
	for i := range w {
		w[i] = float64(1+(5*i+3*salt)%13) / 8
		if (i+salt)%3 == 0 {
			w[i] = -w[i]
		}
	}
	weights := tensor.Cast(tensor.FromSlice(tape.Stream(), w, y.Shape()...), y.Value().DType())
	return autograd.Sum(autograd.Mul(tape.Const(weights), y))
}

func TestCasesAreSmall(t *testing.T) {
	const limit = 3 << 20
	var total int64
	for file := range recorded(t) {
		info, err := os.Stat(filepath.Join(folder, file))
		require.NoError(t, err)
		total += info.Size()
	}
	require.LessOrEqual(t, total, int64(limit), "bytes of testdata/crosscheck")
}
