// Command gomlx measures the Go backend of GoMLX as weir bench measures ours: matrix products and elementwise operations in float32, compiled once and
// executed again and again, each first compared with a sum or function of package math.
//
//	go run . 1 0.3   # workers, and seconds of each measurement
//	GOEXPERIMENT=simd go run . 2 0.3
//
// It is a module of its own, so that Weir does not depend on what it is compared with.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/simplego"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
)

// peer is what the measurements are named after.
const peer = "GoMLX"

// product is a matrix product (m, k)·(k, n).
type product struct{ m, k, n int }

var products = []product{{500, 64, 64}, {256, 256, 256}, {50000, 64, 64}, {1024, 1024, 1024}}

// function is an elementwise operation on operands of shape (500, 100, 64), whose second one is not used by functions of one.
type function struct {
	name  string
	graph func(x, y *graph.Node) *graph.Node
	want  func(x, y float64) float64
}

var functions = []function{
	{"exp", func(x, _ *graph.Node) *graph.Node { return graph.Exp(x) }, func(x, _ float64) float64 { return math.Exp(x) }},
	{"log", func(x, _ *graph.Node) *graph.Node { return graph.Log(x) }, func(x, _ float64) float64 { return math.Log(x) }},
	{"tanh", func(x, _ *graph.Node) *graph.Node { return graph.Tanh(x) }, func(x, _ float64) float64 { return math.Tanh(x) }},
	{"erf", func(x, _ *graph.Node) *graph.Node { return graph.Erf(x) }, func(x, _ float64) float64 { return math.Erf(x) }},
	{"add", graph.Add, func(x, y float64) float64 { return x + y }},
	{"mul", graph.Mul, func(x, y float64) float64 { return x * y }},
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: gomlx WORKERS SECONDS")
	}
	workers, err := strconv.Atoi(os.Args[1])
	if err != nil || workers < 1 {
		log.Fatalf("gomlx: %q workers; want at least 1", os.Args[1])
	}
	seconds, err := strconv.ParseFloat(os.Args[2], 64)
	if err != nil {
		log.Fatalf("gomlx: %q seconds: %v", os.Args[2], err)
	}
	runtime.GOMAXPROCS(workers)
	backend, err := simplego.New("")
	if err != nil {
		log.Fatalf("gomlx: %v", err)
	}
	m := measurement{backend, workers, time.Duration(seconds * float64(time.Second))}
	if err := m.all(); err != nil {
		log.Fatalf("gomlx: %v", err)
	}
}

// measurement is how to measure.
type measurement struct {
	backend backends.Backend
	workers int
	budget  time.Duration
}

// line is what bench/peers/measure.py reads.
type line struct {
	Name    string  `json:"name"`
	Version string  `json:"version"`
	Threads int     `json:"threads"`
	Value   float64 `json:"value"`
	Unit    string  `json:"unit"`
}

func (m measurement) all() error {
	for _, p := range products {
		name := fmt.Sprintf("matmul/float32/%dx%dx%d", p.m, p.k, p.n)
		x, y := random(p.m, p.k), random(p.k, p.n)
		if err := m.report(name, graph.Dot, x, y, func(i int) float64 { return p.at(x, y, i) }); err != nil {
			return err
		}
	}
	for _, f := range functions {
		x, y := random(500, 100, 64), random(500, 100, 64)
		want := func(i int) float64 { return f.want(float64(x.data[i]), float64(y.data[i])) }
		if err := m.report("ops/"+f.name+"/float32/500x100x64", f.graph, x, y, want); err != nil {
			return err
		}
	}
	return nil
}

// at returns element i of the product.
func (p product) at(x, y array, i int) float64 {
	sum, row, col := 0.0, i/p.n, i%p.n
	for k := range p.k {
		sum += float64(x.data[row*p.k+k]) * float64(y.data[k*p.n+col])
	}
	return sum
}

// array is an operand.
type array struct {
	data []float32
	dims []int
}

// random returns numbers in [0.1, 3.1), for which every function is defined.
func random(dims ...int) array {
	n := 1
	for _, d := range dims {
		n *= d
	}
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	a := array{make([]float32, n), dims}
	for i := range a.data {
		a.data[i] = 0.1 + 3*rng.Float32()
	}
	return a
}

// report checks a function of two operands and prints the mean of each of several rounds that share the budget.
func (m measurement) report(name string, f func(x, y *graph.Node) *graph.Node, x, y array, want func(i int) float64) error {
	exec, err := graph.NewExec(m.backend, f)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer exec.Finalize()
	a, b := tensors.FromFlatDataAndDimensions(x.data, x.dims...), tensors.FromFlatDataAndDimensions(y.data, y.dims...)
	result, err := exec.Exec1(a, b)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	values, err := tensors.CopyFlatData[float32](result)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for i := 0; i < len(values); i += 1 + len(values)/100 {
		if w := want(i); !(math.Abs(float64(values[i])-w) <= 1e-5*math.Max(1, math.Abs(w))) {
			return fmt.Errorf("%s: element %d is %v; want %v", name, i, values[i], w)
		}
	}
	const rounds = 5
	for range rounds {
		ns, err := timed(func() error {
			result, err := exec.Exec1(a, b)
			if err != nil {
				return err
			}
			return result.FinalizeAll()
		}, m.budget/rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := json.NewEncoder(os.Stdout).Encode(line{peer + "/" + name, version(), m.workers, ns, "ns"}); err != nil {
			return err
		}
	}
	return nil
}

// timed returns the nanoseconds of an execution, the mean of as many as fill the time.
func timed(run func() error, budget time.Duration) (float64, error) {
	start, n := time.Now(), 0
	for n == 0 || time.Since(start) < budget {
		if err := run(); err != nil {
			return 0, err
		}
		n++
	}
	return float64(time.Since(start).Nanoseconds()) / float64(n), nil
}

// version returns that of GoMLX.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == "github.com/gomlx/gomlx" {
				return dep.Version
			}
		}
	}
	return "unknown"
}
