// Command asm writes the assembly of package simd into a folder: go generate in that package runs it.
package main

import (
	"fmt"
	"go/token"
	"go/types"
	"log"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
	"github.com/mmcloughlin/avo/reg"
)

// files are what is written: name_amd64.s by its generator.
var files = []struct {
	name     string
	generate func(*build.Context)
}{
	{"matmul_avx2", func(c *build.Context) { matmul(c, avx2) }},
	{"matmul_avx512", func(c *build.Context) { matmul(c, avx512) }},
	{"dots_avx2", func(c *build.Context) { dotProducts(c, avx2) }},
	{"dots_avx512", func(c *build.Context) { dotProducts(c, avx512) }},
	{"outer_avx2", func(c *build.Context) { outerProducts(c, avx2) }},
	{"outer_avx512", func(c *build.Context) { outerProducts(c, avx512) }},
	{"columns_avx2", func(c *build.Context) { foldColumns(c, avx2) }},
	{"columns_avx512", func(c *build.Context) { foldColumns(c, avx512) }},
	{"rows_avx2", func(c *build.Context) { foldRows(c, avx2) }},
	{"rows_avx512", func(c *build.Context) { foldRows(c, avx512) }},
	{"arg_avx2", func(c *build.Context) { args(c, avx2) }},
	{"arg_avx512", func(c *build.Context) { args(c, avx512) }},
	{"turn_avx2", turns},
	{"ceiling_avx2", func(c *build.Context) { ceilings(c, avx2) }},
	{"ceiling_avx512", func(c *build.Context) { ceilings(c, avx512) }},
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: go run . FOLDER")
	}
	for _, f := range files {
		if err := write(filepath.Join(os.Args[1], f.name+"_amd64.s"), f.generate); err != nil {
			log.Fatalf("%s: %v", f.name, err)
		}
	}
}

func write(path string, generate func(*build.Context)) (err error) {
	c := build.NewContext()
	c.ConstraintExpr("amd64")
	generate(c)
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	assembly := printer.NewGoAsm(printer.Config{Name: "go run ./_asm", Pkg: "simd"})
	passes := []pass.Interface{pass.Compile, &pass.Output{Writer: file, Printer: assembly}}
	if build.Main(&build.Config{ErrOut: os.Stderr, Passes: passes}, c) != 0 {
		return fmt.Errorf("avo reports errors")
	}
	return nil
}

// A param is a parameter of a function, named and typed as in its Go declaration.
type param struct {
	name string
	kind types.BasicKind
}

// function begins a function without results or a frame.
func function(c *build.Context, name string, params ...param) {
	vars := make([]*types.Var, len(params))
	for i, p := range params {
		vars[i] = types.NewParam(token.NoPos, nil, p.name, types.Typ[p.kind])
	}
	c.Function(name)
	c.Attributes(noSplit)
	c.Signature(gotypes.NewSignature(nil, types.NewSignatureType(nil, nil, nil, types.NewTuple(vars...), nil, false)))
}

// loadWord loads a parameter of eight bytes; avo itself does not know pointers without a type.
func loadWord(c *build.Context, name string, to reg.Register) {
	p, err := c.Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	c.MOVQ(p.Addr, to)
}
