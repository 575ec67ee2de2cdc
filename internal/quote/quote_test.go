package quote

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestShort(t *testing.T) {
	for text, want := range map[string]string{
		"":                        `""`,
		"a\nb\x00":                `"a\nb\x00"`,
		strings.Repeat("a", 80):   `"` + strings.Repeat("a", 80) + `"`,
		strings.Repeat("a", 1000): `"` + strings.Repeat("a", 80) + `"…`,
	} {
		require.Equal(t, want, Short(text))
	}
}
