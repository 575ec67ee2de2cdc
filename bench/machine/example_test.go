package machine_test

import (
	"context"
	"fmt"
	"log"

	"github.com/weir-ml/weir/bench/machine"
)

func Example() {
	ceilings, err := machine.Measure(context.Background(), 1, machine.Effort{Elements: 1 << 16, Repeats: 1})
	if err != nil {
		log.Fatal(err)
	}
	share := func(gflops float64) float64 { return gflops / ceilings.FMA }
	fmt.Println(share(ceilings.FMA), "of the peak")
	// Output: 1 of the peak
}
