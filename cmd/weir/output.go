package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/weir-ml/weir/internal/atomicfile"
)

// output is a file to write, and the flag that names it. An empty path, and - for stdout, are none.
type output struct{ flag, path string }

// isFile reports whether writing replaces a file, or makes one: devices and pipes are written to as they are.
func (o output) isFile() bool {
	if o.path == "" || o.path == "-" {
		return false
	}
	info, err := os.Stat(o.path)
	return err != nil || info.Mode().IsRegular() || info.IsDir()
}

// checkOutputs returns an error if one of the files cannot be written, or would replace another one or an input. Commands ask before they compute
// for long.
func checkOutputs(outputs []output, inputs ...string) error {
	for i, o := range outputs {
		if !o.isFile() {
			continue
		}
		for _, other := range outputs[:i] {
			if sameFile(o.path, other.path) {
				return usageError{fmt.Errorf("--%s and --%s are both %s; want two files", other.flag, o.flag, o.path)}
			}
		}
		for _, input := range inputs {
			if sameFile(o.path, input) {
				return usageError{fmt.Errorf("--%s is %s, which would be lost; want another file", o.flag, o.path)}
			}
		}
		if err := atomicfile.Check(o.path); err != nil {
			return err
		}
	}
	return nil
}

// sameFile reports whether two paths lead to one file, which need not be there yet.
func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return os.SameFile(infoA, infoB)
	}
	absA, errA := filepath.Abs(a)
	absB, errB := filepath.Abs(b)
	return errA == nil && errB == nil && absA == absB
}
