package toybackend_test

import (
	"context"
	"fmt"
	"log"
	"testing"
	"time"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/backend/backendtest"
	"github.com/weir-ml/weir/bench"
	_ "github.com/weir-ml/weir/examples/toybackend"
)

func TestConformance(t *testing.T) {
	backendtest.Run(t, func() (backend.Device, error) { return backend.Open("toy", backend.Options{}) })
}

// The suites that compare Weir's own backends, on the toy.
func Example_speed() {
	dev, err := backend.Open("toy", backend.Options{})
	if err != nil {
		log.Fatal(err)
	}
	report, err := bench.Run(context.Background(), []backend.Device{dev}, bench.Options{Size: bench.Small, Budget: time.Millisecond, Passes: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(report.Results) > 70, report.Refused)
	// Output: true []
}
