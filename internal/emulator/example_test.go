package emulator_test

import (
	"fmt"
	"strings"

	"github.com/weir-ml/weir/internal/emulator"
)

func ExampleCommitted() {
	sources, err := emulator.Committed()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.Contains(sources["gpu.h"], "#define KERNEL"))
	// Output: true
}
