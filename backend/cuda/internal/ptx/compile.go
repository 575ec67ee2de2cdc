package ptx

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
)

// Arch is the architecture that the modules are compiled for. Newer GPUs run it too.
const Arch = "sm_80"

// Clang names the compiler. Its version is part of what a module says of itself.
const Clang = "clang-19"

// A contracted product would not be the host's; PTX below 7.0 has no shuffles to clang.
var flags = []string{
	"-x", "cuda", "--cuda-device-only", "-nocudainc", "-nocudalib", "--cuda-gpu-arch=" + Arch, "--cuda-feature=+ptx70",
	"-std=c++17", "-O3", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-S",
}

// Version returns the first line that Clang prints of itself, an error if it is not installed.
func Version() (string, error) {
	out, err := exec.Command(Clang, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("ptx: %s is not there; apt-get install %s: %w", Clang, Clang, err)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line), nil
}

// Compile returns what Path should hold.
func (m Module) Compile() (string, error) {
	version, err := Version()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(Clang, append(append([]string{}, flags...), m.Name+".cu", "-o", "-")...)
	cmd.Dir = m.Dir
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("ptx: %s: %w\n%s", m.Source(), err, log.Bytes())
	}
	text := out.String()
	if err := Verify(text); err != nil {
		return "", fmt.Errorf("ptx: %s: %w", m.Source(), err)
	}
	header, err := m.header(version, text)
	return header + text, err
}

// Verify returns an error if the text calls a function that it lacks, or keeps variables in local memory.
func Verify(text string) error {
	for i, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) > 1 && words[0] == ".extern" && words[1] == ".func":
			return fmt.Errorf("line %d calls a function that no module has: %s", i+1, strings.TrimSpace(line))
		case len(words) > 0 && words[0] == ".local":
			return fmt.Errorf("line %d keeps variables in local memory: %s", i+1, strings.TrimSpace(line))
		}
	}
	return nil
}
