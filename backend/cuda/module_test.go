package cuda

import (
	"io/fs"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryKernelIsInOneModule(t *testing.T) {
	m, err := find(nil, "upload")
	require.NoError(t, err)
	require.Equal(t, "kernels/stream.ptx", m.name)
	_, err = find(nil, "cook")
	require.EqualError(t, err, "no kernel cook")
	own := &module{}
	m, err = find(own, "cook")
	require.NoError(t, err)
	require.Same(t, own, m)
}

func TestAFileIsCutIntoItsKernels(t *testing.T) {
	const head, a, b = ".version 7.0\n\n", ".visible .entry a(\n.param .u64 x)\n{\n}\n", ".visible .entry b_1(\n)\n{\n}\n"
	require.Equal(t, map[string]*module{
		"a": {name: "f.ptx", head: head, text: a}, "b_1": {name: "f.ptx", head: head, text: b},
	}, cutKernels("f.ptx", head+a+b))
	require.Empty(t, cutKernels("f.ptx", head))
}

// definedOutside is what a kernel would miss if it lay between others: cutting keeps what is before the first.
var definedOutside = regexp.MustCompile(`(?m)^(\.visible |\.weak |\.extern )*\.(func|const|global|shared|entry)\b`)

func TestWhatKernelsShareIsBeforeTheFirst(t *testing.T) {
	modules, err := committedModules()
	require.NoError(t, err)
	bytes := map[string]int{}
	for kernel, m := range modules {
		require.Len(t, definedOutside.FindAllString(m.text, -1), 1, "%s of %s", kernel, m.name)
		require.Contains(t, m.head, ".target sm_80")
		bytes[m.name] += len(m.text)
	}
	for name, n := range bytes {
		whole, err := fs.ReadFile(committed, name)
		require.NoError(t, err)
		for _, m := range modules {
			if m.name == name {
				require.Equal(t, len(whole), len(m.head)+n, name)
				break
			}
		}
	}
}
