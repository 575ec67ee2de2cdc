package ptx

import (
	"os"
	"testing"
)

// NeedCompiler returns the version of the compiler. Without one the test is skipped, or fails if the environment variable WEIR_KERNEL_TOOLS is
// "required".
func NeedCompiler(t testing.TB) string {
	t.Helper()
	version, err := Version()
	if err != nil {
		missing(t, err)
	}
	return version
}

// NeedAssembler returns NVIDIA's assembler. Without it the test is skipped or fails, as by [NeedCompiler].
func NeedAssembler(t testing.TB) string {
	t.Helper()
	assembler := Assembler()
	if assembler == "" {
		missing(t, "ptxas is not installed: put it in PATH, or its path in PTXAS")
	}
	return assembler
}

func missing(t testing.TB, why any) {
	t.Helper()
	if os.Getenv("WEIR_KERNEL_TOOLS") == "required" {
		t.Fatal(why)
	}
	t.Skip(why)
}
