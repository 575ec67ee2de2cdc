package backendtest

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weir-ml/weir/backend"
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
	{"cells", cellCases},
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
	{"loops", loopCases},
	{"any program", fuzzCases},
}

// Run checks that the device that open returns keeps the contract of package backend. It closes the device.
//
// Every part of the contract is a subtest, so -run selects. All violations are found; the smallest are reported, each as an error of its
// subtest, with the command that repeats it. With -short, the cases are a sample that depends on the seed.
func Run(t *testing.T, open func() (backend.Device, error)) {
	t.Helper()
	run(t, []Target{{Open: open}}, groups)
}

// RunParts is Run of some parts of the contract, by the names of their subtests. It is for a device that was opened with options that leave others out,
// like [backend.Options.MatMul], which leaves out the part called grain.
func RunParts(t *testing.T, open func() (backend.Device, error), parts ...string) {
	t.Helper()
	chosen := make([]group, len(parts))
	for i, part := range parts {
		k := slices.IndexFunc(groups, func(g group) bool { return g.name == part })
		if k < 0 {
			t.Fatalf("no part %q", part)
		}
		chosen[i] = groups[k]
	}
	run(t, []Target{{Open: open}}, chosen)
}

// Target is one of several devices under test. Its name is that of its subtests.
type Target struct {
	Name string
	Open func() (backend.Device, error)
}

// RunEach is Run for several devices at once, say one backend with several instruction sets and numbers of workers. Each case is drawn
// and predicted once, which takes most of the time, and executed on every device; below each part's subtest is one for every device.
func RunEach(t *testing.T, targets []Target) {
	t.Helper()
	run(t, targets, groups)
}

func run(t *testing.T, targets []Target, groups []group) {
	t.Helper()
	flags.short = testing.Short()
	devices := make([]*device, len(targets))
	for i, target := range targets {
		dev, err := target.Open()
		if err != nil {
			t.Fatalf("open %s: %v", target.Name, err)
		}
		devices[i] = &device{name: target.Name, dev: dev}
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) { runReported(t, g, devices) })
	}
	for _, d := range devices {
		if err := d.dev.Close(); err != nil {
			t.Errorf("close %s: %v", d.name, err)
		}
	}
}

// mostReported is how many violations of one group and device are worth reading.
const mostReported = 20

// runReported runs a group on all devices, then reports what it found as errors of the group or of each device's subtest.
func runReported(t *testing.T, g group, devices []*device) {
	t.Helper()
	found := map[*device][]violation{}
	runGroup(g, devices, flags, t.Name(), func(d *device, v violation) { found[d] = append(found[d], v) })
	for _, d := range devices {
		if d.name == "" {
			reportSmallest(t, found[d])
			continue
		}
		t.Run(d.name, func(t *testing.T) { reportSmallest(t, found[d]) })
	}
}

func reportSmallest(t *testing.T, found []violation) {
	t.Helper()
	slices.SortStableFunc(found, func(a, b violation) int { return cmp.Compare(a.size, b.size) })
	for i, v := range found {
		if i == mostReported {
			t.Errorf("%d more violations, of larger commands", len(found)-i)
			return
		}
		t.Error(v.text)
	}
}

// violation is a rule broken: what happened, and how many elements the command has.
type violation struct {
	text string
	size int
}

// device is a device under test with the stream in use. A group is run on several.
type device struct {
	name   string
	dev    backend.Device
	stream backend.Stream
}

// suite is a group while it runs.
type suite struct {
	*device  // the one in use; see each
	devices  []*device
	settings *settings
	test     string // the subtest
	number   int    // of the case
	size     int    // elements of the case
	rng      *rand.Rand
	report   func(*device, violation)
	visit    func(c *backend.Cmd, want [][]expect) // sees each command that is checked, if not nil
	pools    map[backend.DType][]scalar
}

// runGroup runs one group, whose data depend on the seed and its name alone.
func runGroup(g group, devices []*device, o *settings, test string, report func(*device, violation)) {
	s := newSuite(g.name, devices, o, test, report)
	if s.openStreams() {
		g.run(s)
	}
	s.close()
}

func newSuite(name string, devices []*device, o *settings, test string, report func(*device, violation)) *suite {
	h := fnv.New64a()
	h.Write([]byte(name))
	return &suite{
		devices:  devices,
		settings: o,
		test:     test,
		rng:      rand.New(rand.NewPCG(o.seed, h.Sum64())),
		report:   report,
		pools:    map[backend.DType][]scalar{},
	}
}

// each does something with every device in turn.
func (s *suite) each(do func()) {
	for _, d := range s.devices {
		s.device = d
		do()
	}
}

// sampleOf is how many cases there are to each that a short run executes.
const sampleOf = 8

// skips reports whether a short run leaves the next case out.
func (s *suite) skips() bool { return s.settings.short && s.rng.IntN(sampleOf) != 0 }

// next begins a case of so many elements. It reports whether to execute it: what a case draws it draws anyway, so that one of
// many can be repeated alone.
func (s *suite) next(size int) bool {
	s.number++
	s.size = size
	return s.settings.number == 0 || s.settings.number == s.number
}

func (s *suite) openStreams() bool {
	opened := true
	s.each(func() { opened = s.openStream() && opened })
	return opened
}

// close closes the streams; the devices are the caller's.
func (s *suite) close() {
	s.each(func() {
		if s.stream == nil {
			return
		}
		if err := s.stream.Close(); err != nil {
			s.failf("stream.Close: %v", err)
		}
		s.stream = nil
	})
}

// failf reports a violation by the device in use.
func (s *suite) failf(format string, args ...any) {
	s.failKeeping(nil, fmt.Sprintf(format, args...))
}

// failKeeping reports a violation that some commands of the random program show.
func (s *suite) failKeeping(keep numbers, text string) {
	test := s.test
	if s.name != "" {
		test += "/" + subtestName(s.name)
	}
	s.report(s.device, violation{text + "\n\trerun: " + s.settings.rerun(test, s.number, keep), s.size})
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
