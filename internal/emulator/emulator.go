package emulator

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Variable names the driver library for backend/cuda, and multiplier cublasLt, which the emulated driver has in itself.
const (
	Variable   = "WEIR_CUDA_LIBRARY"
	multiplier = "WEIR_CUBLASLT_LIBRARY"
)

// ErrUnavailable is why there is no emulated driver where it cannot be built: another system, or no g++.
var ErrUnavailable = errors.New("no emulated CUDA driver")

// Use builds the driver and points backend/cuda to it, unless the environment names one already. It returns an error that is ErrUnavailable where
// there can be none.
func Use() error { return use() }

// Active reports whether the driver that Use has set, or the environment names, is an emulated one.
func Active() bool { return filepath.Dir(os.Getenv(Variable)) == cacheDir() }

var use = sync.OnceValue(func() error {
	if os.Getenv(Variable) == "" {
		if err := build(); err != nil {
			return err
		}
	}
	if !Active() {
		return nil
	}
	return os.Setenv(multiplier, os.Getenv(Variable)) // a real one would find no GPU
})

func build() error {
	s, err := Committed()
	if err != nil {
		return err
	}
	path, err := s.Build()
	if err != nil {
		return err
	}
	return os.Setenv(Variable, path)
}

// Main is the TestMain of a package whose tests run on every backend there is: it makes that one of them, and runs the tests without it where Use finds no
// driver. It ends the process.
func Main(m *testing.M) {
	if err := Use(); err != nil && (required() || !errors.Is(err, ErrUnavailable)) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// required reports whether a test that needs a device must not be skipped.
func required() bool { return os.Getenv("WEIR_CUDA") == "required" }

// Need skips the test if Use finds no driver, and fails it if the environment variable WEIR_CUDA is "required" or the driver does not build.
func Need(t testing.TB) {
	t.Helper()
	switch err := Use(); {
	case err == nil:
	case errors.Is(err, ErrUnavailable) && !required():
		t.Skip(err)
	default:
		t.Fatal(err)
	}
}

// cacheDir is where drivers are kept.
func cacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "weir", "emulator")
}

// Sources are the texts that a driver is built of, by the names of their files. A test may change them first.
type Sources map[string]string

// Committed returns the sources of this module, which the working directory is in.
func Committed() (Sources, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	s := Sources{}
	for _, pattern := range []string{"kernels/*.cu", "kernels/*.h", "testdata/emulator/*.cpp", "testdata/emulator/*.h"} {
		paths, err := filepath.Glob(filepath.Join(root, "backend", "cuda", filepath.FromSlash(pattern)))
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			s[filepath.Base(path)] = string(text)
		}
	}
	return s, nil
}

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("emulator: %w: its sources are not here", ErrUnavailable)
		}
		dir = parent
	}
}
