package bench

import (
	"fmt"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// target is a device under test.
type target struct {
	dev     backend.Device
	tensors *tensor.Device
	name    string
	workers int
	host    bool // its memory is the host's, and so are its ceilings
	pace    map[string]pace

	rounding float64 // of the terms of float32 products

	contents contents // the same for all targets of a run
}

// pace is how fast the largest case of a suite so far was.
type pace struct{ work, seconds float64 }

func newTarget(dev backend.Device) (*target, error) {
	t := &target{dev: dev, tensors: tensor.NewDevice(dev), name: dev.Name(), workers: 1, pace: map[string]pace{}}
	if p, ok := dev.(backend.Parallel); ok {
		t.workers = p.Workers()
	}
	probe, err := dev.Alloc(64)
	if err != nil {
		return nil, fmt.Errorf("bench: %s: %w", t.name, err)
	}
	t.host = probe.Host != nil
	dev.Free(probe)
	return t, nil
}

// newTargets refuses two devices that a report could not tell apart.
func newTargets(devices []backend.Device) ([]*target, error) {
	if len(devices) == 0 {
		return nil, fmt.Errorf("bench: no devices; open one, like backend.Open(\"cpu\", backend.Options{})")
	}
	var targets []*target
	shared := contents{}
	for _, dev := range devices {
		t, err := newTarget(dev)
		if err != nil {
			return nil, err
		}
		for _, other := range targets {
			if other.name == t.name && other.workers == t.workers {
				return nil, fmt.Errorf("bench: two devices are %s with %d workers; want different names or workers", t.name, t.workers)
			}
		}
		t.contents = shared
		targets = append(targets, t)
	}
	return targets, nil
}

// foresee returns the seconds that an execution will take, by the suite's largest case so far; 0 if there was none.
func (t *target) foresee(c *benchCase) float64 {
	p := t.pace[c.suite]
	if p.work == 0 || c.work == 0 {
		return 0
	}
	return p.seconds * c.work / p.work
}

// remember keeps how long an execution took, for those to come.
func (t *target) remember(c *benchCase, seconds float64) {
	if c.work > t.pace[c.suite].work {
		t.pace[c.suite] = pace{c.work, seconds}
	}
}
