package machine_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/bench/machine"
)

// BenchmarkCeilings is what bench/peers/ceilings.c measures, to be compared with it.
func BenchmarkCeilings(b *testing.B) {
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			var most machine.Ceilings
			for b.Loop() {
				c, err := machine.Measure(context.Background(), workers, machine.Effort{})
				require.NoError(b, err)
				most = most.Best(c)
			}
			b.ReportMetric(most.FMA, "GFLOP/s")
			b.ReportMetric(most.FMA64, "GFLOP64/s")
			b.ReportMetric(most.Triad, "GB/s")
		})
	}
}
