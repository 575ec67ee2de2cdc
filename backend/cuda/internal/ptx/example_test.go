package ptx_test

import (
	"fmt"

	"github.com/weir-ml/weir/backend/cuda/internal/ptx"
)

func ExampleVerify() {
	fmt.Println(ptx.Verify(".extern .func (.param .b32 func_retval0) erff"))
	// Output: line 1 calls a function that no module has: .extern .func (.param .b32 func_retval0) erff
}
