package bench_test

import (
	"context"
	"fmt"
	"log"
	"regexp"
	"time"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/bench"
	"github.com/weir-ml/weir/bench/machine"
)

func Example() {
	dev, err := backend.Open("cpu", backend.Options{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer dev.Close()
	report, err := bench.Run(context.Background(), []backend.Device{dev}, bench.Options{
		Suites: []string{"ops"}, Filter: regexp.MustCompile("/exp/"), Size: bench.Small, Budget: time.Millisecond, Ceilings: machine.Effort{Elements: 1 << 16, Sample: time.Millisecond},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range report.Results {
		fmt.Println(r.Name, r.Backend, r.Median > 0, r.CeilingShare > 0)
	}
	// Output: ops/exp/float32/5x10x64 cpu true true
}
