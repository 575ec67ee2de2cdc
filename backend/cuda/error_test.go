package cuda

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

func TestErrorsNameTheCallAndTheCode(t *testing.T) {
	tests := []struct {
		err  callError
		want string
		is   error
	}{
		{callError{call: "cuMemAlloc_v2", code: 2, name: "CUDA_ERROR_OUT_OF_MEMORY", text: "out of memory"},
			"cuMemAlloc_v2: CUDA_ERROR_OUT_OF_MEMORY (2): out of memory", backend.ErrOutOfMemory},
		{callError{call: "cuStreamSynchronize", code: 700, name: "CUDA_ERROR_ILLEGAL_ADDRESS"},
			"cuStreamSynchronize: CUDA_ERROR_ILLEGAL_ADDRESS (700)", ErrDeviceLost},
		{callError{call: "cuLaunchKernel", code: 12345}, "cuLaunchKernel: error (12345)", nil},
		{callError{call: "cuModuleLoadDataEx", code: 218, name: "CUDA_ERROR_INVALID_PTX", text: "a PTX JIT compilation failed",
			log: "ptxas application ptx input, line 9; fatal\n  : Parsing error\n"},
			"cuModuleLoadDataEx: CUDA_ERROR_INVALID_PTX (218): a PTX JIT compilation failed: ptxas application ptx input, line 9; fatal : Parsing error", nil},
	}
	for _, test := range tests {
		require.EqualError(t, &test.err, test.want)
		for _, sentinel := range []error{backend.ErrOutOfMemory, ErrDeviceLost} {
			require.Equal(t, sentinel == test.is, errors.Is(&test.err, sentinel), "%v is %v", &test.err, sentinel)
		}
	}
}

func TestPrecisionsHaveNames(t *testing.T) {
	for _, name := range []string{"", "tf32", "3xtf32"} {
		require.NoError(t, checkPrecision(name))
	}
	require.EqualError(t, checkPrecision("f8"), `no precision "f8"; want "tf32", "3xtf32" or, for exact products, none`)
}
