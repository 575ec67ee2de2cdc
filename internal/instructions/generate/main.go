// Command generate writes what package instructions makes, in the repository whose root it is given.
package main

import (
	"log"
	"os"
	"path/filepath"

	"github.com/weir-ml/weir/internal/instructions"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(root string) error {
	list, err := os.ReadFile(filepath.Join(root, instructions.List))
	if err != nil {
		return err
	}
	files, err := instructions.Generate(root, list)
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
