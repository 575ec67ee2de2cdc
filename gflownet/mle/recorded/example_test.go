package recorded_test

import (
	"fmt"

	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
	"github.com/weir-ml/weir/gflownet/mle/recorded"
	"github.com/weir-ml/weir/tensor"
)

func ExampleOpen() {
	dev, err := tensor.Open("cpu", backend.Options{})
	if err != nil {
		panic(err)
	}
	s, err := dev.NewStream()
	if err != nil {
		panic(err)
	}
	c, err := recorded.Open(s, "../testdata/cases/one_step.safetensors", backend.Float64)
	if err != nil {
		panic(err)
	}
	r, err := c.Run()
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s of log p_F over %d samples agrees: %v\n", r.Reduction, c.Batch.Dim(0), r.LossRelErr < 1e-12)
	fmt.Printf("%d gradients agree: %v\n", len(r.Grads), r.GradRelErr < 1e-12)
	// Output:
	// mean of log p_F over 4 samples agrees: true
	// 13 gradients agree: true
}
