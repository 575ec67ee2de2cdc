package dirlock_test

import (
	"errors"
	"fmt"
	"os"

	"github.com/weir-ml/weir/internal/dirlock"
)

func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	first, err := dirlock.Acquire(dir)
	if err != nil {
		panic(err)
	}
	_, err = dirlock.Acquire(dir)
	var held *dirlock.HeldError
	fmt.Println(errors.As(err, &held) && held.PID == os.Getpid())
	fmt.Println(first.Release())
	// Output:
	// true
	// <nil>
}
