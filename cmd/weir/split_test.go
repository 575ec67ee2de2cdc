package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/dataset"
	"github.com/weir-ml/weir/train"
)

const faithful = "../../examples/faithful/faithful.csv"

func TestSplitWritesTheRowsOfARun(t *testing.T) {
	for _, end := range []string{".csv", ".npy"} {
		seen, held := filepath.Join(t.TempDir(), "seen"+end), filepath.Join(t.TempDir(), "held"+end)
		r := weir("split", "--data", faithful, "--columns", "waiting", "--seed", "4", "--seen", seen, "--held", held)
		require.Zero(t, r.code, r.stderr)
		require.Equal(t, "245 rows to train on in "+seen+", 27 held out in "+held+"\n", r.stdout)

		wantSeen, wantHeld, err := train.SplitData(train.Config{Data: faithful, Columns: []string{"waiting"}, Seed: 4})
		require.NoError(t, err)
		for path, want := range map[string]*dataset.Table{seen: wantSeen, held: wantHeld} {
			got, err := dataset.Open(path)
			require.NoError(t, err)
			require.Equal(t, want.Data, got.Data)
		}
	}
}

func TestSplitsThatCannotBeAreOneLine(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.csv")
	for want, args := range map[string][]string{
		"--held is x.txt; want a name that ends in .csv": {"--data", faithful, "--seen", out, "--held", "x.txt"},
		"absent.csv":                 {"--data", "absent.csv", "--seen", out, "--held", out + ".npy"},
		`there is no column "depth"`: {"--data", faithful, "--columns", "depth", "--seen", out, "--held", out + ".npy"},
	} {
		r := weir(append([]string{"split"}, args...)...)
		require.NotZero(t, r.code)
		require.Contains(t, r.stderr, want)
		require.Equal(t, 1, strings.Count(r.stderr, "\n"), r.stderr)
		require.NoFileExists(t, out)
	}
}
