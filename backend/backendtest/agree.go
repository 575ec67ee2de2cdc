package backendtest

import (
	"testing"

	"github.com/weir-ml/weir/backend"
)

// Agree checks that two devices of one backend give the same bits: say, one with a single worker and one with several. It closes
// both. What is compared is what could differ: sums, products, long maps, sorts and random numbers of sizes that are
// worth sharing out.
func Agree(t *testing.T, openA, openB func() (backend.Device, error)) {
	t.Helper()
	var devices []*device
	for _, open := range []func() (backend.Device, error){openA, openB} {
		dev, err := open()
		if err != nil {
			t.Fatalf("open: %v", err)
		}
		devices = append(devices, &device{dev: dev})
	}
	runGroup(group{"agree", agreeCases}, devices, flags, t.Name(), func(_ *device, v violation) { t.Error(v.text) })
	for _, d := range devices {
		if err := d.dev.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}

// agreeCases compares the first device with the others.
func agreeCases(s *suite) {
	for _, c := range s.sharedCommands() {
		if s.next(sizeOf(c)) {
			s.compareDevices(c)
		}
	}
}

// sharedCommands returns commands that several workers would divide among them.
func (s *suite) sharedCommands() []*backend.Cmd {
	cs := append(s.largeCommands(), append(s.grainReductions(backend.Float32), s.grainProducts(backend.Float32)...)...)
	for _, op := range backend.MapOps() {
		if op.Accepts(backend.Float32) && op != backend.Where && op != backend.Cast {
			t := typedInstr{op: op, computes: backend.Float32}
			for range op.Arity() {
				t.ins = append(t.ins, backend.Float32)
			}
			if op.Compares() {
				t.computes = backend.Bool
			}
			cs = append(cs, s.mapCommand(t.prog(), []int{50_021}, contiguous, contiguous, anything))
		}
	}
	return cs
}

func (s *suite) compareDevices(c *backend.Cmd) {
	var first memory
	s.each(func() {
		if s.lacks(c) {
			return
		}
		after, err := s.execute(c)
		if err != nil {
			s.failf("%s\n\tfails on one device: %v", describe(c), err)
			return
		}
		if first == nil {
			first = after
		}
		for k := range c.Dst {
			s.expectSame(c, "two devices of one backend differ", k, after[c.Dst[k].Buf], first[c.Dst[k].Buf])
		}
	})
}
