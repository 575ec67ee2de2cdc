package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAFileInUseIsNotWrittenOver(t *testing.T) {
	run := trainTiny(t)
	table := writeFile(t, "table.csv", "x\n1\n2\n3\n")
	link := filepath.Join(t.TempDir(), "link.csv")
	require.NoError(t, os.Symlink(table, link))
	other := filepath.Join(t.TempDir(), "other.csv")
	best := filepath.Join(run, "best.safetensors")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"one file for both parts":      {[]string{"split", "--data", table, "--seen", other, "--held", other}, "--seen and --held are both"},
		"the table":                    {[]string{"split", "--data", table, "--seen", table, "--held", other}, "--seen is " + table + ", which would be lost"},
		"the table by a symbolic link": {[]string{"split", "--data", table, "--seen", other, "--held", link}, "--held is " + link + ", which would be lost"},
		"two tables on stdout":         {[]string{"split", "--data", table, "--seen", "-", "--held", "-"}, "--seen is -, and stdout is for one table"},
		"a checkpoint, by export":      {[]string{"export", "--from", run, "--out", latest(run)}, "which would be lost"},
		"the best, by sample":          {[]string{"sample", "--from", run, "--out", best}, "which would be lost"},
		"the metrics, by eval":         {[]string{"eval", "--from", run, "--out", filepath.Join(run, "metrics.jsonl")}, "which would be lost"},
		"a case, by its gradients":     {[]string{"loss", "--case", table, "--grads", table}, "--grads is " + table + ", which would be lost"},
		"one file for two reports":     {[]string{"bench", "--json", other, "--html", other}, "--json and --html are both"},
	} {
		t.Run(name, func(t *testing.T) {
			before := contents(t, run, filepath.Dir(table))
			r := weir(c.args...)
			require.Equal(t, exitUsage, r.code, r.stderr)
			require.Contains(t, r.stderr, c.want)
			require.Equal(t, 1, strings.Count(r.stderr, "\n"), r.stderr)
			require.Equal(t, before, contents(t, run, filepath.Dir(table)))
			require.NoFileExists(t, other)
		})
	}
}

// contents returns the files of directories.
func contents(t *testing.T, dirs ...string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, entry := range entries {
			path := filepath.Join(dir, entry.Name())
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			files[path] = string(text)
		}
	}
	return files
}

func TestReportsThatCannotBeWrittenFailBeforeTheyAreComputed(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent")
	r := weir("bench", "--suite", "matmul", "--json", filepath.Join(absent, "report.json"))
	require.Equal(t, exitFailure, r.code)
	require.Equal(t, "weir: create "+filepath.Join(absent, "report.json")+": no such file or directory\n", r.stderr)
	require.Empty(t, r.stdout)

	r = weir("eval", "--from", trainTiny(t), "--out", t.TempDir())
	require.Equal(t, exitFailure, r.code)
	require.Contains(t, r.stderr, "is a directory")
}

func TestExportWantsItsOwnEnding(t *testing.T) {
	r := weir("export", "--from", "anywhere", "--out", "weights.pt")
	require.Equal(t, exitUsage, r.code)
	require.Equal(t, "weir: --out is weights.pt; want a name that ends in .safetensors\n", r.stderr)
}

func TestAReportThatFailsSaysThatTheRunIsSaved(t *testing.T) {
	dir := trainTiny(t)
	picture := runDir(dir).samples()
	require.NoError(t, os.Remove(picture))
	require.NoError(t, os.Mkdir(picture, 0o755))
	r := weir("train", "--resume", dir, "--steps", "9", "--eval-samples", "40")
	require.Equal(t, exitFailure, r.code)
	require.Contains(t, r.stderr, "; the run itself is saved: weir eval --from "+dir+" reports on it\n")
	require.Equal(t, filepath.Join(dir, "checkpoint-00000009.safetensors"), latest(dir))
}
