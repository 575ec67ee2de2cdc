package backend

import "fmt"

// DType is the type of an element.
type DType uint8

// The element types. Bool is one byte, 0 or 1.
const (
	Invalid DType = iota
	Bool
	Uint8
	Int32
	Int64
	Float16
	BFloat16
	Float32
	Float64
	numDTypes
)

var dtypes = [numDTypes]struct {
	name string
	size int
}{
	Invalid:  {"invalid", 0},
	Bool:     {"bool", 1},
	Uint8:    {"uint8", 1},
	Int32:    {"int32", 4},
	Int64:    {"int64", 8},
	Float16:  {"float16", 2},
	BFloat16: {"bfloat16", 2},
	Float32:  {"float32", 4},
	Float64:  {"float64", 8},
}

// DTypes returns every valid element type.
func DTypes() []DType {
	return []DType{Bool, Uint8, Int32, Int64, Float16, BFloat16, Float32, Float64}
}

// Size returns the bytes an element takes.
func (d DType) Size() int { return dtypes[d.known()].size }

// String returns the NumPy name of the type.
func (d DType) String() string { return dtypes[d.known()].name }

// IsFloat reports whether d is one of the four floating-point types.
func (d DType) IsFloat() bool { return d >= Float16 && d <= Float64 }

// IsInt reports whether d is an integer type; Bool is not one.
func (d DType) IsInt() bool { return d >= Uint8 && d <= Int64 }

func (d DType) known() DType {
	if d >= numDTypes {
		return Invalid
	}
	return d
}

// ParseDType returns the type of that NumPy name. Another name is an error.
func ParseDType(name string) (DType, error) {
	for _, d := range DTypes() {
		if d.String() == name {
			return d, nil
		}
	}
	return Invalid, fmt.Errorf("unknown dtype %q; want one of %v", name, DTypes())
}
