package cuda_test

import (
	"fmt"

	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
	_ "github.com/weir-ml/weir/backend/cuda"
	"github.com/weir-ml/weir/tensor"
)

// A program that imports the package uses a GPU where it asks for one, and is told why where there is none.
func Example() {
	name := "cuda"
	if d, _ := backend.Lookup(name); d.Available() != nil {
		name = "cpu"
	}
	dev, err := tensor.Open(name, backend.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer dev.Close()
	s, err := dev.NewStream()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	x := tensor.FromSlice(s, []float32{1, 2, 3, 4}, 2, 2)
	fmt.Println(tensor.MatMul(x, x))
	// Output:
	// float32(2, 2)
	// [[ 7 10]
	//  [15 22]]
}
