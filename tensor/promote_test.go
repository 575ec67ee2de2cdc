package tensor_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// numpy.promote_types, with bfloat16 by the same rule: the smallest type that holds every value of both.
const promotions = `
         bool     uint8    int32    int64    float16  bfloat16 float32  float64
bool     bool     uint8    int32    int64    float16  bfloat16 float32  float64
uint8    uint8    uint8    int32    int64    float16  bfloat16 float32  float64
int32    int32    int32    int32    int64    float64  float64  float64  float64
int64    int64    int64    int64    int64    float64  float64  float64  float64
float16  float16  float16  float64  float64  float16  float32  float32  float64
bfloat16 bfloat16 bfloat16 float64  float64  float32  bfloat16 float32  float64
float32  float32  float32  float64  float64  float32  float32  float32  float64
float64  float64  float64  float64  float64  float64  float64  float64  float64
`

func TestPromoteIsNumPys(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(promotions), "\n")
	columns := strings.Fields(lines[0])
	require.Len(t, columns, len(backend.DTypes()))
	s := newStream(t)
	for _, line := range lines[1:] {
		fields := strings.Fields(line)
		a, err := backend.ParseDType(fields[0])
		require.NoError(t, err)
		for i, name := range columns {
			b, err := backend.ParseDType(name)
			require.NoError(t, err)
			require.Equal(t, fields[i+1], tensor.Promote(a, b).String(), "%v with %v", a, b)
			joined := tensor.Concat(0, tensor.Ones(s, a, 1), tensor.Ones(s, b, 1))
			require.Equal(t, fields[i+1], joined.DType().String())
			requireSame(t, array{[]int{2}, []float64{1, 1}}, joined)
			if a != backend.Bool || b != backend.Bool {
				require.Equal(t, fields[i+1], tensor.Add(tensor.Ones(s, a), tensor.Ones(s, b)).DType().String())
			}
		}
	}
}

func TestNumbersAdaptToTheTensor(t *testing.T) {
	s := newStream(t)
	for _, c := range []struct {
		x, with, div backend.DType // the dtype of x, of x + 2, of x / 2
		half         backend.DType // of x + 0.5
	}{
		{backend.Bool, backend.Int64, backend.Float64, backend.Float64},
		{backend.Uint8, backend.Uint8, backend.Float64, backend.Float64},
		{backend.Int32, backend.Int32, backend.Float64, backend.Float64},
		{backend.Int64, backend.Int64, backend.Float64, backend.Float64},
		{backend.Float16, backend.Float16, backend.Float16, backend.Float16},
		{backend.BFloat16, backend.BFloat16, backend.BFloat16, backend.BFloat16},
		{backend.Float32, backend.Float32, backend.Float32, backend.Float32},
		{backend.Float64, backend.Float64, backend.Float64, backend.Float64},
	} {
		x := tensor.Ones(s, c.x, 1)
		for _, r := range []struct {
			got   *tensor.Tensor
			d     backend.DType
			value float64
		}{
			{tensor.AddScalar(x, 2), c.with, 3},
			{tensor.SubFrom(2, x), c.with, 1},
			{tensor.DivScalar(x, 2), c.div, 0.5},
			{tensor.DivFrom(2, x), c.div, 2},
			{tensor.AddScalar(x, 0.5), c.half, 1.5},
			{tensor.EqualScalar(x, 1), backend.Bool, 1},
		} {
			require.Equal(t, r.d, r.got.DType(), "from %v", c.x)
			requireSame(t, array{[]int{1}, []float64{r.value}}, r.got)
		}
	}
}

func TestNumbersOutsideAnIntegersRange(t *testing.T) {
	s := newStream(t)
	x := tensor.FromSlice(s, []uint8{0, 200, 255}, 3)
	requireSame(t, array{[]int{3}, []float64{1, 1, 1}}, tensor.LessScalar(x, 256))
	requireSame(t, array{[]int{3}, []float64{1, 1, 1}}, tensor.GreaterScalar(x, -1))
	requireSame(t, array{[]int{3}, []float64{0, 200, 250}}, tensor.Clamp(x, -10, 250))
	requireSame(t, array{[]int{3}, []float64{10, 200, 255}}, tensor.Clamp(x, 10, 300))
	requireMisuse(t, "tensor: add(uint8(3)): -1 is out of the range of uint8; Cast the tensor", func() { tensor.AddScalar(x, -1) })
	requireMisuse(t, "tensor: mul(int32()): 3e+09 is out of the range of int32; Cast the tensor", func() {
		tensor.MulScalar(tensor.Ones(s, backend.Int32), 3e9)
	})
	requireMisuse(t, "tensor: add(int64()): 9.223372036854776e+18 is out of the range of int64; Cast the tensor", func() {
		tensor.AddScalar(tensor.Ones(s, backend.Int64), 1<<63)
	})
}
