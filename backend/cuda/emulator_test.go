//go:build cgo && linux && (amd64 || arm64)

package cuda

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/internal/emulator"
)

// wrong is laid out as Wrong in testdata/wrong.cu.
type wrong struct {
	address uint64
	bytes   uint64
}

// mistakes are what kernels of testdata/wrong.cu do with memory of so many bytes, and what the emulated driver says of it.
var mistakes = []struct {
	kernel         string
	bytes          int
	threads        uint32
	shared         uint32
	parameterBytes int // by the PTX
	setting        string
	want           string
}{
	{kernel: "reads_beyond", bytes: 4096, want: "touched byte 4096 of an allocation of 4096 bytes"},
	{kernel: "reads_before", bytes: 4096, want: "CUDA_ERROR_ILLEGAL_ADDRESS (700)"},
	{kernel: "writes_beyond", bytes: 100, want: "writes_beyond: wrote beyond an allocation of 100 bytes"},
	{kernel: "reads_nothing", bytes: 4, want: "touched address 0x10, which was never allocated"},
	{kernel: "misaligned", bytes: 64, want: "CUDA_ERROR_MISALIGNED_ADDRESS (716)"},
	{kernel: "beyond_shared_index", bytes: 4, want: "used an index or an alignment that its types do not allow"},
	{kernel: "beyond_shared_pointer", bytes: 4, want: "beyond_shared_pointer: wrote beyond a shared array"},
	{kernel: "beyond_dynamic_shared", bytes: 1024, shared: 1024, want: "never allocated"},
	{kernel: "half_a_barrier", bytes: 4, want: "16 threads wait at sync of line"},
	{kernel: "two_barriers", bytes: 4, want: "while others of its block wait at sync of line"},
	{kernel: "part_of_a_warp", bytes: 4, threads: 20, want: "a block of 20 threads has warps that are not whole"},
	{kernel: "copies_misaligned", bytes: 64, want: "copies 16 bytes asynchronously between addresses that are not aligned so"},
	{kernel: "copies_to_global", bytes: 64, want: "copies asynchronously to what is not shared memory"},
	{kernel: "right", bytes: 64, threads: 2048, want: "CUDA_ERROR_INVALID_VALUE (1)"},
	{kernel: "right", bytes: 64, shared: 300 << 10, want: "CUDA_ERROR_INVALID_VALUE (1)"},
	{kernel: "right", bytes: 64, parameterBytes: 24, want: "right takes 24 bytes here and 16 on the host"},
	{kernel: "unknown", bytes: 64, want: "error: the emulator does not know the instruction 'trap'"},
	{kernel: "right", bytes: 64, setting: "FAULT_AT=1", want: "right: was told to fail"},
}

// inChild is set in the process that TestTheEmulatorNamesMistakes starts, on a driver that has the wrong kernels.
const inChild = "WEIR_TEST_WRONG_KERNELS"

func TestTheEmulatorNamesMistakes(t *testing.T) {
	emulator.Need(t)
	if !emulator.Active() {
		t.Skip("for the emulated driver")
	}
	if os.Getenv(inChild) != "" {
		for _, m := range mistakes {
			t.Run(fmt.Sprintf("%s %d %d %s", m.kernel, m.threads, m.shared, m.setting), func(t *testing.T) {
				emulate(t, "LEAKS=0", m.setting) // a device that is lost frees nothing
				_, err := runWrong(t, m.kernel, m.bytes, cmp.Or(m.threads, 32), m.shared, cmp.Or(m.parameterBytes, 16))
				require.ErrorContains(t, err, m.want)
			})
		}
		t.Run("nothing wrong", testRight)
		t.Run("poison", testPoison)
		return
	}
	s, err := emulator.Committed()
	require.NoError(t, err)
	text, err := os.ReadFile("testdata/wrong.cu")
	require.NoError(t, err)
	s["wrong.cu"] = string(text)
	driver, err := s.Build()
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), emulator.Variable+"="+driver, inChild+"=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// runWrong runs a kernel of testdata/wrong.cu on memory that holds what nobody has written, and returns what it holds then.
func runWrong(t *testing.T, kernel string, bytes int, threads, shared uint32, parameterBytes int) ([]byte, error) {
	t.Helper()
	d, err := backend.Open("cuda", backend.Options{})
	require.NoError(t, err)
	defer d.Close()
	opened, err := d.NewStream()
	require.NoError(t, err)
	defer opened.Close()
	s := opened.(*stream)
	b, err := d.Alloc(bytes)
	require.NoError(t, err)
	defer d.Free(b)
	text := fmt.Sprintf("%s.visible .entry %s(\n.param .align 8 .b8 p[%d],\n.param .u64 failed\n)\n{\ntrap;\n}\n", ptxHeader, kernel, parameterBytes)
	l := launch{kernel: kernel, module: &module{name: "wrong", text: text}, grid: [3]uint32{1}, block: [3]uint32{threads}, shared: shared}
	s.batch.reset()
	add(&s.batch, l, &wrong{address: uint64(b.Addr), bytes: uint64(bytes)})
	if s.batch.err != nil {
		return nil, s.batch.err
	}
	if err := s.submit(); err != nil {
		return nil, err
	}
	got := make([]byte, bytes)
	return got, s.Download(got, b, 0)
}

func testRight(t *testing.T) {
	emulate(t)
	got, err := runWrong(t, "right", 40, 64, 0, 16)
	require.NoError(t, err)
	for i := range got {
		require.EqualValues(t, i, got[i])
	}
}

// testPoison shows that what has not been waited for, or not been written, is NaN.
func testPoison(t *testing.T) {
	float := func(b []byte, i int) float64 {
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:])))
	}
	emulate(t, "COPIES=lazy")
	got, err := runWrong(t, "does_not_wait", 16, 1, 0, 16)
	require.NoError(t, err)
	require.True(t, math.IsNaN(float(got, 1)))
	for _, order := range []string{"forward", "reverse", "random"} {
		emulate(t, "ORDER="+order)
		got, err := runWrong(t, "no_barrier", 128, 32, 0, 16)
		require.NoError(t, err)
		seen := false
		for i := range 32 {
			seen = seen || math.IsNaN(float(got, i))
		}
		require.True(t, seen, order)
	}
}
