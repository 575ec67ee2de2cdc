package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheWayOfABatchExists looks up what docs/ARCHITECTURE.md names on the way of a batch: each file, and each name in a file that the same step names.
func TestTheWayOfABatchExists(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "ARCHITECTURE.md"))
	require.NoError(t, err)
	_, way, found := strings.Cut(string(text), "\n## One batch, from Loss to a kernel and back\n")
	require.True(t, found)
	way, _, _ = strings.Cut(way, "\n## ")
	steps := regexp.MustCompile(`(?m)^\d+\. `).Split(way, -1)[1:]
	require.Len(t, steps, 12)
	span := regexp.MustCompile("`([^`]+)`")
	for i, step := range steps {
		known := map[string]bool{}
		for _, m := range span.FindAllStringSubmatch(step, -1) {
			name := m[1]
			switch {
			case strings.HasSuffix(name, ".go"):
				declare(t, known, filepath.Join(root, filepath.FromSlash(name)))
			case strings.Contains(name, "/") || name == "tensor":
				require.DirExists(t, filepath.Join(root, filepath.FromSlash(name)))
			default:
				require.True(t, known[name], "step %d: %s is in none of the files that it names before", i+1, name)
			}
		}
	}
}

// declare adds what a file declares at its top, methods as Type.Method.
func declare(t *testing.T, names map[string]bool, path string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			names[receiver(d)+d.Name.Name] = true
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if typ, ok := spec.(*ast.TypeSpec); ok {
					names[typ.Name.Name] = true
				}
			}
		}
	}
}

// receiver returns "Type." for a method, "" for a function.
func receiver(d *ast.FuncDecl) (prefix string) {
	if d.Recv == nil {
		return ""
	}
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		if name, ok := n.(*ast.Ident); ok && prefix == "" {
			prefix = name.Name + "."
		}
		return prefix == ""
	})
	return prefix
}
