package machine

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestProcessorNamesFamilyAndModel(t *testing.T) {
	require.Equal(t, "A CPU, family 6, model 167", processor("processor : 0\ncpu family\t: 6\nmodel\t\t: 167\nmodel name\t: A CPU\n"))
	require.Equal(t, "A CPU", processor("model name : A CPU\n"))
	require.Empty(t, processor("BogoMIPS : 50\n"))
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{"48K": 48 << 10, "2048K": 2 << 20, "24639012k": 24639012 << 10, "32M": 32 << 20, "512": 512, "": 0, "many": 0} {
		require.Equal(t, want, size(text), text)
	}
}
