// Package docs holds the test that what the documents say to run, runs.
package docs

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the repository.
var root = filepath.Join("..", "..")

// block is a fenced block of a document. One with a source, as in "```go backend/cmd.go", is quoted from that file.
type block struct {
	language, source, text string
}

var fence = regexp.MustCompile("(?ms)^```(\\w*)(?: (\\S+))?\n(.*?)^```$")

func blocks(t *testing.T, document string) []block {
	t.Helper()
	text, err := os.ReadFile(document)
	require.NoError(t, err)
	var found []block
	for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
		found = append(found, block{m[1], m[2], m[3]})
	}
	return found
}

// documents returns every document of the repository.
func documents(t *testing.T) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && file != root && (strings.HasPrefix(name, ".") || name == "runs" || name == "venv"):
			return filepath.SkipDir
		case filepath.Ext(name) == ".md":
			found = append(found, file)
		}
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, len(found), 10)
	return found
}

// A block that is of no known language would not be looked at, nor would a command in text that is merely indented.
func TestNothingInDocumentsIsLeftOut(t *testing.T) {
	indented := regexp.MustCompile(`(?m)^    (go|cd|weir|python3?|curl) .*$`)
	for _, document := range documents(t) {
		for _, b := range blocks(t, document) {
			switch b.language {
			case "go", "sh", "diff":
			case "text", "": // what a program prints, or a picture
				require.NotRegexp(t, `(?m)^(go|cd|weir|python3?) `, b.text, "%s: a command in a block that is not sh", document)
			default:
				t.Errorf("%s: no test looks at blocks of %q", document, b.language)
			}
		}
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		require.Empty(t, indented.FindAllString(string(text), -1), "%s: commands that are not in a block of sh", document)
	}
}

func TestProgramsInDocumentsRun(t *testing.T) {
	for _, document := range documents(t) {
		for _, b := range blocks(t, document) {
			if b.language != "go" || b.source != "" {
				continue
			}
			require.True(t, strings.HasPrefix(b.text, "package main\n"), "%s: a block of Go is not a whole program:\n%s", document, b.text)
			file := filepath.Join(t.TempDir(), "main.go")
			require.NoError(t, os.WriteFile(file, []byte(b.text), 0o644))
			run(t, document, root, "go", "run", file)
		}
	}
}

func TestQuotesInDocumentsAreInTheirSources(t *testing.T) {
	for _, document := range documents(t) {
		for _, b := range blocks(t, document) {
			if b.source == "" || b.language == "diff" {
				continue
			}
			source, err := os.ReadFile(filepath.Join(root, b.source))
			require.NoError(t, err, document)
			require.True(t, strings.Contains(string(source), b.text), "%s quotes what is not in %s:\n%s", document, b.source, b.text)
		}
	}
}

// TestCommandsInDocumentsRun runs every line of every block of shell, in order, in a folder that has the repository's examples. Training
// and measuring are cut short, and the examples, which train at length and have tests of their own, are only built.
func TestCommandsInDocumentsRun(t *testing.T) {
	weir := filepath.Join(t.TempDir(), "weir")
	run(t, "build", root, "go", "build", "-o", weir, "./cmd/weir")
	for _, document := range documents(t) {
		t.Run(filepath.ToSlash(strings.TrimPrefix(document, root+string(filepath.Separator))), func(t *testing.T) {
			t.Parallel()
			runDocument(t, document, weir)
		})
	}
}

func runDocument(t *testing.T, document, weir string) {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(dir, "examples"), os.DirFS(filepath.Join(root, "examples"))))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example\n"), 0o644))
	for _, b := range blocks(t, document) {
		if b.language != "sh" {
			continue
		}
		text := strings.ReplaceAll(b.text, "\\\n", " ")
		for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
			line, _, _ = strings.Cut(line, " # ")
			runLine(t, document, dir, weir, strings.Fields(line))
		}
	}
}

// brief makes examples that do more than train end soon.
var brief = map[string][]string{
	"examples/rtb": {"-prior-steps", "2", "-samples", "20"},
}

// runPython compiles a script, since what the scripts import need not be installed, and stands in for the table that one of them fetches.
func runPython(t *testing.T, document, dir string, words []string) {
	t.Helper()
	if words[0] == "-m" { // python3 -m venv venv && venv/bin/pip install -r FILE
		require.Equal(t, []string{"-m", "venv", "venv", "&&", "venv/bin/pip", "install", "-r"}, words[:len(words)-1])
		require.FileExists(t, filepath.Join(root, words[len(words)-1]))
		return
	}
	script := filepath.Join(root, words[0])
	if !strings.Contains(words[0], "/") { // beside the document
		script = filepath.Join(filepath.Dir(document), words[0])
	}
	require.FileExists(t, script, document)
	for _, option := range words[1:] {
		if strings.HasPrefix(option, "--") {
			require.True(t, anyPython(t, filepath.Dir(script), `"`+option+`"`), "%s: %s has no option %s", document, words[0], option)
		}
	}
	if python, err := exec.LookPath("python3"); err == nil {
		run(t, document, dir, python, "-c", "import ast, sys; ast.parse(open(sys.argv[1]).read())", abs(t, script))
	}
	if strings.HasSuffix(script, "prepare.py") {
		faithful, err := os.ReadFile(filepath.Join(dir, "examples", "faithful", "faithful.csv"))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "examples", "diamonds", "diamonds.csv"), faithful, 0o644))
	}
}

// anyPython reports whether a script of a folder has the text: those of one share their options.
func anyPython(t *testing.T, dir, text string) bool {
	t.Helper()
	scripts, err := filepath.Glob(filepath.Join(dir, "*.py"))
	require.NoError(t, err)
	return slices.ContainsFunc(scripts, func(script string) bool {
		source, err := os.ReadFile(script)
		require.NoError(t, err)
		return strings.Contains(string(source), text)
	})
}

func abs(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(path)
	require.NoError(t, err)
	return full
}

func runLine(t *testing.T, document, dir, weir string, words []string) {
	t.Helper()
	command := strings.Join(words, " ")
	switch {
	case command == "go test ./...":
		return // this is it
	case strings.HasPrefix(command, "venv/bin/python "):
		runPython(t, document, dir, words[1:])
	case strings.HasPrefix(command, "go test ./"): // a part of it
		run(t, document, root, "go", "vet", words[2])
	case strings.HasPrefix(command, "go run ./cmd/weir "):
		run(t, document, dir, weir, short(words[3:])...)
	case strings.Contains(command, "weir-gpu") || strings.Contains(command, "weir/emulator/"):
		require.Equal(t, "gpu", filepath.Base(filepath.Dir(document))) // whose test builds the folder and runs it
	case command == "CGO_ENABLED=0 go build -o weir ./cmd/weir":
		run(t, document, root, "env", "CGO_ENABLED=0", "go", "build", "-o", filepath.Join(dir, "weir"), "./cmd/weir")
		size, err := os.Stat(filepath.Join(dir, "weir"))
		require.NoError(t, err)
		require.Less(t, size.Size(), int64(40e6), "the static binary")
	case strings.HasPrefix(command, "go run ./examples/"):
		run(t, document, root, "go", append([]string{"vet"}, words[2])...)
	case strings.HasPrefix(command, "cd examples/") && strings.HasPrefix(strings.Join(words[2:], " "), "&& go run ."):
		run(t, document, filepath.Join(root, words[1]), "go", append([]string{"run", ".", "-steps", "2", "-batch", "4"}, brief[words[1]]...)...)
	case words[0] == "python3" || words[0] == "python":
		runPython(t, document, dir, words[1:])
	case strings.HasPrefix(command, "go mod edit "):
		run(t, document, dir, words[0], words[1:]...)
	default:
		t.Errorf("%s: this test does not know how to run %q", document, command)
	}
}

// short makes a command that trains or measures end soon.
func short(args []string) []string {
	var limits [][2]string
	switch {
	case args[0] == "bench":
		limits = [][2]string{{"--size", "small"}, {"--budget", "100us"}}
	case args[0] == "train" && slices.Contains(args, "--resume"):
		limits = [][2]string{{"--steps", "4"}, {"--eval-samples", "100"}} // the others stay as they are
	case args[0] == "train":
		limits = [][2]string{{"--steps", "2"}, {"--batch", "8"}, {"--num-steps", "4"}, {"--eval-samples", "100"}}
	case args[0] == "eval":
		limits = [][2]string{{"-n", "100"}}
	}
	for _, limit := range limits {
		if i := slices.Index(args, limit[0]); i >= 0 {
			args = slices.Delete(slices.Clone(args), i, i+2)
		}
		args = append(args, limit[0], limit[1])
	}
	return args
}

func run(t *testing.T, what, dir, name string, args ...string) {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s: %s %s\n%s", what, name, strings.Join(args, " "), out)
}
