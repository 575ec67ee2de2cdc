package tensor

import (
	"fmt"
	"strings"
)

// printEdge is how many elements String shows at each end of a long axis.
const printEdge = 3

// String prints the dtype, the shape and the elements, long axes elided: float32(2, 3)[[1 2 3] [4 5 6]]. A tensor that cannot be
// read prints why.
func (t *Tensor) String() string {
	head := t.view.DType.String() + shapeText(t.Shape())
	if t.block.released {
		return head + "[released]"
	}
	if t.stream == nil {
		return head + "[frozen]"
	}
	values, err := t.Float64s()
	if err != nil {
		return head + "[" + err.Error() + "]"
	}
	var b strings.Builder
	b.WriteString(head)
	printAxis(&b, values, t.Shape())
	return b.String()
}

func printAxis(b *strings.Builder, values []float64, shape []int) {
	if len(shape) == 0 {
		fmt.Fprintf(b, "%.6g", values[0])
		return
	}
	n := shape[0]
	b.WriteByte('[')
	for i := 0; i < n; i++ {
		if i > 0 {
			b.WriteByte(' ')
		}
		if i == printEdge && n > 2*printEdge {
			b.WriteString("…")
			i = n - printEdge - 1
			continue
		}
		step := len(values) / n
		printAxis(b, values[i*step:(i+1)*step], shape[1:])
	}
	b.WriteByte(']')
}
