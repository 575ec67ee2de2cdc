// Generate compiles the kernels of the directory that it is given: each .cu to a .ptx beside it. Those that are up to date are left alone.
package main

import (
	"fmt"
	"os"

	"github.com/weir-ml/weir/backend/cuda/internal/ptx"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: generate DIRECTORY")
		os.Exit(2)
	}
	if err := generate(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func generate(dir string) error {
	modules, err := ptx.Modules(dir)
	if err != nil {
		return err
	}
	version, err := ptx.Version()
	if err != nil {
		return err
	}
	for _, m := range modules {
		if m.Compiler() == version && m.Check() == nil {
			continue
		}
		text, err := m.Compile()
		if err != nil {
			return err
		}
		if err := os.WriteFile(m.Path(), []byte(text), 0o644); err != nil {
			return err
		}
		fmt.Println(m.Path())
	}
	return nil
}
