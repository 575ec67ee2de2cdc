package backend

import "unsafe"

// AsBytes returns the memory of xs. What a buffer holds are the same bytes, in the machine's order.
func AsBytes[T bool | uint8 | int32 | int64 | float32 | float64](xs []T) []byte {
	if len(xs) == 0 {
		return nil
	}
	// A slice of fixed-size numbers is that many bytes, and a byte has no alignment to break.
	return unsafe.Slice((*byte)(unsafe.Pointer(&xs[0])), len(xs)*int(unsafe.Sizeof(xs[0])))
}
