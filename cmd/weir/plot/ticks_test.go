package plot

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTicksAreRoundNumbers(t *testing.T) {
	tests := []struct {
		lo, hi float64
		want   []string
	}{
		{0, 2000, []string{"0", "500", "1000", "1500", "2000"}},
		{0, 1999, []string{"0", "500", "1000", "1500"}},
		{-4.3, 4.3, []string{"−4", "−2", "0", "2", "4"}},
		{0.1, 0.16, []string{"0.10", "0.12", "0.14", "0.16"}},
		{112.7, 145.3, []string{"120", "130", "140"}},
		{0, 1e8, []string{"0", "2e+07", "4e+07", "6e+07", "8e+07", "1e+08"}},
		{-2e-6, 2e-6, []string{"−2e−06", "−1e−06", "0", "1e−06", "2e−06"}},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%v to %v", tt.lo, tt.hi), func(t *testing.T) {
			var labels []string
			for _, tick := range (roundTicks{5}).Ticks(tt.lo, tt.hi) {
				labels = append(labels, tick.Label)
				require.True(t, tick.Value >= tt.lo && tick.Value <= tt.hi)
			}
			require.Equal(t, tt.want, labels)
		})
	}
}

func TestTicksOfAnAxisTooFineForItsNumbersEnd(t *testing.T) {
	require.LessOrEqual(t, len(roundTicks{5}.Ticks(1e17, 1e17+16)), 20)
}
