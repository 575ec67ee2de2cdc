package crosscheck

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// exempt are the functions of packages tensor and autograd that have no case, with the reason.
var exempt = map[string]map[string]string{
	"tensor": {
		"Arange":     "makes a tensor; tested in its package",
		"ArangeStep": "makes a tensor; tested in its package",
		"Eye":        "makes a tensor; tested in its package",
		"Catch":      "handles errors",
		"DTypeOf":    "names a dtype",
		"Fail":       "handles errors",
		"FromBytes":  "makes a tensor: every input of every case",
		"FromSlice":  "makes a tensor: the weights of every gradient",
		"Full":       "makes a tensor; tested in its package",
		"Linspace":   "makes a tensor; tested in its package",
		"Map":        "runs a given program; package backendtest runs random ones against an oracle",
		"MapInto":    "as Map",
		"NewDevice":  "opens a device",
		"NewProg":    "makes a program",
		"NewRNG":     "makes random numbers, which are Weir's own; tested against published vectors of Philox",
		"Ones":       "makes a tensor; tested in its package",
		"Open":       "opens a device",
		"ParseDebug": "parses text",
		"Promote":    "names a dtype; the dtypes of mixed cases are NumPy's",
		"SetSlice":   "uploads",
		"Read":       "downloads",
		"ToSlice":    "downloads",
		"Zeros":      "makes a tensor; tested in its package",
	},
	"autograd": {
		"Backward":      "Grad for all leaves; tested beside it in its package",
		"CheckGrad":     "compares with central differences",
		"CheckGradGrad": "compares with central differences",
		"Grad":          "gives the gradients of every case",
		"NewInference":  "makes a tape",
		"NewTape":       "makes a tape",
	},
}

// TestEveryOperationHasACase asks for one of those functions too that are generated from the contract's list: package backendtest holds them to real
// values and package autograd to their rule, but names, arguments and what happens at the ends of the domain are NumPy's and PyTorch's to say.
func TestEveryOperationHasACase(t *testing.T) {
	cases, differentiated := map[string]bool{}, map[string]bool{}
	for _, file := range recorded(t) {
		for _, c := range file {
			cases[c.Op] = true
			differentiated[c.Op] = differentiated[c.Op] || c.Differentiable
		}
	}
	names := map[string]bool{}
	for _, name := range exported(t, "tensor") {
		names[name] = true
		if exempt["tensor"][name] == "" && !cases[name] {
			t.Errorf("tensor.%s has no case in testdata/crosscheck", name)
		}
	}
	for _, name := range exported(t, "autograd") {
		names[name] = true
		if exempt["autograd"][name] != "" {
			continue
		}
		if !differentiated[name] {
			t.Errorf("autograd.%s has no case with gradients in testdata/crosscheck", name)
		}
		if operations[name].autograd == nil {
			t.Errorf("autograd.%s is not in the table of operations", name)
		}
	}
	for name := range operations {
		require.True(t, names[name], "the table of operations has %s, which no package exports", name)
		require.True(t, cases[name], "the table of operations has %s, which no case calls", name)
	}
	for pkg, reasons := range exempt {
		for name := range reasons {
			require.Contains(t, exported(t, pkg), name, "%s.%s is exempt but does not exist", pkg, name)
			require.NotContains(t, operations, name, "%s.%s is exempt and has cases", pkg, name)
		}
	}
}

// exported returns the names of the functions, methods excepted, that a package at the root exports.
func exported(t *testing.T, pkg string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", pkg, "*.go"))
	require.NoError(t, err)
	for _, file := range files {
		if !strings.HasSuffix(file, "_test.go") {
			names = append(names, functionsIn(t, file)...)
		}
	}
	require.NotEmpty(t, names, pkg)
	return names
}

// functionsIn returns the names of the functions, methods excepted, that a file exports.
func functionsIn(t *testing.T, file string) (names []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	for _, d := range parsed.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.IsExported() {
			names = append(names, f.Name.Name)
		}
	}
	return names
}
