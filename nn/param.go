package nn

import (
	"fmt"
	"slices"

	"github.com/weir-ml/weir/tensor"
)

// Param is a tensor with a name: a weight, a buffer, or a piece of an optimiser's state.
type Param struct {
	Name  string
	Value *tensor.Tensor
}

// Module is anything with trainable parameters.
type Module interface {
	// Params returns the parameters in a fixed order, under names that do not repeat.
	Params() []Param
}

// Buffers returns what m saves with its parameters but does not train, like the frequencies of an encoding: what its method Buffers returns,
// or nothing if it has none.
func Buffers(m Module) []Param {
	if b, ok := m.(interface{ Buffers() []Param }); ok {
		return b.Buffers()
	}
	return nil
}

// given returns the params that have a value.
func given(params ...Param) []Param {
	return slices.DeleteFunc(params, func(p Param) bool { return p.Value == nil })
}

// Prefix returns params with "prefix." before every name.
func Prefix(prefix string, params []Param) []Param {
	named := make([]Param, len(params))
	for i, p := range params {
		named[i] = Param{prefix + "." + p.Name, p.Value}
	}
	return named
}

// Count returns the number of elements of all params.
func Count(params []Param) int {
	n := 0
	for _, p := range params {
		n += p.Value.Len()
	}
	return n
}

// Copy overwrites each tensor of dst with the one of the same name in src, cast to its dtype. Names and shapes must agree, apart
// from the order, and all lie on one stream; otherwise nothing is overwritten. The error names the first that does not.
func Copy(dst, src []Param) error {
	from, err := match(dst, src)
	if err != nil {
		return err
	}
	for i, p := range dst {
		tensor.CopyInto(p.Value, from[i])
	}
	return nil
}

// match returns for each of dst the tensor of the same name in src.
func match(dst, src []Param) ([]*tensor.Tensor, error) {
	byName := make(map[string]*tensor.Tensor, len(src))
	for _, p := range src {
		if byName[p.Name] != nil {
			return nil, fmt.Errorf("nn: %s is given twice", p.Name)
		}
		byName[p.Name] = p.Value
	}
	from := make([]*tensor.Tensor, len(dst))
	for i, p := range dst {
		x, ok := byName[p.Name]
		switch {
		case !ok:
			return nil, fmt.Errorf("nn: %s is missing", p.Name)
		case !slices.Equal(x.Shape(), p.Value.Shape()):
			return nil, fmt.Errorf("nn: %s has shape %v; want %v", p.Name, x.Shape(), p.Value.Shape())
		case p.Value.Stream() == nil:
			return nil, fmt.Errorf("nn: %s is frozen; want a tensor that can be written", p.Name)
		case x.Stream() != nil && x.Stream() != p.Value.Stream():
			return nil, fmt.Errorf("nn: %s belongs to another stream; want one of the same stream, or a frozen one", p.Name)
		}
		from[i] = x
		delete(byName, p.Name)
	}
	for _, p := range src {
		if byName[p.Name] != nil {
			return nil, fmt.Errorf("nn: %s is not a parameter here", p.Name)
		}
	}
	return from, nil
}
