package tensor

import (
	"fmt"
	"strings"

	"github.com/weir-ml/weir/backend"
)

// Error is the panic value of misuse: operands that do not fit, a tensor used after its release, memory that ran out. Functions
// that return an error turn it into one with [Catch].
type Error struct {
	Op       string    // the operation, like "matmul"
	Operands []Operand // what it was given
	Reason   string    // what is wrong and what was expected
	Err      error     // the cause, if there is one

	ended bool // a context has ended the operation
}

// Operand describes a tensor in an Error.
type Operand struct {
	DType backend.DType
	Shape []int
}

// Error returns one line: tensor: matmul(float32(3, 4), float32(5, 6)): inner dimensions 4 and 5 differ.
func (e *Error) Error() string {
	operands := make([]string, len(e.Operands))
	for i, o := range e.Operands {
		operands[i] = fmt.Sprintf("%v%s", o.DType, shapeText(o.Shape))
	}
	text := "tensor: " + e.Op
	if len(operands) > 0 {
		text += "(" + strings.Join(operands, ", ") + ")"
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause. It returns nil where the error has no cause.
func (e *Error) Unwrap() error { return e.Err }

// Catch stores a panic of type *Error in *err, and lets every other panic through:
//
//	func Fit(x *tensor.Tensor) (err error) {
//		defer tensor.Catch(&err)
//		…
//	}
func Catch(err *error) {
	switch r := recover().(type) {
	case nil:
	case *Error:
		*err = r
	default:
		panic(r)
	}
}

// Fail panics with an *Error about the operation op on those operands. It is for packages that add operations.
func Fail(op string, operands []*Tensor, format string, args ...any) {
	e := &Error{Op: op, Reason: fmt.Sprintf(format, args...)}
	for _, x := range operands {
		if x != nil {
			e.Operands = append(e.Operands, Operand{x.DType(), append([]int(nil), x.Shape()...)})
		}
	}
	panic(e)
}

func shapeText(shape []int) string {
	texts := make([]string, len(shape))
	for i, n := range shape {
		texts[i] = fmt.Sprint(n)
	}
	return "(" + strings.Join(texts, ", ") + ")"
}
