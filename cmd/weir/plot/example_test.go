package plot_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/weir-ml/weir/cmd/weir/plot"
)

// The loss of four steps as a picture.
func ExampleLoss() {
	dir, err := os.MkdirTemp("", "plot")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "loss.png")
	train := plot.Curve{Steps: []int{1, 2, 3, 4}, Losses: []float64{9, 5, 4, 3.5}}
	if err := plot.Loss(path, "a run", train); err != nil {
		panic(err)
	}
	file, err := os.Stat(path)
	fmt.Println(file.Size() > 0, err)
	// Output: true <nil>
}
