package safetensors

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzRead checks that any bytes are either an error of one short line or a file that is written and read back the same.
func FuzzRead(f *testing.F) {
	recorded, err := os.ReadFile("testdata/one_step.safetensors")
	require.NoError(f, err)
	f.Add(recorded[:4096])
	f.Add(file(`{"__metadata__":{"a":"b"},"w":{"dtype":"BOOL","shape":[2,1],"data_offsets":[0,2]}}`, 2))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := readBytes(b)
		if err != nil {
			requireShortLine(t, err.Error())
			return
		}
		var again bytes.Buffer
		require.NoError(t, Write(&again, got))
		back, err := readBytes(again.Bytes())
		require.NoError(t, err)
		require.Equal(t, got, back)
	})
}
