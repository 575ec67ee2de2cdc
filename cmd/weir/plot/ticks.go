package plot

import (
	"math"
	"strconv"
	"strings"

	gonum "gonum.org/v1/plot"
)

// roundTicks places a tick at every multiple of 1, 2 or 5 times a power of ten, about count of them.
type roundTicks struct{ count int }

// Ticks implements gonum's Ticker.
func (r roundTicks) Ticks(lo, hi float64) []gonum.Tick {
	step := roundStep((hi - lo) / float64(r.count))
	var ticks []gonum.Tick
	for k := range 4 * r.count {
		value := (math.Ceil(lo/step) + float64(k)) * step
		if value > hi {
			break
		}
		ticks = append(ticks, gonum.Tick{Value: value, Label: tickLabel(value, step)})
	}
	return ticks
}

// roundStep returns the least 1, 2 or 5 times a power of ten that is at least x.
func roundStep(x float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, f := range []float64{1, 2, 5} {
		if f*power >= x {
			return f * power
		}
	}
	return 10 * power
}

// tickLabel prints value with the decimals that step needs, and minus signs in place of hyphens.
func tickLabel(value, step float64) string {
	decimals := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	label := strconv.FormatFloat(value, 'f', decimals, 64)
	if largest := max(math.Abs(value), step); largest >= 1e7 || decimals > 4 {
		label = strconv.FormatFloat(value, 'g', 6, 64)
	}
	if value == 0 {
		label = "0"
	}
	return strings.ReplaceAll(label, "-", "−")
}
