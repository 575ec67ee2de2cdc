package train_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/bench"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/train"
)

// configOf returns the run of that size: on the default target, or on as many columns of numbers where it has other dimensions.
func configOf(b *testing.B, z bench.StepSize) train.Config {
	c := train.Config{
		Batch: z.Batch, Process: diffusion.Process{NumSteps: z.Steps},
		Net: diffusion.NetConfig{Harmonics: 64, Embed: bench.StepEmbedding, Hidden: z.Hidden, JointLayers: z.Layers},
	}
	if z.LearnMean {
		c.LearnPB = train.LearnPBMean
	}
	if z.Dim != 2 {
		c.Data = normalColumns(b, 1000, z.Dim)
	}
	return c
}

// normalColumns writes a table of normal numbers and returns its path.
func normalColumns(b *testing.B, rows, columns int) string {
	rng := rand.New(rand.NewPCG(1, 2))
	var table strings.Builder
	for row := range rows + 1 {
		for column := range columns {
			if column > 0 {
				table.WriteByte(',')
			}
			if row == 0 {
				fmt.Fprintf(&table, "x%d", column)
			} else {
				fmt.Fprintf(&table, "%.6f", rng.NormFloat64())
			}
		}
		table.WriteByte('\n')
	}
	path := filepath.Join(b.TempDir(), "normal.csv")
	require.NoError(b, os.WriteFile(path, []byte(table.String()), 0o600))
	return path
}

// BenchmarkStep is one training step of the flagship: batch, loss, backward, Adam. The GFLOP/s are those of its matrix products alone. GFLOP/op and
// Mgelu/op are what a step cannot do without: at the processor's peak of multiply-adds and 1.5·10⁹ pairs of GELU and derivative a second on each
// core, they take the time that docs/PERFORMANCE.md calls the floor. bench/peers/run.py measures both.
func BenchmarkStep(b *testing.B) {
	for _, size := range []bench.StepSize{
		{Batch: 32, Steps: 100, Dim: 2, Hidden: 64, Layers: 2},
		{Batch: 64, Steps: 64, Dim: 2, Hidden: 64, Layers: 2},
		{Batch: 500, Steps: 100, Dim: 2, Hidden: 64, Layers: 2},
		{Batch: 4096, Steps: 100, Dim: 2, Hidden: 64, Layers: 2},
		{Batch: 500, Steps: 100, Dim: 32, Hidden: 256, Layers: 4},
		{Batch: 500, Steps: 100, Dim: 2, Hidden: 64, Layers: 2, LearnMean: true},
	} {
		for _, on := range testdevice.Backends(b) {
			for _, workers := range []int{1, 2} {
				b.Run(fmt.Sprintf("%v/%s/workers=%d", size, on, workers), func(b *testing.B) {
					e, err := train.NewExperiment(testdevice.On(b, on, workers), configOf(b, size))
					require.NoError(b, err)
					benchmarkSteps(b, e)
					b.ReportMetric(size.Flops()*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
					b.ReportMetric(size.Flops()/1e9, "GFLOP/op")
					b.ReportMetric(size.GELUs()/1e6, "Mgelu/op")
				})
			}
		}
	}
}

// BenchmarkEagerStep is BenchmarkStep without a recording: each operation is asked for anew.
func BenchmarkEagerStep(b *testing.B) {
	for _, on := range testdevice.Backends(b) {
		b.Run("B64_T64_d2_h64_L2/"+on+"/workers=1", func(b *testing.B) {
			e, err := train.NewExperiment(testdevice.On(b, on, 1), train.Config{Batch: 64, Process: diffusion.Process{NumSteps: 64}})
			require.NoError(b, err)
			e.Trainer.Eager = true
			benchmarkSteps(b, e)
		})
	}
}

// BenchmarkFirstStep is what a run does before it reports for the first time: the experiment is made, and a step recorded, arranged and executed. It is
// what a user waits for after pressing return.
func BenchmarkFirstStep(b *testing.B) {
	for _, size := range []bench.StepSize{
		{Batch: 64, Steps: 64, Dim: 2, Hidden: 64, Layers: 2},
		{Batch: 500, Steps: 100, Dim: 32, Hidden: 256, Layers: 4},
		{Batch: 64, Steps: 100, Dim: 2, Hidden: 64, Layers: 2, LearnMean: true},
	} {
		for _, on := range testdevice.Backends(b) {
			b.Run(fmt.Sprintf("%v/%s", size, on), func(b *testing.B) {
				s, c := testdevice.On(b, on, 1), configOf(b, size)
				for b.Loop() {
					e, err := train.NewExperiment(s, c)
					require.NoError(b, err)
					require.NoError(b, e.Trainer.Run(b.Context(), 1, nil))
				}
			})
		}
	}
}

// benchmarkSteps times b.N steps after two: one that records and one that warms up. What the end of a run costs is not part of a step.
func benchmarkSteps(b *testing.B, e *train.Experiment) {
	const warm = 2
	b.ReportAllocs()
	require.NoError(b, e.Trainer.Run(context.Background(), warm+b.N, func(p train.Progress) error {
		switch p.Step {
		case warm:
			b.ResetTimer()
		case warm + b.N:
			b.StopTimer()
		}
		return nil
	}))
}
