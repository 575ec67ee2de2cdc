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

// module is PTX that a device compiles when its kernel is first wanted. Compiling is slow, so it has one kernel.
type module struct {
	name string
	head string // what it shares with the others of its file, if there are any
	text string
}

// committedModules returns, for each kernel of the committed PTX, the module that it is cut out as.
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
		for kernel, m := range cutKernels(name, string(text)) {
			if twin := modules[kernel]; twin != nil {
				return nil, fmt.Errorf("kernel %s is in %s and in %s", kernel, twin.name, name)
			}
			modules[kernel] = m
		}
	}
	return modules, nil
})

// entryStart begins a kernel. What a file has beside its kernels is before the first of them.
const entryStart = ".visible .entry "

// cutKernels returns the kernels of a file, each with what all of them share. It copies no text.
func cutKernels(file, text string) map[string]*module {
	head, rest, found := strings.Cut(text, entryStart)
	modules := map[string]*module{}
	for found {
		kernel, _, _ := strings.Cut(rest, "(")
		begin := len(text) - len(rest) - len(entryStart)
		_, rest, found = strings.Cut(rest, entryStart)
		end := len(text)
		if found {
			end -= len(rest) + len(entryStart)
		}
		modules[kernel] = &module{name: file, head: head, text: text[begin:end]}
	}
	return modules
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
