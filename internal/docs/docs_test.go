// Package docs holds the test that what the documents say to run, runs.
package docs

import (
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

func documents(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{"*.md", "docs/*.md", "examples/*/*.md"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		found = append(found, paths...)
	}
	require.NotEmpty(t, found)
	return found
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
			if b.source == "" {
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
		dir := t.TempDir()
		require.NoError(t, os.CopyFS(filepath.Join(dir, "examples"), os.DirFS(filepath.Join(root, "examples"))))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example\n"), 0o644))
		for _, b := range blocks(t, document) {
			if b.language != "sh" {
				continue
			}
			for _, line := range strings.Split(strings.TrimSpace(b.text), "\n") {
				runLine(t, document, dir, weir, strings.Fields(line))
			}
		}
	}
}

func runLine(t *testing.T, document, dir, weir string, words []string) {
	t.Helper()
	command := strings.Join(words, " ")
	switch {
	case command == "go test ./...":
		return // this is it
	case strings.HasPrefix(command, "go test ./"): // a part of it
		run(t, document, root, "go", "vet", words[2])
	case strings.HasPrefix(command, "go run ./cmd/weir "):
		run(t, document, dir, weir, short(words[3:])...)
	case strings.HasPrefix(command, "go run ./examples/"):
		run(t, document, root, "go", append([]string{"vet"}, words[2])...)
	case strings.HasPrefix(command, "cd examples/") && strings.HasPrefix(strings.Join(words[2:], " "), "&& go run ."):
		run(t, document, filepath.Join(root, words[1]), "go", "vet", ".") // a module of its own
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
		limits = [][2]string{{"--steps", "4"}} // the others stay as they are
	case args[0] == "train":
		limits = [][2]string{{"--steps", "2"}, {"--batch", "8"}, {"--num-steps", "4"}}
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
