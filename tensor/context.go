package tensor

import "context"

// guard is a context that ends what runs under it.
type guard struct {
	ctx   context.Context
	done  <-chan struct{}
	outer *guard
}

// ended returns the error of the outermost context that is done, or nil.
func (g *guard) ended() (err error) {
	for ; g != nil; g = g.outer {
		select {
		case <-g.done:
			err = g.ctx.Err()
		default:
		}
	}
	return err
}

// WithContext calls f and returns its error. When ctx is done, the next operation that f asks of the stream is not executed: it ends f by a
// panic with an *Error that wraps ctx.Err(), which WithContext returns. Scopes of f end on the way, and the stream stays usable. What was executed
// before has happened: what f was overwriting may be half written.
//
// A command that is being executed is not cut short, and values may be read on. [Recording.Replay] looks at ctx every few commands,
// or once where the device takes all of them as one. Calls nest: any of the contexts ends f.
func (s *Stream) WithContext(ctx context.Context, f func() error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	g := &guard{ctx: ctx, done: ctx.Done(), outer: s.guard}
	s.guard = g
	defer func() { s.guard = g.outer }()
	defer catchEnd(ctx, &err)
	return f()
}

// catchEnd stores the panic by which a context ended, and lets every other one through.
func catchEnd(ctx context.Context, err *error) {
	switch r := recover().(type) {
	case nil:
	case *Error:
		if !r.ended || ctx.Err() == nil {
			panic(r)
		}
		*err = r
	default:
		panic(r)
	}
}

// proceed panics if the operation runs under a context that has ended.
func (s *Stream) proceed(op string) {
	if s.guard == nil {
		return
	}
	if err := s.guard.ended(); err != nil {
		panic(&Error{Op: op, Err: err, ended: true})
	}
}
