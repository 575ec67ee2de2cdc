package cuda

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"sync"
)

// committed are the kernels, as the driver compiles them for its GPU.
//
//go:embed kernels/*.ptx
var committed embed.FS

// module is PTX that a device compiles when one of its kernels is first launched.
type module struct {
	name string
	text string
}

// committedModules returns, for each kernel of the committed PTX, the module that it is in.
var committedModules = sync.OnceValues(func() (map[string]*module, error) {
	names, err := fs.Glob(committed, "kernels/*.ptx")
	if err != nil {
		return nil, err
	}
	modules := map[string]*module{}
	for _, name := range names {
		text, err := committed.ReadFile(name)
		if err != nil {
			return nil, err
		}
		m := &module{name: name, text: string(text)}
		for _, kernel := range entries(m.text) {
			if twin := modules[kernel]; twin != nil {
				return nil, fmt.Errorf("kernel %s is in %s and in %s", kernel, twin.name, name)
			}
			modules[kernel] = m
		}
	}
	return modules, nil
})

// entries returns the names of the kernels of a PTX text.
func entries(text string) []string {
	var names []string
	for {
		_, rest, found := strings.Cut(text, ".entry ")
		if !found {
			return names
		}
		name, _, _ := strings.Cut(rest, "(")
		names = append(names, strings.TrimSpace(name))
		text = rest
	}
}

// find returns the module of a kernel: m, or the committed one that has it if m is nil.
func find(m *module, kernel string) (*module, error) {
	if m != nil {
		return m, nil
	}
	modules, err := committedModules()
	if err != nil {
		return nil, err
	}
	if m = modules[kernel]; m == nil {
		return nil, fmt.Errorf("no kernel %s", kernel)
	}
	return m, nil
}
