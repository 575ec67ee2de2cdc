package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// probe asks the kernel.
func (f *Facts) probe() {
	f.Processor = processor(readFile("/proc/cpuinfo"))
	if kib, ok := field(readFile("/proc/meminfo"), "MemTotal"); ok {
		f.Memory = size(strings.ReplaceAll(strings.TrimSuffix(kib, "B"), " ", ""))
	}
	caches, _ := filepath.Glob("/sys/devices/system/cpu/cpu0/cache/index*")
	for _, dir := range caches {
		bytes := size(strings.TrimSpace(readFile(filepath.Join(dir, "size"))))
		level, kind := strings.TrimSpace(readFile(filepath.Join(dir, "level"))), strings.TrimSpace(readFile(filepath.Join(dir, "type")))
		switch {
		case kind == "Instruction":
		case level == "1":
			f.L1 = bytes
		case level == "2":
			f.L2 = bytes
		case level == "3":
			f.L3 = bytes
		}
	}
}

func readFile(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "" // not known, then
	}
	return string(text)
}

// processor returns the model in /proc/cpuinfo, with its numbers where there are some: a virtual machine's name says little.
func processor(cpuinfo string) string {
	name, ok := field(cpuinfo, "model name")
	if !ok {
		return ""
	}
	family, hasFamily := field(cpuinfo, "cpu family")
	model, hasModel := field(cpuinfo, "model")
	if !hasFamily || !hasModel {
		return name
	}
	return fmt.Sprintf("%s, family %s, model %s", name, family, model)
}

// field returns the first value of that name in lines of "name : value".
func field(text, name string) (string, bool) {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}

// size returns the bytes in a text like 512K or 24k, 0 if it is none.
func size(text string) int64 {
	shift := 0
	if text != "" {
		shift = map[byte]int{'K': 10, 'k': 10, 'M': 20, 'G': 30}[text[len(text)-1]]
	}
	if shift > 0 {
		text = text[:len(text)-1]
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return n << shift
}
