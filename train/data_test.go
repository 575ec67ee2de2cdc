package train_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/dataset"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/tensorio"
	"github.com/weir-ml/weir/tensorio/npy"
	"github.com/weir-ml/weir/train"
)

// points are 100 rows of two columns on different scales.
var points = func() (rows [][2]float64) {
	for i := range 100 {
		x := math.Mod(float64(i)*math.Phi, 1)
		rows = append(rows, [2]float64{math.Exp(x), 50*x*x + math.Sin(float64(i))})
	}
	return rows
}()

// writeCSV writes rows with a header.
func writeCSV(t *testing.T, rows [][2]float64) (path string) {
	t.Helper()
	var text strings.Builder
	text.WriteString("x,y\n")
	for _, r := range rows {
		fmt.Fprintf(&text, "%v,%v\n", r[0], r[1])
	}
	path = filepath.Join(t.TempDir(), "data.csv")
	require.NoError(t, os.WriteFile(path, []byte(text.String()), 0o600))
	return path
}

func dataRun(path string) train.Config {
	c := smallRun()
	c.Target, c.Data, c.Batch, c.DType.DType = "", path, 32, backend.Float64
	return c
}

func TestDataIsStandardizedByTheRowsSeen(t *testing.T) {
	e := newRun(t, dataRun(writeCSV(t, points)))
	require.Equal(t, []string{"x", "y"}, e.Data.Columns)
	require.Equal(t, 90, e.Data.Train.Rows)
	require.Equal(t, 10, e.Data.Held.Rows)
	require.Equal(t, 1.0, e.Config.Process.Sigma)
	for k := range 2 {
		sum, squares := 0.0, 0.0
		for i := range e.Data.Train.Rows {
			v := e.Data.Train.Data[2*i+k]
			sum, squares = sum+v, squares+v*v
		}
		require.InDelta(t, 0, sum/90, 1e-12)
		require.InDelta(t, 1, squares/90, 1e-12)
	}
}

// In other units, z = a·x + b, standardized data are the same: samples change their units, and bounds shift by log |a| a column, exactly.
func TestUnitsShiftBoundsByTheirScale(t *testing.T) {
	scaled := make([][2]float64, len(points))
	for i, p := range points {
		scaled[i] = [2]float64{4*p[0] - 1, p[1]/8 + 3} // powers of two round nothing
	}
	var reports [2]train.Report
	var samples [2][]float64
	for i, rows := range [][][2]float64{points, scaled} {
		e := newRun(t, dataRun(writeCSV(t, rows)))
		require.NoError(t, stepTo(e, 5))
		var err error
		reports[i], err = e.Evaluate(t.Context(), train.Evaluation{Seed: 1, Samples: 10, Batch: 4})
		require.NoError(t, err)
		samples[i], err = e.Model().Draw(t.Context(), tensor.NewRNG(e.Stream(), 2), 50, 20)
		require.NoError(t, err)
	}
	require.InDelta(t, reports[0].NLLBound.Value+math.Log(4)-math.Log(8), reports[1].NLLBound.Value, 1e-6)
	require.InDelta(t, reports[0].NLLBound.SE, reports[1].NLLBound.SE, 1e-6)
	for i := 0; i < len(samples[0]); i += 2 {
		require.InDelta(t, 4*samples[0][i]-1, samples[1][i], 1e-6)
		require.InDelta(t, samples[0][i+1]/8+3, samples[1][i+1], 1e-6)
	}
}

func TestEvaluateOnData(t *testing.T) {
	e := newRun(t, dataRun(writeCSV(t, points)))
	require.NoError(t, stepTo(e, 5))
	r, err := e.Evaluate(t.Context(), train.Evaluation{Seed: 1, Samples: 500, Batch: 4})
	require.NoError(t, err)
	require.Equal(t, 5, r.Step)
	require.Equal(t, 10, r.N, "every held-out row, and no other")
	require.Nil(t, r.EUBO)
	require.Nil(t, r.ELBO)
	require.Nil(t, r.ESSPercent)
	require.Positive(t, r.NLLBound.SE)
	require.Positive(t, r.W2)
	require.Positive(t, r.W2True)
}

// Rows are often sorted: the first of those held out are not like the others.
func TestTruthIsSpreadOverTheHeldOutRows(t *testing.T) {
	sorted := make([][2]float64, 1000)
	for i := range sorted {
		sorted[i] = [2]float64{float64(i), math.Sqrt(float64(i))}
	}
	e := newRun(t, dataRun(writeCSV(t, sorted)))
	truth, err := e.Truth(nil, 10)
	require.NoError(t, err)
	require.Len(t, truth, 20)
	require.Less(t, truth[0], 100.0)
	require.Greater(t, truth[18], 800.0)
	r, err := e.Evaluate(t.Context(), train.Evaluation{Samples: 2, Batch: 50, Points: 50})
	require.NoError(t, err)
	require.Equal(t, 50, r.Points)
	require.Less(t, r.W2True, 150.0, "the rows seen lie among those held out")
}

func TestSplitDataIsThatOfARun(t *testing.T) {
	c := dataRun(writeCSV(t, points))
	c.Seed = 9
	e := newRun(t, c)
	seen, held, err := train.SplitData(c)
	require.NoError(t, err)
	for _, part := range []struct{ want, got *dataset.Table }{{seen, e.Data.Train}, {held, e.Data.Held}} {
		z, err := e.Data.Standardize.Transform(part.want.Data)
		require.NoError(t, err)
		require.Equal(t, z, part.got.Data)
	}
	large := train.Config{Data: writeNPY(t, 1000), DataMemory: 1000}
	_, _, err = train.SplitData(large)
	require.EqualError(t, err, "train: "+large.Data+" exceeds the data memory of 1000 bytes; raise it")
}

func TestColumnsArePicked(t *testing.T) {
	c := dataRun(writeCSV(t, points))
	c.Columns = []string{"y"}
	e := newRun(t, c)
	require.Equal(t, []string{"y"}, e.Data.Columns)
	require.Equal(t, 1, e.Loss.PF.Dim())

	c.Columns = []string{"z"}
	_, err := train.NewExperiment(testdevice.Stream(t, 1), c)
	require.ErrorContains(t, err, c.Data+": ")
	require.ErrorContains(t, err, `"z"`)
}

// Weights mean nothing under another scale: a run does not continue on data that changed.
func TestChangedDataIsRefused(t *testing.T) {
	data := writeCSV(t, points)
	e := newRun(t, dataRun(data))
	path := filepath.Join(t.TempDir(), "run.safetensors")
	require.NoError(t, e.Save(path))

	moved := writeCSV(t, points)
	_, err := train.OpenExperiment(testdevice.Stream(t, 1), path, func(c *train.Config) { c.Data = moved })
	require.NoError(t, err, "the same data elsewhere")

	other := writeCSV(t, points[1:])
	_, err = train.OpenExperiment(testdevice.Stream(t, 1), path, func(c *train.Config) { c.Data = other })
	require.ErrorContains(t, err, path+": "+other+": the data is not what the run was trained on: column \"x\" is now ")
}

// writeNPY writes n rows of sixteen columns.
func writeNPY(t *testing.T, n int) (path string) {
	t.Helper()
	const d = 16
	values := make([]float32, 0, d*n)
	for i := range n {
		x := math.Mod(float64(i)*math.Phi, 1)
		for c := range d {
			values = append(values, float32(float64(c+1)*math.Exp(x)+math.Sin(float64(i*(c+1)))))
		}
	}
	e, err := tensorio.NewEntry("", []int{n, d}, values)
	require.NoError(t, err)
	path = filepath.Join(t.TempDir(), "data.npy")
	require.NoError(t, npy.WriteFile(path, e))
	return path
}

// Data that exceeds memory is read as the run goes on, in recorded steps too, and a run that is continued goes on in it where it was.
func TestDataLargerThanMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("trains on 24,000 rows, which takes minutes under the race detector")
	}
	c := dataRun(writeNPY(t, 24_000)) // three blocks
	c.DataMemory = 1 << 20
	c.Batch, c.EMA = 2000, 0.9
	const steps = 15 // into the second epoch
	whole := newRun(t, c)
	require.NoError(t, stepTo(whole, steps))
	require.InDelta(t, 20_000, whole.Data.Train.Rows, 500)
	require.InDelta(t, 2400, whole.Data.Held.Rows, 300)

	eager := newRun(t, c)
	eager.Trainer.Eager = true
	require.NoError(t, stepTo(eager, 7))
	path := filepath.Join(t.TempDir(), "run.safetensors")
	require.NoError(t, eager.Save(path))
	again, err := train.OpenExperiment(testdevice.Stream(t, 1), path, nil)
	require.NoError(t, err)
	require.NoError(t, stepTo(again, steps))
	require.Equal(t, weights(t, whole), weights(t, again))

	r, err := again.Evaluate(t.Context(), train.Evaluation{Seed: 1, Samples: 500, Batch: 1000})
	require.NoError(t, err)
	require.Positive(t, r.NLLBound.SE)
}

// One constant column is found only when a file has been read through.
func TestStreamedDataThatCannotBeUsedIsClosed(t *testing.T) {
	const open = "/proc/self/fd"
	if _, err := os.Stat(open); err != nil {
		t.Skip("this system does not list what is open")
	}
	values := make([]float64, 100)
	e, err := tensorio.NewEntry("", []int{50, 2}, values)
	require.NoError(t, err)
	c := dataRun(filepath.Join(t.TempDir(), "constant.npy"))
	require.NoError(t, npy.WriteFile(c.Data, e))
	c.DataMemory = 1
	_, err = train.NewExperiment(testdevice.Stream(t, 1), c)
	require.ErrorContains(t, err, "cannot be standardized")
	files, err := os.ReadDir(open)
	require.NoError(t, err)
	for _, f := range files {
		target, _ := os.Readlink(filepath.Join(open, f.Name())) // some are closed meanwhile
		require.NotEqual(t, c.Data, target)
	}
}

// Streaming is about memory: what is learned agrees with the table's.
func TestStreamedDataIsTheTable(t *testing.T) {
	c := dataRun(writeNPY(t, 20_000))
	inMemory := newRun(t, c)
	c.DataMemory = 1 << 20
	streamed := newRun(t, c)
	for k := range 2 {
		require.InEpsilon(t, inMemory.Data.Standardize.Mean[k], streamed.Data.Standardize.Mean[k], 0.01)
		require.InEpsilon(t, inMemory.Data.Standardize.Std[k], streamed.Data.Standardize.Std[k], 0.01)
	}
	require.Equal(t, inMemory.Data.Columns, streamed.Data.Columns)
	var bounds [2]train.Bound
	for i, e := range []*train.Experiment{inMemory, streamed} {
		require.NoError(t, stepTo(e, 60))
		var err error
		bounds[i], err = e.HeldOutBound(t.Context())
		require.NoError(t, err)
	}
	require.InDelta(t, bounds[0].Bound.Value, bounds[1].Bound.Value, 5*(bounds[0].Bound.SE+bounds[1].Bound.SE))
}

func TestRemarksOnData(t *testing.T) {
	e := newRun(t, dataRun(writeCSV(t, points[:20])))
	require.Len(t, e.Data.Remarks, 1)
	require.Contains(t, e.Data.Remarks[0], "18 rows are few for 2 columns")
}
