package plot

import (
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// ring returns n points of d columns around a noisy circle, so that columns depend on one another.
func ring(seed uint64, n, d int, noise float64) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	var rows []float64
	for range n {
		angle := 2 * math.Pi * r.Float64()
		for k := range d {
			rows = append(rows, 3*math.Cos(angle*float64(k/2+1)-math.Pi/2*float64(k%2))+noise*r.NormFloat64())
		}
	}
	return rows
}

// gmm25 returns n points of 25 Gaussians on a grid.
func gmm25(seed uint64, n int, std float64) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	var rows []float64
	for range 2 * n {
		rows = append(rows, float64(r.IntN(5)*5-10)+std*r.NormFloat64())
	}
	return rows
}

func gmm25LogDensity(points []float64) ([]float64, error) {
	values := make([]float64, len(points)/2)
	for i := range values {
		var sum float64
		for mode := range 25 {
			dx, dy := points[2*i]-float64(mode%5*5-10), points[2*i+1]-float64(mode/5*5-10)
			sum += math.Exp(-(dx*dx + dy*dy) / 0.6)
		}
		values[i] = math.Log(sum)
	}
	return values, nil
}

// training returns a curve of n steps that falls from a huge first value.
func training(n int) Curve {
	r := rand.New(rand.NewPCG(7, 1))
	var c Curve
	for i := range n {
		c.Steps = append(c.Steps, i)
		c.Losses = append(c.Losses, 120+1e5*math.Exp(-float64(i)/3)+25*math.Exp(-float64(i)*6/float64(n))+2*r.NormFloat64())
	}
	return c
}

// requireDrawn returns the picture at path, which must be a PNG of the page's size with at least share of its pixels in something like c.
func requireDrawn(t *testing.T, path string, c color.NRGBA, share float64) image.Image {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	img, err := png.Decode(f)
	require.NoError(t, err)
	require.Equal(t, image.Rect(0, 0, 900, 900), img.Bounds())
	require.GreaterOrEqual(t, shareOf(img, c), share)
	return img
}

// shareOf returns the share of pixels on the way from white to c, at least an eighth of it.
func shareOf(img image.Image, c color.NRGBA) float64 {
	hits := 0
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			r, g, b, _ := img.At(x, y).RGBA()
			mixed := func(got uint32, full uint8) float64 { return (255 - float64(got>>8)) / max(255-float64(full), 1) }
			shares := []float64{mixed(r, c.R), mixed(g, c.G), mixed(b, c.B)}
			mean := (shares[0] + shares[1] + shares[2]) / 3
			if mean > 0.125 && math.Abs(shares[0]-mean) < mean/4 && math.Abs(shares[1]-mean) < mean/4 && math.Abs(shares[2]-mean) < mean/4 {
				hits++
			}
		}
	}
	return float64(hits) / float64(img.Bounds().Dx()*img.Bounds().Dy())
}

func TestLossDrawsTheCurve(t *testing.T) {
	path := filepath.Join(t.TempDir(), "loss.png")
	require.NoError(t, Loss(path, "mle on gmm25", training(2000)))
	requireDrawn(t, path, targetColor, 0.01)
	require.NoError(t, Loss(path, "few steps", training(20)))
	requireDrawn(t, path, targetColor, 0.001)
}

func TestLossSurvivesGapsAndSinglePoints(t *testing.T) {
	path := filepath.Join(t.TempDir(), "loss.png")
	nan, inf := math.NaN(), math.Inf(1)
	for name, c := range map[string]Curve{
		"one point": {[]int{5}, []float64{2}},
		"gaps":      {[]int{1, 2, 3, 4, 5}, []float64{nan, 2, inf, 3, 4}},
		"constant":  {[]int{1, 2}, []float64{0, 0}},
		"very long": training(10_000),
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, Loss(path, name, c))
			requireDrawn(t, path, targetColor, 0.0002)
		})
	}
}

func TestBoundDrawsABandOfErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bound.png")
	c := training(20)
	require.NoError(t, Bound(path, "bound", c, constant(20, 3)))
	requireDrawn(t, path, modelColor, 0.005)
	require.NoError(t, Bound(path, "one bound, of one row", Curve{[]int{5}, []float64{2}}, []float64{math.NaN()}))
	requireDrawn(t, path, modelColor, 0.00002)

	require.EqualError(t, Bound(path, "", c, nil), "plot: the held-out bound has 20 values and 0 errors; want as many of each")
	require.EqualError(t, Bound(path, "", Curve{}, nil), "plot: the held-out bound has no finite value")
}

func TestSamplesDrawsTargetAndModel(t *testing.T) {
	far := append(ring(2, 500, 2, 0.3), 1e6, 1e6, math.NaN(), 0)
	tests := []struct {
		name       string
		comparison Comparison
	}{
		{"one column", Comparison{Columns: []string{"x"}, Model: ring(1, 2000, 1, 0.3), Target: ring(2, 2000, 1, 0.2)}},
		{"two columns", Comparison{Columns: []string{"x", "y"}, Model: ring(1, 2000, 2, 0.4), Target: ring(2, 2000, 2, 0.2)}},
		{"three columns", Comparison{Columns: []string{"x", "y", "z"}, Model: ring(1, 500, 3, 0.4), Target: ring(2, 500, 3, 0.2)}},
		{"six columns", Comparison{Columns: make([]string, 6), Model: ring(1, 500, 6, 0.4), Target: ring(2, 500, 6, 0.2)}},
		{"density", Comparison{Columns: []string{"x", "y"}, Model: gmm25(1, 1000, 0.7), LogDensity: gmm25LogDensity}},
		{"points far away", Comparison{Columns: []string{"x", "y"}, Model: far, Target: ring(1, 500, 2, 0.3)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "samples.png")
			tt.comparison.Title = tt.name
			require.NoError(t, Samples(path, tt.comparison))
			requireDrawn(t, path, targetColor, 0.004)
			requireDrawn(t, path, modelColor, 0.004)
		})
	}
}

func TestSamplesWithoutTarget(t *testing.T) {
	path := filepath.Join(t.TempDir(), "samples.png")
	for d := 1; d <= 3; d++ {
		require.NoError(t, Samples(path, Comparison{Columns: make([]string, d), Model: ring(1, 500, d, 0.3)}))
		img := requireDrawn(t, path, modelColor, 0.004)
		require.Zero(t, shareOf(img, targetColor))
	}
}

func TestErrorsLeaveNoFile(t *testing.T) {
	broken := errors.New("broken")
	nan := math.NaN()
	xy := []string{"x", "y"}
	density := func(values []float64, err error) Comparison {
		return Comparison{Columns: xy, Model: []float64{1, 2}, LogDensity: func([]float64) ([]float64, error) { return values, err }}
	}
	curves := []struct {
		name  string
		train Curve
		want  string
	}{
		{"no steps", Curve{}, "plot: the training loss has no finite value"},
		{"all NaN", Curve{[]int{1}, []float64{nan}}, "plot: the training loss has no finite value"},
		{"lengths", Curve{[]int{1, 2}, []float64{1}}, "plot: the training loss has 2 steps and 1 values; want as many of each"},
		{"order", Curve{[]int{2, 2}, []float64{1, 1}}, "plot: the training loss has step 2 after step 2; want them ascending"},
	}
	comparisons := []struct {
		name       string
		comparison Comparison
		want       string
	}{
		{"no columns", Comparison{Model: []float64{1}}, "plot: there are no columns to draw"},
		{"no samples", Comparison{Columns: xy}, "plot: there are no samples to draw"},
		{"model", Comparison{Columns: xy, Model: []float64{1}}, "plot: 1 numbers of the model are no rows of 2 columns"},
		{"target", Comparison{Columns: xy, Model: []float64{1, 2}, Target: []float64{1}}, "plot: 1 numbers of the target are no rows of 2 columns"},
		{"NaN", Comparison{Columns: xy, Model: []float64{1, nan}}, `plot: no sample is finite in column 2 ("y")`},
		{"density fails", density(nil, broken), "plot: log density: broken"},
		{"density is short", density([]float64{1}, nil), "plot: the log density has 1 values at 65536 points"},
		{"density is zero", density(constant(65536, math.Inf(-1)), nil), "plot: the log density is not finite anywhere in the picture, or infinite somewhere"},
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "plot.png")
	for _, tt := range curves {
		t.Run(tt.name, func(t *testing.T) { require.EqualError(t, Loss(path, "", tt.train), tt.want) })
	}
	for _, tt := range comparisons {
		t.Run(tt.name, func(t *testing.T) { require.EqualError(t, Samples(path, tt.comparison), tt.want) })
	}
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, files)

	require.ErrorIs(t, Loss(filepath.Join(dir, "none", "plot.png"), "", training(5)), os.ErrNotExist)
}

func constant(n int, value float64) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = value
	}
	return values
}
