package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// versionCmd prints what was built, by what, and for what.
type versionCmd struct{}

func (versionCmd) Run(c *console) error {
	version := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	_, err := fmt.Fprintf(c.out, "weir %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
