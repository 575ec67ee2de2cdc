package docs

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// packages returns the folders of the packages that others can import.
func packages(t *testing.T) (dirs []string) {
	t.Helper()
	seen := map[string]bool{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && file != root && (name == "testdata" || name == "internal" || name == "examples" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")):
			return filepath.SkipDir
		case d.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || seen[filepath.Dir(file)]:
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly)
		if dir := filepath.Dir(file); err == nil && parsed.Name.Name != "main" {
			seen[dir] = true
			dirs = append(dirs, dir)
		}
		return err
	})
	require.NoError(t, err)
	require.Greater(t, len(dirs), 20)
	return dirs
}

// load returns the documentation of a package, of any platform, with its examples.
func load(t *testing.T, dir string) *doc.Package {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	set := token.NewFileSet()
	var files []*ast.File
	for _, p := range paths {
		file, err := parser.ParseFile(set, p, nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, file)
	}
	p, err := doc.NewFromFiles(set, files, filepath.ToSlash(dir))
	require.NoError(t, err)
	return p
}

func TestEveryExportedNameIsDocumented(t *testing.T) {
	for _, dir := range packages(t) {
		p := load(t, dir)
		require.NotEmpty(t, p.Doc, "package %s has no comment", dir)
		for _, f := range p.Funcs {
			requireComment(t, dir, f.Name, f.Name, f.Doc)
			requireErrors(t, dir, f)
		}
		requireValues(t, dir, append(p.Consts, p.Vars...))
		for _, typ := range p.Types {
			requireComment(t, dir, typ.Name, typ.Name, typ.Doc)
			requireValues(t, dir, append(typ.Consts, typ.Vars...))
			for _, f := range append(typ.Funcs, typ.Methods...) {
				requireComment(t, dir, typ.Name+"."+f.Name, f.Name, f.Doc)
				requireErrors(t, dir, f)
			}
		}
	}
}

// requireComment wants a comment that begins with the name, or with an article.
func requireComment(t *testing.T, dir, full, name, text string) {
	t.Helper()
	first, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	if first = strings.TrimRight(first, ",.:"); first != name && first != "A" && first != "An" && first != "The" {
		t.Errorf("%s: the comment of %s begins with %q; want its name", dir, full, first)
	}
}

// ofWellKnownNames are methods whose errors are those of the interfaces that they have them for, and those that do what package backend says.
var ofWellKnownNames = []string{"Close", "Sync", "MarshalJSON", "MarshalText", "UnmarshalJSON", "UnmarshalText", "Read", "ReadAt", "Seek", "Write"}

// requireErrors wants the comment of a function that returns an error to speak of errors.
func requireErrors(t *testing.T, dir string, f *doc.Func) {
	t.Helper()
	results := f.Decl.Type.Results
	if results == nil || slices.Contains(ofWellKnownNames, f.Name) {
		return
	}
	for _, r := range results.List {
		if name, ok := r.Type.(*ast.Ident); ok && name.Name == "error" && !speaksOfErrors.MatchString(f.Doc) {
			t.Errorf("%s: %s returns an error, and its comment does not say when", dir, f.Name)
		}
	}
}

var speaksOfErrors = regexp.MustCompile(`(?i)error|fail|cannot`)

// requireValues wants a comment for each group of constants or variables, or for each of them.
func requireValues(t *testing.T, dir string, groups []*doc.Value) {
	t.Helper()
	for _, group := range groups {
		for _, spec := range group.Decl.Specs {
			v := spec.(*ast.ValueSpec)
			if group.Doc == "" && v.Doc == nil && v.Comment == nil {
				t.Errorf("%s: %s has no comment", dir, v.Names[0].Name)
			}
		}
	}
}

func TestEveryPackageHasAnExampleThatRuns(t *testing.T) {
	for _, dir := range packages(t) {
		paths, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		require.NoError(t, err)
		var files []*ast.File
		for _, p := range paths {
			file, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ParseComments)
			require.NoError(t, err)
			files = append(files, file)
		}
		runs := 0
		for _, e := range doc.Examples(files...) {
			if e.Output != "" || e.EmptyOutput {
				runs++
			}
		}
		if runs == 0 {
			t.Errorf("%s has no Example with output", dir)
		}
	}
}
