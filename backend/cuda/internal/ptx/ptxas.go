package ptx

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Usage is what a kernel takes of a multiprocessor.
type Usage struct {
	Kernel            string
	Registers, Shared int // registers of a thread, bytes of static shared memory of a block
	Spilled           int // bytes of registers kept in local memory
}

// Assembler returns the path of NVIDIA's assembler: the environment variable PTXAS if set, else ptxas of PATH, "" if it is not installed.
func Assembler() string {
	if path := os.Getenv("PTXAS"); path != "" {
		return path
	}
	path, _ := exec.LookPath("ptxas")
	return path
}

// Assemble gives the text to the assembler for that architecture and returns what each kernel uses, or the assembler's complaint.
func Assemble(assembler, arch, text string) ([]Usage, error) {
	dir, err := os.MkdirTemp("", "ptx")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	in := filepath.Join(dir, "module.ptx")
	if err := os.WriteFile(in, []byte(text), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command(assembler, "-arch="+arch, "-v", "-o", filepath.Join(dir, "module.cubin"), in)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("ptx: %s: %w\n%s", assembler, err, log.Bytes())
	}
	return usages(log.String()), nil
}

var (
	compiling = regexp.MustCompile(`Compiling entry function '(\w+)'`)
	stored    = regexp.MustCompile(`(\d+) bytes spill stores`)
	registers = regexp.MustCompile(`Used (\d+) registers`)
	static    = regexp.MustCompile(`(\d+) bytes smem`)
)

func usages(log string) []Usage {
	var all []Usage
	for _, line := range strings.Split(log, "\n") {
		if match := compiling.FindStringSubmatch(line); match != nil {
			all = append(all, Usage{Kernel: match[1]})
		}
		if len(all) == 0 {
			continue
		}
		last := &all[len(all)-1]
		last.Spilled += number(stored, line)
		last.Registers += number(registers, line)
		last.Shared += number(static, line)
	}
	return all
}

func number(pattern *regexp.Regexp, line string) int {
	match := pattern.FindStringSubmatch(line)
	if match == nil {
		return 0
	}
	n, _ := strconv.Atoi(match[1]) // the pattern has digits only
	return n
}
