package cuda

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// functionsText is kernels/functions.cu, compiled: what elementwise programs may call.
//
//go:embed kernels/functions.ptx
var functionsText string

// definition is a function or a constant of functionsText.
type definition struct {
	name string
	text string
	uses []string // other definitions
}

var (
	definitionStart = regexp.MustCompile(`(?m)^(?:\.visible |\.weak )?\.(?:func|const|global)\b`)
	definitionName  = regexp.MustCompile(`^\.(?:func\s*(?:\([^)]*\))?\s*|(?:const|global) (?:\.\w+(?: \d+)? )*)([\w$]+)`)
	anyName         = regexp.MustCompile(`[\w$]+`)
)

// definitions returns those of functionsText in their order, by name too. A definition comes after those that it uses.
var definitions = sync.OnceValue(func() []definition {
	starts := definitionStart.FindAllStringIndex(functionsText, -1)
	var all []definition
	for i, at := range starts {
		end := len(functionsText)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		text := strings.TrimPrefix(functionsText[at[0]:end], ".visible ")
		name := definitionName.FindStringSubmatch(text)[1]
		d := definition{name: name, text: withoutComments(text)}
		words := map[string]bool{}
		for _, word := range anyName.FindAllString(d.text, -1) {
			words[word] = true
		}
		for _, other := range all {
			if words[other.name] {
				d.uses = append(d.uses, other.name)
			}
		}
		all = append(all, d)
	}
	return all
})

// withoutComments drops what the compiler has to say to a reader, which the driver would have to read again and again.
func withoutComments(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		code, _, commented := strings.Cut(line, "//")
		if code = strings.TrimRight(code, " \t\n"); code == "" && commented {
			continue
		}
		if code != "" {
			b.WriteString(code + "\n")
		}
	}
	return b.String()
}

// calledFunctions returns the text of functions and of what they use.
func calledFunctions(names map[string]bool) string {
	if len(names) == 0 {
		return ""
	}
	all := definitions()
	needed := map[string]bool{}
	for name := range names {
		needed[name] = true
	}
	for _, d := range slices.Backward(all) {
		if needed[d.name] {
			for _, use := range d.uses {
				needed[use] = true
			}
		}
	}
	var b strings.Builder
	for _, d := range all {
		if needed[d.name] {
			b.WriteString(d.text)
		}
	}
	return b.String()
}
