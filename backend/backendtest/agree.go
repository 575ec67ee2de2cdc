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
	var suites [2]*suite
	for i, open := range []func() (backend.Device, error){openA, openB} {
		dev, err := open()
		if err != nil {
			t.Fatalf("open: %v", err)
		}
		suites[i] = newSuite(dev, "agree", *seedFlag, func(violation string) { t.Error(violation) })
		if !suites[i].openStream() {
			return
		}
		defer suites[i].close()
	}
	for _, c := range suites[0].sharedCommands() {
		compareDevices(suites[0], suites[1], c)
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

func compareDevices(a, b *suite, c *backend.Cmd) {
	x, err := a.execute(c)
	if err != nil {
		a.failf("%s\n\tfails on the first device: %v", describe(c), err)
		return
	}
	y, err := b.execute(c)
	if err != nil {
		b.failf("%s\n\tfails on the second device: %v", describe(c), err)
		return
	}
	for k := range c.Dst {
		a.expectSame(c, "two devices of one backend differ", k, x[c.Dst[k].Buf], y[c.Dst[k].Buf])
	}
}
