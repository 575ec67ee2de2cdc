package tensorio

import (
	"encoding/binary"
	"fmt"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/internal/quote"
)

// Float16 is the bits of an IEEE 754 half-precision number.
type Float16 uint16

// BFloat16 is the upper half of the bits of a float32.
type BFloat16 uint16

// Element is the Go types of the elements, one for each dtype.
type Element interface {
	bool | uint8 | int32 | int64 | Float16 | BFloat16 | float32 | float64
}

func dtypeOf[T Element]() backend.DType {
	switch any(*new(T)).(type) {
	case bool:
		return backend.Bool
	case uint8:
		return backend.Uint8
	case int32:
		return backend.Int32
	case int64:
		return backend.Int64
	case Float16:
		return backend.Float16
	case BFloat16:
		return backend.BFloat16
	case float32:
		return backend.Float32
	}
	return backend.Float64
}

// NewEntry returns a tensor of the dtype that belongs to T, holding a copy of values in row-major order. A shape with another
// number of elements is an error.
func NewEntry[T Element](name string, shape []int, values []T) (Entry, error) {
	d := dtypeOf[T]()
	if size, ok := ByteSize(d, shape); !ok || size != len(values)*d.Size() {
		return Entry{}, fmt.Errorf("tensorio: tensor %s: %d values do not fill %s", quote.Short(name), len(values), TypeAndShape(d, shape))
	}
	data := make([]byte, 0, len(values)*d.Size())
	switch v := any(values).(type) {
	case []Float16:
		data = append16(data, v)
	case []BFloat16:
		data = append16(data, v)
	default:
		var err error
		if data, err = binary.Append(data, binary.LittleEndian, v); err != nil {
			return Entry{}, fmt.Errorf("tensorio: tensor %s: %w", quote.Short(name), err)
		}
	}
	return Entry{Name: name, DType: d, Shape: append([]int{}, shape...), Data: data}, nil
}

// Values returns a copy of the elements in row-major order. It does not convert: T must be the type of the tensor's dtype.
// Another dtype, and data that does not fill the shape, are errors.
func Values[T Element](e Entry) ([]T, error) {
	d := dtypeOf[T]()
	if e.DType != d {
		return nil, fmt.Errorf("tensorio: tensor %s is %v; want %v", quote.Short(e.Name), e.DType, d)
	}
	if err := e.Check(); err != nil {
		return nil, fmt.Errorf("tensorio: tensor %s: %w", quote.Short(e.Name), err)
	}
	values := make([]T, len(e.Data)/d.Size())
	switch v := any(values).(type) {
	case []Float16:
		decode16(v, e.Data)
	case []BFloat16:
		decode16(v, e.Data)
	default:
		if _, err := binary.Decode(e.Data, binary.LittleEndian, v); err != nil {
			return nil, fmt.Errorf("tensorio: tensor %s: %w", quote.Short(e.Name), err)
		}
	}
	return values, nil
}

// encoding/binary knows slices of basic types; others it takes one by one, through reflection.

func append16[T ~uint16](data []byte, values []T) []byte {
	for _, v := range values {
		data = binary.LittleEndian.AppendUint16(data, uint16(v))
	}
	return data
}

func decode16[T ~uint16](values []T, data []byte) {
	for i := range values {
		values[i] = T(binary.LittleEndian.Uint16(data[2*i:]))
	}
}
