package tensor

import "github.com/weir-ml/weir/backend"

// BeginDeferred is BeginRecording, but nothing is executed, and what is made has no memory, until [Recording.Execute] or [Recording.Settle]: a step can be
// looked at whole, and put together in a better way, before it runs the first time. Only what the host writes is in memory at once.
//
// Where released memory is to be poisoned (see [Debug]) it is BeginRecording: a step runs as it was written.
func (s *Stream) BeginDeferred() *Recording {
	r := s.BeginRecording()
	if !s.dev.debug.Poison {
		r.phantoms = &phantoms{Device: r.pool.dev, lent: map[*backend.Buffer]struct{}{}}
		r.pool.dev = r.phantoms
	}
	return r
}

// phantoms stands for a device while commands wait: it lends buffers that have a size and no memory.
type phantoms struct {
	backend.Device
	lent map[*backend.Buffer]struct{}
	made []*block // whose buffers are lent ones
}

// Alloc implements [backend.Device].
func (p *phantoms) Alloc(size int) (*backend.Buffer, error) {
	buf := &backend.Buffer{Device: p.Device, Size: size}
	p.lent[buf] = struct{}{}
	return buf, nil
}

// Free implements [backend.Device].
func (p *phantoms) Free(buf *backend.Buffer) {
	if _, ok := p.lent[buf]; !ok {
		p.Device.Free(buf)
	}
}

// Deferred reports whether nothing that was recorded has been executed yet.
func (r *Recording) Deferred() bool { return r.phantoms != nil }

// Execute gives memory to all that has none, executes what was recorded so far, and makes the recording one that executes at once.
func (r *Recording) Execute() {
	if !r.Deferred() {
		return
	}
	if err := r.settle(func(*block) bool { return true }); err != nil {
		panic(&Error{Op: "record", Reason: "cannot hold what the step makes", Err: err})
	}
	r.stream.queue.Exec(r.cmds)
}

// Settle gives memory to the tensors that are still in use, whose contents are undefined until a replay. The recording must have ended; operands of
// commands whose tensors were released are left without memory, and are to be replaced: see [Recording.Replace]. The error is the stream's first.
func (r *Recording) Settle() error {
	if !r.Deferred() {
		return nil
	}
	return r.settle(func(b *block) bool { return !b.released })
}

// settle gives memory to the wanted blocks and makes the recording use it.
func (r *Recording) settle(wanted func(*block) bool) error {
	p := r.phantoms
	place := map[*backend.Buffer]*backend.Buffer{}
	for _, b := range p.made {
		if !wanted(b) {
			continue
		}
		if place[b.buf] == nil {
			buf, err := r.outer.fresh(b.buf.Size)
			if err != nil {
				r.discard(place)
				return err
			}
			place[b.buf] = buf
		}
	}
	for _, b := range p.made {
		if to := place[b.buf]; to != nil {
			b.buf = to
		}
	}
	for i := range r.cmds {
		moveOperands(&r.cmds[i], place)
	}
	r.pool.dev, r.phantoms = p.Device, nil
	r.pool.moveTo(place)
	if len(place) > 0 && !r.moved {
		r.moved = true
		r.stream.dev.moved.Add(1)
	}
	return nil
}

// discard frees memory that could not be used.
func (r *Recording) discard(place map[*backend.Buffer]*backend.Buffer) {
	for _, buf := range place {
		r.stream.dev.dev.Free(buf)
	}
}

// moveTo exchanges buffers that have got a place, and forgets the others.
func (p *pool) moveTo(place map[*backend.Buffer]*backend.Buffer) {
	free := p.free
	p.free = nil
	for _, bufs := range free {
		for _, buf := range bufs {
			if to := place[buf]; to != nil {
				p.put(to)
			}
		}
	}
}

// moveOperands exchanges the buffers of a command's operands.
func moveOperands(c *backend.Cmd, place map[*backend.Buffer]*backend.Buffer) {
	for _, views := range [2][]backend.View{c.Dst, c.Src} {
		for i := range views {
			if to := place[views[i].Buf]; to != nil {
				views[i].Buf = to
			}
		}
	}
}

// follow makes a command work where its operands lie now: a tensor that was made before its recording had memory, or a view of it, still has a buffer
// without.
func follow(c *backend.Cmd, operands []*Tensor) {
	for _, views := range [2][]backend.View{c.Dst, c.Src} {
		for i := range views {
			for _, x := range operands {
				if views[i].Buf == x.view.Buf {
					views[i].Buf = x.block.buf
					break
				}
			}
		}
	}
}
