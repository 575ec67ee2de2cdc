package backendtest

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

func TestHonestDevicePasses(t *testing.T) {
	t.Parallel()
	Run(t, func() (backend.Device, error) { return &naive{}, nil })
}

// A device whose sums have another shape keeps the parts of the contract that have no sums.
func TestPartsOfTheContract(t *testing.T) {
	t.Parallel()
	RunParts(t, func() (backend.Device, error) { return &naive{fault: fault{sum: fromTheLeft}}, nil }, "copy", "scan")
}

func TestDevicesThatDisagreeAreCaught(t *testing.T) {
	var violations []string
	report := func(_ *device, v violation) { violations = append(violations, v.text) }
	honest, left := &naive{}, &naive{fault: fault{sum: fromTheLeft}}
	compare := group{"agree", func(s *suite) {
		s.compareDevices(s.reduceCommand(backend.ReduceSum, backend.Float32, []int{20000}, 1, contiguous, contiguous, normals))
	}}
	runGroup(compare, []*device{{dev: honest}, {dev: honest}}, defaults(), t.Name(), report)
	require.Empty(t, violations)
	runGroup(compare, []*device{{dev: honest}, {dev: left}}, defaults(), t.Name(), report)
	require.Len(t, violations, 1)
	require.Contains(t, violations[0], "two devices of one backend differ: destination 0[0]")
}

// TestReferenceKnownValues holds the multiple-precision functions to values computed elsewhere, to 20 digits.
func TestReferenceKnownValues(t *testing.T) {
	tests := []struct {
		op   backend.MapOp
		x, y float64
		want string
	}{
		{backend.Exp, 1, 0, "2.7182818284590452354"},
		{backend.Expm1, 0x1p-60, 0, "8.6736173798840354758e-19"},
		{backend.Log, 2, 0, "0.69314718055994530942"},
		{backend.Log1p, 1, 0, "0.69314718055994530942"},
		{backend.Sin, 1, 0, "0.84147098480789650665"},
		{backend.Cos, 1, 0, "0.5403023058681397174"},
		{backend.Sin, 1e22, 0, "-0.85220084976718880177"},
		{backend.Tanh, 1, 0, "0.76159415595576488812"},
		{backend.Erf, 1, 0, "0.84270079294971486934"},
		{backend.GELU, 1, 0, "0.84134474606854294859"},
		{backend.Sigmoid, 1, 0, "0.73105857863000487925"},
		{backend.Softplus, 1, 0, "1.313261687518222834"},
		{backend.Pow, 2, 0.5, "1.4142135623730950488"},
		{backend.Rsqrt, 2, 0, "0.7071067811865475244"},
		{backend.Atan2, 1, 2, "0.46364760900080611621"},
		{backend.Atan2, -1, -1, "-2.3561944901923449288"},
		{backend.Atan2, 0x1p-1000, 1, "9.3326361850321887899e-302"},
	}
	for _, tt := range tests {
		got := inexact[tt.op].precise(tt.x, tt.y)
		require.Equal(t, tt.want, got.Text('g', 20), "%v(%g)", tt.op, tt.x)
	}
}

// TestReferenceAgreesWithMath compares with package math, which errs by 1e-15 times the exponent at the most.
func TestReferenceAgreesWithMath(t *testing.T) {
	for op, known := range inexact {
		for _, x := range []float64{1e-300, 1e-5, 0.3, 0.7, 1.5, 2, 4.9, 5.1, 6.9, 7.1, 12, 25} {
			for _, x := range []float64{x, -x} {
				want := known.approximate(x, 1.75)
				if math.IsNaN(want) || want == 0 { // outside the domain, or underflow
					continue
				}
				require.InEpsilon(t, want, preciseCached(op, x, 1.75).hi, 1e-12, "%v(%g)", op, x)
			}
		}
	}
}

func TestBitsOf16BitFloats(t *testing.T) {
	for _, d := range []backend.DType{backend.Float16, backend.BFloat16} {
		for bits := range 1 << 16 {
			x := decode16(formats[d], uint16(bits))
			if math.IsNaN(x) {
				continue
			}
			require.Equal(t, uint16(bits), encode16(formats[d], x))
			require.Equal(t, x, round(d, x))
		}
	}
	require.Equal(t, 65504.0, decode16(formats[backend.Float16], 0x7bff))
	require.Equal(t, float64(math.Float32frombits(0x3f81<<16)), decode16(formats[backend.BFloat16], 0x3f81))
}

func TestRounding(t *testing.T) {
	tests := []struct {
		d       backend.DType
		x, want float64
	}{
		{backend.Float16, 65519, 65504},
		{backend.Float16, 65520, math.Inf(1)},
		{backend.Float16, -0x1p-25, math.Copysign(0, -1)},
		{backend.Float16, 0x1.8p-25, 0x1p-24},
		{backend.Float16, 2049, 2048},
		{backend.Float16, 2051, 2052},
		{backend.BFloat16, 257, 256},
		{backend.BFloat16, 259, 260},
		{backend.Float32, 1 + 0x1p-24, 1},
		{backend.Float32, 1 + 0x1.8p-24, 1 + 0x1p-23},
	}
	for _, tt := range tests {
		got := round(tt.d, tt.x)
		require.Equal(t, math.Float64bits(tt.want), math.Float64bits(got), "%v of %g is %g", tt.d, tt.x, got)
	}
}

func TestSumsWithoutRoom(t *testing.T) {
	tests := []struct {
		name  string
		terms []float64
		exact bool
	}{
		{"small integers", []float64{1, 2, 3, -7}, true},
		{"halves and integers", []float64{0.5, 1000, -0.5}, true},
		{"a grid too wide", []float64{1, 0x1p24, 1}, false},
		{"random fractions", []float64{0.1, 0.2}, false},
		{"one infinity", []float64{1, math.Inf(1)}, true},
		{"nothing", nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s sum
			for _, x := range tt.terms {
				s.add(x)
			}
			require.Equal(t, tt.exact, s.expect(backend.Float32, 10).slack == 0)
		})
	}
}

func TestInstructionsOnEdges(t *testing.T) {
	nan, inf, minus0 := math.NaN(), math.Inf(1), math.Copysign(0, -1)
	floats := []struct {
		op         backend.MapOp
		x, y, want float64
	}{
		{backend.Min, 0, minus0, minus0}, {backend.Min, minus0, 0, minus0}, {backend.Max, minus0, 0, 0}, {backend.Max, 0, minus0, 0},
		{backend.Max, 1, nan, nan}, {backend.Min, nan, -inf, nan}, {backend.Mod, -7, 3, 2}, {backend.Mod, 7, -3, -2}, {backend.Mod, 1, 0, nan},
		{backend.Sign, minus0, 0, 0}, {backend.Sign, nan, 0, nan}, {backend.Round, 2.5, 0, 2}, {backend.Round, -0.5, 0, minus0},
	}
	for _, tt := range floats {
		got := onFloats(tt.op, tt.x, tt.y)
		require.Truef(t, exact(scalar{f: tt.want}).accepts(backend.Float64, scalar{f: got}), "%v(%g, %g) = %g; want %g", tt.op, tt.x, tt.y, got, tt.want)
	}
	integers := []struct {
		op         backend.MapOp
		x, y, want int64
	}{
		{backend.Div, -7, 2, -3}, {backend.Div, 7, 0, 0}, {backend.Div, math.MinInt64, -1, math.MinInt64}, {backend.Mod, -7, 3, 2}, {backend.Mod, 7, -3, -2},
		{backend.Mod, 5, 0, 0}, {backend.Pow, 2, 10, 1024}, {backend.Pow, 2, -1, 0}, {backend.Pow, -1, -3, -1}, {backend.Pow, 0, 0, 1}, {backend.Abs, math.MinInt64, 0, math.MinInt64},
	}
	for _, tt := range integers {
		require.Equal(t, tt.want, onIntegers(tt.op, tt.x, tt.y), "%v(%d, %d)", tt.op, tt.x, tt.y)
	}
}
