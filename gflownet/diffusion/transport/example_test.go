package transport_test

import (
	"context"
	"fmt"

	"github.com/weir-ml/weir/gflownet/diffusion/transport"
)

func ExampleW2() {
	x := []float64{0, 0, 1, 0} // two points in the plane
	y := []float64{1, 3, 0, 3} // the same, three up
	fmt.Println(transport.W2(context.Background(), x, y, 2))
	// Output: 3 <nil>
}
