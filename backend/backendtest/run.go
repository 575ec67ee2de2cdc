package backendtest

import (
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"testing"

	"github.com/weir-ml/weir/backend"
)

var (
	seedFlag     = flag.Uint64("backendtest.seed", 1, "seed of the data that backendtest draws")
	commandsFlag = flag.Int("backendtest.commands", 1000, "length of the random command programs of backendtest")
)

// group is a part of the contract and the cases that hold a device to it.
type group struct {
	name string
	run  func(*suite)
}

var groups = []group{
	{"memory", memoryCases},
	{"stream", streamCases},
	{"errors", errorCases},
	{"copy", copyCases},
	{"map", mapCases},
	{"map values", mapValueCases},
	{"programs", programCases},
	{"reduce", reduceCases},
	{"matmul", matMulCases},
	{"index", indexCases},
	{"scan", scanCases},
	{"sort", sortCases},
	{"random", randomCases},
	{"grain", grainCases},
	{"large", largeCases},
	{"any program", fuzzCases},
}

// Run checks that the device that open returns keeps the contract of package backend. It closes the device.
//
// Every part of the contract is a subtest, so -run selects. All violations are reported, each as an error of its subtest.
func Run(t *testing.T, open func() (backend.Device, error)) {
	t.Helper()
	dev, err := open()
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			runGroup(dev, g, *seedFlag, func(violation string) { t.Error(violation) })
		})
	}
	if err := dev.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// suite is a group while it runs on a device.
type suite struct {
	dev    backend.Device
	stream backend.Stream
	seed   uint64
	rng    *rand.Rand
	report func(violation string)
	pools  map[backend.DType][]scalar
}

// runGroup runs one group, whose data depend on the seed and its name alone.
func runGroup(dev backend.Device, g group, seed uint64, report func(string)) {
	s := newSuite(dev, g.name, seed, report)
	if !s.openStream() {
		return
	}
	g.run(s)
	s.close()
}

func newSuite(dev backend.Device, name string, seed uint64, report func(string)) *suite {
	h := fnv.New64a()
	h.Write([]byte(name))
	return &suite{
		dev:    dev,
		seed:   seed,
		rng:    rand.New(rand.NewPCG(seed, h.Sum64())),
		report: report,
		pools:  map[backend.DType][]scalar{},
	}
}

// close closes the stream; the device is the caller's.
func (s *suite) close() {
	if s.stream == nil {
		return
	}
	if err := s.stream.Close(); err != nil {
		s.failf("stream.Close: %v", err)
	}
}

func (s *suite) failf(format string, args ...any) {
	s.report(fmt.Sprintf(format, args...) + fmt.Sprintf("\n\tseed: -backendtest.seed=%d", s.seed))
}

// openStream replaces the stream: a failed one is poisoned for good.
func (s *suite) openStream() bool {
	if s.stream != nil {
		s.stream.Close() // reports the failure again, which is known
	}
	stream, err := s.dev.NewStream()
	if err != nil {
		s.failf("NewStream: %v", err)
		s.stream = nil
		return false
	}
	s.stream = stream
	return true
}
