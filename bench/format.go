package bench

import (
	"fmt"
	"math"
)

// FormatTime prints nanoseconds with three digits and a unit: 1.23 ms.
func FormatTime(ns float64) string { return formatSeconds(ns / 1e9) }

// formatSeconds prints a time with three digits and a unit: 1.23 ms.
func formatSeconds(seconds float64) string {
	switch {
	case seconds < 1e-6:
		return threeDigits(seconds*1e9) + " ns"
	case seconds < 1e-3:
		return threeDigits(seconds*1e6) + " µs"
	case seconds < 1:
		return threeDigits(seconds*1e3) + " ms"
	}
	return threeDigits(seconds) + " s"
}

// threeDigits prints at least three significant digits, as 1.23, 12.3, 123 or 1234, so that columns align.
func threeDigits(x float64) string {
	switch {
	case x >= 99.95:
		return fmt.Sprintf("%.0f", x)
	case x >= 9.995:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// Rate prints the rate that the ceiling of the result is one of: 12.3 GB/s, 45.6 GFLOP/s, or nothing if it has none.
func (r *Result) Rate() string {
	switch {
	case r.Ceiling == "fma" && r.GFLOPS > 0:
		return threeDigits(r.GFLOPS) + " GFLOP/s"
	case r.Ceiling == "triad" && r.GBPS > 0:
		return threeDigits(r.GBPS) + " GB/s"
	}
	return ""
}

// Share prints the share of the ceiling in percent, or nothing if it has none.
func (r *Result) Share() string {
	if r.CeilingShare == 0 {
		return ""
	}
	if r.CeilingShare < 0.01 {
		return "<1%"
	}
	return fmt.Sprintf("%.0f%%", 100*r.CeilingShare)
}

// FormatRatio prints how many times as fast something is, ×2.34; nothing if it is not a number.
func FormatRatio(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) || x <= 0 {
		return ""
	}
	if x < 0.995 {
		return fmt.Sprintf("×%.2g", x)
	}
	return "×" + threeDigits(x)
}
