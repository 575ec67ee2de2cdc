//go:build cgo && linux && (amd64 || arm64)

package cuda

// #include "shim.h"
import "C"

import "unsafe"

const (
	stagingSlots = 4
	slotBytes    = 1 << 18
)

// staging is memory of the host that the device copies from and to while the host goes on. It is a ring of slots, filled one after the other; a slot
// is used again when the device has passed the event that was recorded as it was left.
type staging struct {
	slots [stagingSlots]slot
	at    int // the slot in use
	used  int // its bytes that are taken
}

type slot struct {
	memory pinned
	event  unsafe.Pointer
	left   bool // with its event recorded
}

// room returns memory for at most n bytes, at least one.
func (s *stream) room(n int) ([]byte, error) {
	g := &s.staging
	if g.used+min(n, slotBytes/8) > slotBytes {
		if err := s.leave(); err != nil {
			return nil, err
		}
	}
	if g.used == 0 {
		if err := s.enter(); err != nil {
			return nil, err
		}
	}
	m := g.slots[g.at].memory.bytes()[g.used:]
	m = m[:min(n, len(m))]
	g.used += (len(m) + 15) &^ 15
	return m, nil
}

// enter makes the current slot ready.
func (s *stream) enter() error {
	slot := &s.staging.slots[s.staging.at]
	if slot.left {
		return s.arrive(s.staging.at)
	}
	if slot.event == nil {
		if err := s.dev.try(C.weir_event_open(&s.dev.handle, &slot.event)); err != nil {
			return err
		}
	}
	if slot.memory.p != nil {
		return nil
	}
	var err error
	slot.memory, err = s.dev.pin(slotBytes)
	return err
}

// leave goes on to the next slot.
func (s *stream) leave() error {
	g := &s.staging
	slot := &g.slots[g.at]
	if g.used > 0 {
		if err := s.dev.try(C.weir_event_record(&s.dev.handle, slot.event, s.handle)); err != nil {
			return err
		}
		slot.left = true
		g.at, g.used = (g.at+1)%stagingSlots, 0
	}
	return nil
}

// upload copies src into the staging memory and queues the copies from there.
func (s *stream) upload(dst uint64, src []byte) error {
	for len(src) > 0 {
		m, err := s.room(len(src))
		if err != nil {
			return err
		}
		n := copy(m, src)
		if err := s.send(dst, m); err != nil {
			return err
		}
		dst, src = dst+uint64(n), src[n:]
	}
	return nil
}

// send queues the copy of staging memory to the device. Behind a command that may fail it is a kernel, since a copy would not be dropped.
func (s *stream) send(dst uint64, m []byte) error {
	from := unsafe.Pointer(unsafe.SliceData(m))
	if !s.batch.faults.guarding {
		return s.dev.try(C.weir_upload(&s.dev.handle, s.handle, C.uint64_t(dst), from, C.size_t(len(m))))
	}
	s.batch.reset()
	s.batch.upload(dst, uint64(uintptr(from)), len(m))
	if s.batch.err != nil {
		return s.batch.err
	}
	return s.submit()
}

// download queues copies to the staging memory, a slot each, and copies on from one while the next arrive.
func (s *stream) download(dst []byte, src uint64) error {
	if err := s.leave(); err != nil {
		return err
	}
	for len(dst) > 0 {
		first := s.staging.at
		var pieces [stagingSlots][]byte
		n, err := s.fetch(&pieces, src, len(dst))
		if err != nil {
			return err
		}
		for i, m := range pieces[:n] {
			if err := s.arrive((first + i) % stagingSlots); err != nil {
				return err
			}
			copy(dst, m)
			dst, src = dst[len(m):], src+uint64(len(m))
		}
	}
	return nil
}

// fetch queues copies of n bytes, or of as many as there are slots for. It returns how many pieces these are.
func (s *stream) fetch(pieces *[stagingSlots][]byte, src uint64, n int) (fetched int, err error) {
	for ; fetched < stagingSlots && n > 0; fetched++ {
		m, err := s.room(n)
		if err != nil {
			return 0, err
		}
		to := unsafe.Pointer(unsafe.SliceData(m))
		if err := s.dev.try(C.weir_download(&s.dev.handle, s.handle, to, C.uint64_t(src), C.size_t(len(m)))); err != nil {
			return 0, err
		}
		if err := s.leave(); err != nil {
			return 0, err
		}
		pieces[fetched] = m
		src, n = src+uint64(len(m)), n-len(m)
	}
	return fetched, nil
}

// arrive waits until the device has passed the event of a slot.
func (s *stream) arrive(i int) error {
	slot := &s.staging.slots[i]
	slot.left = false
	return s.dev.try(C.weir_event_wait(&s.dev.handle, slot.event))
}

// freeStaging gives the memory and the events back. The device must be done with them.
func (s *stream) freeStaging() error {
	var first error
	for i := range s.staging.slots {
		slot := &s.staging.slots[i]
		if err := s.dev.unpin(slot.memory); first == nil {
			first = err
		}
		if slot.event == nil {
			continue
		}
		if err := s.dev.try(C.weir_event_close(&s.dev.handle, slot.event)); first == nil {
			first = err
		}
	}
	s.staging = staging{}
	return first
}
