// Package architecture holds the test that imports point one way.
package architecture

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/weir-ml/weir/"

// foreign are the only modules beside the standard library that the packages of layers may import outside their tests.
var foreign = []string{"github.com/x448/float16", "golang.org/x/sys/"}

// layers lists, for every package that users import, the packages of ours that it may import. A package that is not here is a
// program or an example and may import anything.
var layers = map[string][]string{
	"internal/atomicfile":          {},
	"internal/dirlock":             {},
	"internal/quote":               {},
	"internal/elements":            {},
	"internal/readat":              {},
	"internal/zipfile":             {"internal/quote", "internal/readat"},
	"backend":                      {},
	"backend/backendtest":          {"backend"},
	"backend/cpu":                  {"backend"},
	"backend/simd":                 {"backend", "backend/cpu"},
	"backend/cuda":                 {"backend"},
	"backend/cuda/internal/ptx":    {},
	"expr":                         {"backend"},
	"internal/einsum":              {"backend"},
	"tensor":                       {"backend", "expr", "internal/einsum"},
	"autograd":                     {"backend", "expr", "tensor", "internal/einsum"},
	"plan":                         {"backend", "tensor"},
	"nn":                           {"backend", "tensor", "autograd"},
	"optim":                        {"backend", "tensor", "autograd", "nn"},
	"dataset":                      {"backend", "tensorio", "tensorio/npy", "tensorio/safetensors", "internal/quote"},
	"tensorio":                     {"backend", "internal/quote"},
	"tensorio/npy":                 {"backend", "tensorio", "internal/atomicfile", "internal/elements", "internal/quote", "internal/readat", "internal/zipfile"},
	"tensorio/torchpt":             {"backend", "tensorio", "internal/elements", "internal/quote", "internal/readat", "internal/zipfile"},
	"tensorio/safetensors":         {"backend", "tensorio", "internal/atomicfile", "internal/quote", "internal/readat"},
	"gflownet":                     {"backend", "tensor", "autograd", "nn"},
	"gflownet/diffusion":           {"backend", "tensor", "autograd", "nn", "gflownet"},
	"gflownet/diffusion/transport": {},
	"gflownet/mle":                 {"backend", "tensor", "autograd", "nn", "gflownet", "gflownet/diffusion"},
	"gflownet/mle/recorded":        {"backend", "tensor", "autograd", "nn", "gflownet", "gflownet/diffusion", "gflownet/mle", "tensorio/safetensors"},
	"gflownet/torchgfn": {
		"backend", "tensor", "nn", "gflownet/diffusion", "tensorio", "tensorio/safetensors", "tensorio/torchpt",
	},
	"bench/machine": {"backend", "backend/cpu", "backend/simd"},
	"bench/page":    {"bench", "bench/machine"},
	"bench": {
		"backend", "backend/backendtest", "backend/cpu", "bench/machine", "tensor", "autograd", "plan", "nn", "optim", "gflownet", "gflownet/diffusion",
		"gflownet/mle", "train",
	},
	"train": {
		"backend", "tensor", "autograd", "plan", "nn", "optim", "dataset", "tensorio", "tensorio/safetensors", "internal/atomicfile",
		"internal/dirlock", "internal/quote", "gflownet", "gflownet/diffusion", "gflownet/diffusion/transport", "gflownet/mle", "gflownet/torchgfn",
	},
}

// programs are the places whose packages may import anything of ours.
var programs = []string{"cmd/", "bench/", "examples/", "backend/cuda/internal/ptx/generate"}

func TestImportsPointOneWay(t *testing.T) {
	seen := map[string]bool{}
	for dir, imports := range sources(t) {
		allowed, library := layers[dir]
		seen[dir] = true
		if !library {
			isProgram := slices.ContainsFunc(programs, func(p string) bool { return strings.HasPrefix(dir, p) })
			require.True(t, isProgram || strings.HasPrefix(dir, "internal/"), "package %s is in no layer; add it to the table", dir)
			continue
		}
		for _, imported := range imports {
			ours, isOurs := strings.CutPrefix(imported, module)
			switch {
			case isOurs:
				require.Contains(t, allowed, ours, "%s imports %s", dir, ours)
			case strings.Contains(strings.Split(imported, "/")[0], "."):
				ok := slices.ContainsFunc(foreign, func(f string) bool { return strings.HasPrefix(imported, f) })
				require.True(t, ok, "%s imports %s; the library imports only %v beside the standard library", dir, imported, foreign)
			}
		}
	}
	for dir := range layers {
		require.True(t, seen[dir], "package %s of the table does not exist", dir)
	}
}

// sources returns the imports of every package of the module, tests excepted, by folder.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	root := filepath.Join("..", "..")
	imports := map[string][]string{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != root && (name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")):
			return filepath.SkipDir
		case d.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		dir = filepath.ToSlash(dir)
		imports[dir] = append(imports[dir], []string{}...)
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			imports[dir] = append(imports[dir], imported)
		}
		return nil
	})
	require.NoError(t, err)
	return imports
}
