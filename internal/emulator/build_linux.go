package emulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/cpu"
)

const compiler = "g++"

// Contracted products would not be the kernels'. O1 compiles in half the time of O2 and runs little slower.
var common = []string{"-std=c++17", "-O1", "-fPIC", "-fvisibility=hidden", "-ffp-contract=off", "-Wall", "-Wextra", "-x", "c++", "-c"}

// A GPU faults on a misaligned address; an index beyond an array of a kernel's has no meaning. Either traps.
var checked = []string{"-fsanitize=alignment,bounds", "-fsanitize-undefined-trap-on-error"}

// flags are those for a file. Fused multiplication and rounding are instructions if this processor has them.
func flags(name string) []string {
	f := slices.Clone(common)
	if runtime.GOARCH == "amd64" && cpu.X86.HasFMA && cpu.X86.HasSSE41 {
		f = append(f, "-mfma", "-msse4.1")
	}
	if filepath.Ext(name) == ".cu" {
		f = append(f, checked...)
	}
	return f
}

// Build returns the path of the driver, compiled if it has not been before.
func (s Sources) Build() (string, error) {
	path, err := exec.LookPath(compiler)
	if err != nil {
		return "", fmt.Errorf("emulator: %w: %s is not installed", ErrUnavailable, compiler)
	}
	version, err := exec.Command(path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("emulator: %s --version: %w", compiler, err)
	}
	cache := cacheDir()
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(filepath.Join(cache, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	forget(cache)
	work, err := os.MkdirTemp(cache, "work")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	b := builder{sources: s, compiler: path, version: string(version), cache: cache, work: work}
	return b.library()
}

// lock waits for other processes that build: packages are tested at the same time.
func lock(path string) (unlock func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, err
	}
	return f.Close, nil
}

// kept is how long what nobody uses stays in the cache.
const kept = 14 * 24 * time.Hour

func forget(cache string) {
	entries, err := os.ReadDir(cache)
	if err != nil {
		return // the build says why
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > kept {
			os.RemoveAll(filepath.Join(cache, e.Name()))
		}
	}
}

type builder struct {
	sources           Sources
	compiler, version string
	cache, work       string
}

func (b *builder) library() (string, error) {
	for name, text := range b.sources {
		if err := os.WriteFile(filepath.Join(b.work, name), []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	objects, err := b.objects()
	if err != nil {
		return "", err
	}
	return b.make("libcuda-"+hash(objects...)+".so", append([]string{"-shared", "-Wl,-soname,libcuda.so.1"}, objects...))
}

// objects compiles as many sources at once as there are processors.
func (b *builder) objects() ([]string, error) {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(b.sources)) {
		if filepath.Ext(name) != ".h" {
			names = append(names, name)
		}
	}
	objects, errs := make([]string, len(names)), make([]error, len(names))
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() {
			slots <- struct{}{}
			objects[i], errs[i] = b.object(name)
			<-slots
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return objects, nil
}

func (b *builder) object(name string) (string, error) {
	f := flags(name)
	parts := append([]string{b.version}, f...)
	for _, file := range b.included(name, nil) {
		parts = append(parts, file, b.sources[file])
	}
	return b.make(strings.TrimSuffix(name, filepath.Ext(name))+"-"+hash(parts...)+".o", append(f, name))
}

var include = regexp.MustCompile(`(?m)^#include "([^"]+)"`)

// included returns the file and those it includes.
func (b *builder) included(name string, seen []string) []string {
	if slices.Contains(seen, name) {
		return seen
	}
	seen = append(seen, name)
	for _, match := range include.FindAllStringSubmatch(b.sources[name], -1) {
		seen = b.included(match[1], seen)
	}
	return seen
}

// make returns the path of a file of the cache, which the compiler writes if it is not there.
func (b *builder) make(name string, args []string) (string, error) {
	path := filepath.Join(b.cache, name)
	if now := time.Now(); os.Chtimes(path, now, now) == nil {
		return path, nil
	}
	made := filepath.Join(b.work, name)
	cmd := exec.Command(b.compiler, append(args, "-o", made)...)
	cmd.Dir = b.work
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("emulator: %s: %w\n%s", name, err, log.Bytes())
	}
	return path, os.Rename(made, path)
}

func hash(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d %s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}
