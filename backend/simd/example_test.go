package simd_test

import (
	"fmt"

	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
	_ "github.com/weir-ml/weir/backend/simd"
	"github.com/weir-ml/weir/tensor"
)

// With both imported, "" is this backend where the processor has what it needs, and cpu elsewhere.
func Example() {
	device, err := tensor.Open("", backend.Options{})
	if err != nil {
		panic(err)
	}
	s, err := device.NewStream()
	if err != nil {
		panic(err)
	}
	a := tensor.FromSlice(s, []float32{1, 2, 3, 4}, 2, 2)
	b := tensor.FromSlice(s, []float32{5, 6, 7, 8}, 2, 2)
	fmt.Println(tensor.MatMul(a, b))
	// Output:
	// float32(2, 2)
	// [[19 22]
	//  [43 50]]
}
