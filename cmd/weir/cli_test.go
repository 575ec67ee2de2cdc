package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/tensorio/safetensors"
	"github.com/weir-ml/weir/train"
)

// tiny are settings of a run that takes a moment.
var tiny = []string{
	"--steps", "6", "--batch", "8", "--num-steps", "4", "--hidden", "8", "--embed", "8", "--harmonics", "4", "--layers", "1",
	"--eval-samples", "40",
}

type result struct {
	code           int
	stdout, stderr string
}

// weir runs a command line in this process.
func weir(args ...string) result {
	var stdout, stderr bytes.Buffer
	code := run(context.Background(), args, &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// trainTiny trains a tiny run in a fresh directory.
func trainTiny(t *testing.T, args ...string) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	r := weir(append(append([]string{"train", "--out", dir}, tiny...), args...)...)
	require.Zero(t, r.code, r.stderr)
	return dir
}

// latest returns the path of the latest checkpoint in dir, or of the one that a run would begin with if there is none.
func latest(dir string) string {
	if paths, err := train.Checkpoints(dir); err == nil && len(paths) > 0 {
		return paths[0]
	}
	return filepath.Join(dir, train.CheckpointName(0))
}

func writeFile(t *testing.T, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

func TestVersionNamesModuleGoAndPlatform(t *testing.T) {
	r := weir("version")
	require.Zero(t, r.code, r.stderr)
	require.Regexp(t, `^weir \S+ `+runtime.Version()+` `+runtime.GOOS+`/`+runtime.GOARCH+`\n$`, r.stdout)
}

func TestBackendsMarksTheDefault(t *testing.T) {
	r := weir("backends")
	require.Zero(t, r.code, r.stderr)
	require.Regexp(t, `(?m)^cpu +pure Go, \d+ workers +yes`, r.stdout)
	require.Equal(t, 1, strings.Count(r.stdout, " default"))
	require.Regexp(t, `(?m)^cuda .* (yes|no: \S.*)$`, r.stdout, "an absent backend says why")
}

func TestHelpShowsTheRealDefaults(t *testing.T) {
	for _, command := range []string{"", "train", "eval", "sample", "loss", "bench", "backends", "version"} {
		r := weir(strings.Fields(command + " --help")...)
		require.Zero(t, r.code, r.stderr)
		require.Contains(t, r.stdout, "Usage: weir")
		require.Empty(t, r.stderr)
	}
	help := strings.Join(strings.Fields(weir("train", "--help").stdout+weir("eval", "--help").stdout+weir("bench", "--help").stdout), " ") // lines break within a value
	for name, value := range defaults() {
		require.Contains(t, help, value, name)
	}
}

func TestErrorsArePrintedOnOneLine(t *testing.T) {
	var out bytes.Buffer
	printError(&out, errors.Join(errors.New("two\n  lines "), errors.New("another error")))
	require.Equal(t, "weir: two; lines; another error\n", out.String())
}

// npyHeader returns what an .npy file of that dtype and shape begins with.
func npyHeader(descr, shape string) string {
	text := "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }"
	text += strings.Repeat(" ", 117-len(text)) + "\n"
	return "\x93NUMPY\x01\x00" + string([]byte{byte(len(text)), 0}) + text
}

func TestBadInputIsOneLine(t *testing.T) {
	run := trainTiny(t)
	empty := t.TempDir()
	checkpoint, err := os.ReadFile(latest(run))
	require.NoError(t, err)
	truncated := t.TempDir()
	require.NoError(t, os.WriteFile(latest(truncated), checkpoint[:len(checkpoint)/2], 0o644))
	foreign := t.TempDir()
	r := weir("loss", "--case", testCase("one_step"), "--grads", latest(foreign))
	require.Zero(t, r.code, r.stderr)
	begun := t.TempDir()
	require.NoError(t, os.WriteFile(runDir(begun).metrics(), nil, 0o644))
	data := writeFile(t, "moved.csv", "x\n1\n2\n4\n3\n")
	moved := trainTiny(t, "--data", data)
	require.NoError(t, os.Remove(data))
	file := writeFile(t, "file", "text")
	csv := func(text string) string { return writeFile(t, "data.csv", text) }
	npyFile := func(text string) string { return writeFile(t, "data.npy", text) }
	tensorFile := func(text string) string { return writeFile(t, "data.safetensors", text) }
	spoilt := func(change func(f *safetensors.File)) string {
		dir := t.TempDir()
		f, err := safetensors.Open(latest(run))
		require.NoError(t, err)
		change(f)
		require.NoError(t, safetensors.WriteFile(latest(dir), f))
		return dir
	}

	tests := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no command", nil, 2, "expected one of"},
		{"unknown command", []string{"trian"}, 2, "trian"},
		{"unknown flag", []string{"train", "--stepz", "3"}, 2, `unknown flag --stepz, did you mean "--steps"?`},
		{"not a number", []string{"train", "--steps", "many"}, 2, `--steps: expected a valid 64 bit int but got "many"`},
		{"negative seed", []string{"train", "--seed=-1"}, 2, "--seed"},
		{"dtype", []string{"train", "--dtype", "int8"}, 2, `cannot train in "int8"; want float32 or float64`},
		{"missing flag", []string{"sample", "--from", run}, 2, "--out"},
		{"target", []string{"train", "--target", "moon"}, 1, `unknown target "moon"; have easy_funnel, gmm2`},
		{"target and data", []string{"train", "--target", "gmm2", "--data", "x.csv"}, 2, "both a target (gmm2) and data (x.csv) are given"},
		{"parameter of a target", []string{"train", "--target", "many_well:dim=3"}, 1, "wells in 3 dimensions; want a positive even number"},
		{"target without samples", []string{"train", "--target", "log_gaussian_cox:side=2"}, 1, "has no exact samples"},
		{"zero eval batch", []string{"eval", "--from", run, "--batch", "0"}, 2, "batch is 0; want 1 to"},
		{"columns of a target", []string{"train", "--columns", "a"}, 2, "columns are picked from data"},
		{"precision", []string{"train", "--backend", "cpu", "--precision", "tf32"}, 1, `cpu: no precision "tf32"; products are exact here`},
		{"matmul", []string{"train", "--backend", "cpu", "--matmul", "cublaslt"}, 1, `cpu: no matmul "cublaslt"; products are by its own kernels here`},
		{"backend", []string{"train", "--backend", "abacus"}, 1, `unknown backend "abacus"; have`},
		{"device number", []string{"train", "--backend", "cpu:7"}, 1, "no device 7"},
		{"zero workers", []string{"train", "--workers", "0"}, 2, "workers is 0; want at least 1"},
		{"zero steps", []string{"train", "--steps", "0"}, 2, "steps is 0; want 1 to"},
		{"too many steps", []string{"train", "--steps", "9223372036854775807"}, 2, "want 1 to 2147483647"},
		{"zero batch", []string{"train", "--batch", "0"}, 2, "batch is 0; want 1 to"},
		{"zero sigma", []string{"train", "--sigma", "0"}, 2, "sigma is 0; want a positive number"},
		{"infinite sigma", []string{"train", "--sigma", "Inf"}, 2, "sigma is +Inf"},
		{"NaN lr", []string{"train", "--lr", "NaN"}, 2, "lr is NaN"},
		{"zero lr", []string{"train", "--lr", "0"}, 2, "lr is 0"},
		{"negative num-steps", []string{"train", "--num-steps=-1"}, 2, "num-steps is -1; want at least 1"},
		{"huge num-steps", []string{"train", "--num-steps", "100000"}, 2, "num-steps is 100000; want at most"},
		{"zero t-scale", []string{"train", "--t-scale", "0"}, 2, "t-scale is 0"},
		{"zero hidden", []string{"train", "--hidden", "0"}, 2, "hidden is 0; want 1 to"},
		{"zero layers", []string{"train", "--layers", "0"}, 2, "layers is 0; want 1 to 1000"},
		{"too many layers", []string{"train", "--layers", "1001"}, 2, "layers is 1001; want 1 to 1000"},
		{"negative exploration", []string{"train", "--exploration-std=-1"}, 2, "exploration-std is -1"},
		{"zero pb-scale-range", []string{"train", "--pb-scale-range", "0"}, 2, "pb-scale-range is 0"},
		{"zero log-var-range", []string{"train", "--log-var-range", "0"}, 2, "log-var-range is 0; want a positive number"},
		{"learn-pb", []string{"train", "--learn-pb", "all"}, 2, `learn-pb is "all"; want "mean", "mean+variance" or "mean+diagonal"`},
		{"eval-samples", []string{"train", "--eval-samples", "1"}, 2, "eval-samples is 1; want 2 to"},
		{"no data", []string{"train", "--data", "none.csv"}, 1, "none.csv"},
		{"empty data", []string{"train", "--data", csv("")}, 1, "data.csv: file is empty"},
		{"header alone", []string{"train", "--data", csv("a,b\n")}, 1, "file has a header and no rows"},
		{"ragged data", []string{"train", "--data", csv("a,b\n1,2\n3\n")}, 1, "line 3 has 1 cells; want 2"},
		{"text in data", []string{"train", "--data", csv("a,b\n1,2\n3,four\n")}, 1, `line 3, column 2 ("b"): "four" is not a number`},
		{"NaN in data", []string{"train", "--data", csv("a,b\n1,2\nNaN,4\n")}, 1, `line 3, column 1 ("a"): "NaN" is not finite`},
		{"data in no format", []string{"train", "--data", "x.pkl"}, 1, "x.pkl: files that end in .pkl are not read; want .csv, .npy or .safetensors"},
		{"npy that is none", []string{"train", "--data", npyFile("a,b\n1,2\n3,4\n")}, 1, "data.npy: is not an .npy file"},
		{"npy of text", []string{"train", "--data", npyFile(npyHeader("<U3", "(2, 1)"))}, 1, `dtype "<U3" is not held here; convert it by astype`},
		{"npy of objects", []string{"train", "--data", npyFile(npyHeader("|O", "(2, 1)"))}, 1, `dtype "|O" is not held here`},
		{"npy of bool", []string{"train", "--data", npyFile(npyHeader("|b1", "(2, 1)") + "\x00\x01")}, 1, "the elements are bool; want numbers"},
		{"npy of rank 3", []string{"train", "--data", npyFile(npyHeader("|u1", "(1, 2, 1)") + "ab")}, 1, "the array has shape [1 2 1]; want (rows, columns)"},
		{"npy scalar", []string{"train", "--data", npyFile(npyHeader("|u1", "()") + "a")}, 1, "a scalar has no rows"},
		{"npy without rows", []string{"train", "--data", npyFile(npyHeader("|u1", "(0, 2)"))}, 1, "want at least one row and one column"},
		{"truncated npy", []string{"train", "--data", npyFile(npyHeader("<f4", "(3, 2)") + "abcd")}, 1, "float32(3, 2) takes 24 bytes; the file has 4 after the header"},
		{"npy that claims too much", []string{"train", "--data", npyFile(npyHeader("<f8", "(4611686018427387904, 8)"))}, 1, "has too many bytes to count"},
		{"NaN in npy", []string{"train", "--data", npyFile(npyHeader("<f2", "(2, 2)") + "\x00\x3c\x00\x3c\x00\x3c\x00\x7e")}, 1, `row 2, column 2 ("2"): NaN is not finite`},
		{"NaN in a streamed npy", []string{"train", "--data-memory", "1", "--data", npyFile(npyHeader("|V2", "(200000, 1)") +
			strings.Repeat("\x80\x3f", 199_999) + "\xc0\x7f")}, 1, `row 200000, column 1 ("1"): NaN is not finite`},
		{"constant streamed npy", []string{"train", "--data-memory", "1", "--data", npyFile(npyHeader("|u1", "(200000, 1)") +
			strings.Repeat("a", 200_000))}, 1, `column 1 ("1") cannot be standardized: all `},
		{"column of npy", []string{"train", "--columns", "x", "--data", npyFile(npyHeader("|u1", "(2, 2)") + "abcd")}, 1, `no column "x"; have "1", "2"`},
		{"truncated safetensors", []string{"train", "--data", tensorFile("\x40\x00\x00")}, 1, "file has 3 bytes; want at least 8"},
		{"safetensors with a header that is too long", []string{"train", "--data", tensorFile("\xff\xff\xff\xff\xff\xff\xff\x7f{}")}, 1, "header claims 9223372036854775807 bytes"},
		{"overlapping safetensors", []string{"train", "--data", tensorFile("\x7a\x00\x00\x00\x00\x00\x00\x00" +
			`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}` +
			strings.Repeat(" ", 17) + "abc")}, 1, `"b"`},
		{"safetensors of two tables", []string{"train", "--data", latest(run)}, 1, "want one tensor of shape (rows, columns), or several of shape (rows)"},
		{"zero data-memory", []string{"train", "--data-memory", "0"}, 2, `--data-memory: got "0"; want 1 to 8796093022207 MiB`},
		{"data-memory that no int counts", []string{"train", "--data-memory", "9999999999999"}, 2, "want 1 to 8796093022207 MiB"},
		{"one row", []string{"train", "--data", csv("a,b\n1,2\n")}, 1, "1 rows cannot be split"},
		{"constant data", []string{"train", "--data", csv("1,2\n1,3\n1,4\n1,5\n")}, 1, "column 1"},
		{"unknown column", []string{"train", "--data", csv("a,b\n1,2\n3,4\n5,6\n"), "--columns", "c"}, 1, `no column "c"; have "a", "b"`},
		{"occupied directory", []string{"train", "--out", run}, 1, "holds a run already"},
		{"directory of a run without checkpoint", []string{"train", "--out", begun}, 1, "without a checkpoint (metrics.jsonl); replace it with --force"},
		{"directory under a file", []string{"train", "--out", filepath.Join(file, "x")}, 1, "output directory"},
		{"resume without a run", []string{"train", "--resume", empty}, 1, "holds no checkpoint"},
		{"resume nowhere", []string{"train", "--resume", filepath.Join(empty, "none")}, 1, "no run to open"},
		{"schedule", []string{"train", "--schedule", "steep"}, 2, `schedule is "steep"; want "cosine" or "linear"`},
		{"negative warm-up", []string{"train", "--warm-up=-1"}, 2, "warm-up is -1"},
		{"negative weight-decay", []string{"train", "--weight-decay=-1"}, 2, "weight-decay is -1"},
		{"infinite clip-norm", []string{"train", "--clip-norm", "Inf"}, 2, "clip-norm is +Inf"},
		{"ema of 1", []string{"train", "--ema", "1"}, 2, "ema is 1; want 0, which keeps no average, or a decay below 1"},
		{"negative micro-batch", []string{"train", "--micro-batch=-1"}, 2, "micro-batch is -1"},
		{"zero bound-every", []string{"train", "--bound-every", "0"}, 2, "bound-every is 0"},
		{"negative patience", []string{"train", "--patience=-1"}, 2, "patience is -1"},
		{"zero checkpoint-every", []string{"train", "--checkpoint-every", "0"}, 2, "checkpoint-every is 0; want at least 1"},
		{"zero keep", []string{"train", "--keep", "0"}, 2, "keep is 0; want at least 1"},
		{"resume what is done", []string{"train", "--resume", run}, 1, "has done 6 of 6 steps; give a larger total with --steps"},
		{"resume with another setting", []string{"train", "--resume", run, "--lr", "1", "--batch", "3"}, 2, "--batch, --lr cannot change on --resume"},
		{"resume to no steps", []string{"train", "--resume", run, "--steps", "0"}, 2, "steps is 0"},
		{"resume a target with data", []string{"train", "--resume", run, "--steps", "9", "--data", "x.csv"}, 1, "both a target"},
		{"resume with settings", []string{"train", "--resume", run, "--config", runDir(run).config()}, 2, "--config cannot go with --resume"},
		{"resume on data that has moved", []string{"train", "--resume", moved, "--steps", "9"}, 1, "if the data has moved, say where it is by --data"},
		{"truncated checkpoint", []string{"eval", "--from", truncated}, 1, "checkpoint-00000000.safetensors: "},
		{"checkpoint of another version", []string{"eval", "--from", spoilt(func(f *safetensors.File) { f.Metadata["weir.checkpoint"] = "9" })}, 1,
			`weir.checkpoint is "9"; want "1"`},
		{"checkpoint of other shapes", []string{"sample", "--out", "-", "--from", spoilt(func(f *safetensors.File) {
			f.Metadata["weir.config"] = strings.Replace(f.Metadata["weir.config"], `"hidden":8`, `"hidden":7`, 1)
		})}, 1, "has shape [8 8]; want [7 8]"},
		{"checkpoint that claims more weights than it holds", []string{"sample", "--out", "-", "--from", spoilt(func(f *safetensors.File) {
			f.Metadata["weir.config"] = strings.Replace(f.Metadata["weir.config"], `"hidden":8`, `"hidden":1000000`, 1)
		})}, 1, "in 2 dimensions has 28000042 weights; there are 266"},
		{"resume from a truncated checkpoint", []string{"train", "--resume", truncated, "--steps", "9"}, 1, "checkpoint-00000000.safetensors: "},
		{"foreign checkpoint", []string{"eval", "--from", foreign}, 1, "not a checkpoint of a run"},
		{"eval nowhere", []string{"eval", "--from", "none"}, 1, "no run to open"},
		{"eval of one sample", []string{"eval", "--from", run, "-n", "1"}, 2, "samples is 1; want 2 to"},
		{"no samples", []string{"sample", "--from", run, "-n", "0", "--out", "-"}, 2, "samples is 0; want at least 1"},
		{"samples in no format", []string{"sample", "--from", run, "--out", "x.xlsx"}, 2, "--out is x.xlsx; want a name that ends in .csv, .npy or .safetensors"},
		{"samples in batches of 0", []string{"sample", "--from", run, "--out", "-", "--batch", "0"}, 2, "batch is 0; want at least 1"},
		{"samples to nowhere", []string{"sample", "--from", run, "--out", filepath.Join(empty, "none", "x.csv")}, 1, filepath.Join("none", "x.csv") + ":"},
		{"no case", []string{"loss", "--case", "none.safetensors"}, 1, "none.safetensors"},
		{"case of another kind", []string{"loss", "--case", latest(run)}, 1, "the metadata lacks s_dim"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			r := weir(tt.args...)
			require.Equal(t, tt.code, r.code, r.stderr)
			require.Empty(t, r.stdout)
			require.Equal(t, 1, strings.Count(r.stderr, "\n"), r.stderr)
			require.True(t, strings.HasPrefix(r.stderr, "weir: "), r.stderr)
			require.Contains(t, r.stderr, tt.want)
			left, err := os.ReadDir(".")
			require.NoError(t, err)
			require.Empty(t, left, "bad input must leave nothing behind")
		})
	}
	after, err := os.ReadFile(latest(run))
	require.NoError(t, err)
	require.Equal(t, checkpoint, after, "bad input must not touch a run")
}
