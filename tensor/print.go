package tensor

import (
	"strconv"
	"strings"

	"github.com/weir-ml/weir/backend"
)

// printEdge is how many elements String shows at each end of a long axis.
const printEdge = 3

// String prints the dtype, the shape and the elements, long axes elided: float32(2, 3)[[1 2 3] [4 5 6]]. Floats have six significant digits. A
// tensor that cannot be read prints why.
func (t *Tensor) String() string {
	head := t.view.DType.String() + shapeText(t.Shape())
	if t.block.released {
		return head + "[released]"
	}
	if t.stream == nil {
		return head + "[frozen]"
	}
	element, err := t.texts()
	if err != nil {
		return head + "[" + err.Error() + "]"
	}
	var b strings.Builder
	b.WriteString(head)
	printAxis(&b, element, 0, t.Shape())
	return b.String()
}

// texts returns the text of each element by its row-major index.
func (t *Tensor) texts() (func(i int) string, error) {
	switch d := t.DType(); {
	case d == backend.Bool:
		values, err := ToSlice[bool](t)
		return func(i int) string { return strconv.FormatBool(values[i]) }, err
	case d.IsInt():
		values, err := t.int64s()
		return func(i int) string { return strconv.FormatInt(values[i], 10) }, err
	}
	values, err := t.Float64s()
	return func(i int) string { return strconv.FormatFloat(values[i], 'g', 6, 64) }, err
}

func (t *Tensor) int64s() (values []int64, err error) {
	s, err := t.reader()
	if err != nil {
		return nil, err
	}
	s.Scope(func() { values, err = ToSlice[int64](Cast(t, backend.Int64)) })
	return values, err
}

// printAxis prints the elements of a shape that begin at index at.
func printAxis(b *strings.Builder, element func(i int) string, at int, shape []int) {
	if len(shape) == 0 {
		b.WriteString(element(at))
		return
	}
	n, step := shape[0], size(shape[1:])
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
		printAxis(b, element, at+i*step, shape[1:])
	}
	b.WriteByte(']')
}
