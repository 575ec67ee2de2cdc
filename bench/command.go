package bench

import (
	"context"
	"errors"
	"fmt"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/backend/backendtest"
)

// command is a case that is one command. make lays its operands out on host memory.
func command(name string, d backend.DType, flops, work float64, make func(m *memory) backend.Cmd) benchCase {
	c := benchCase{name: name, dtype: d, flops: flops}
	layout := make(&memory{})
	c.bytes = operandBytes(&layout)
	c.isFMA = layout.Op == backend.MatMul
	c.work = work
	if work == 0 {
		c.work = c.bytes
	}
	c.open = func(ctx context.Context, t *target) (execution, error) {
		e := &commandExecution{target: t, host: make(&memory{contents: t.contents})}
		if err := e.open(); err != nil {
			return nil, errors.Join(err, e.close())
		}
		return e, nil
	}
	return c
}

// operandBytes returns what a command has to read and write at the least: elements that broadcasting repeats once, and of a table no more than there
// are indices.
func operandBytes(c *backend.Cmd) float64 {
	dst, src := viewBytes(c.Dst), viewBytes(c.Src)
	switch c.Op {
	case backend.Gather:
		src += min(viewBytes(c.Src[:1]), dst) - viewBytes(c.Src[:1])
	case backend.ScatterAdd: // reads what it adds to
		dst = 2 * min(dst, viewBytes(c.Src[:1]))
	}
	return float64(dst + src)
}

func viewBytes(views []backend.View) int {
	total := 0
	for k := range views {
		n := 1
		for a := range views[k].Rank {
			if views[k].Strides[a] != 0 {
				n *= views[k].Dims[a]
			}
		}
		total += n * views[k].DType.Size()
	}
	return total
}

// commandExecution is a command on a device: host has its operands' views on host memory, cmds on the device's.
type commandExecution struct {
	*target
	host     backend.Cmd
	cmds     []backend.Cmd
	stream   backend.Stream
	onDevice map[*backend.Buffer]*backend.Buffer
}

func (e *commandExecution) open() (err error) {
	if err := e.host.Check(); err != nil {
		return err
	}
	if e.stream, err = e.dev.NewStream(); err != nil {
		return err
	}
	e.onDevice = map[*backend.Buffer]*backend.Buffer{}
	moved := e.host.Clone()
	for _, views := range [][]backend.View{moved.Dst, moved.Src} {
		for k := range views {
			if views[k].Buf, err = e.upload(views[k].Buf); err != nil {
				return err
			}
		}
	}
	if !e.dev.Supports(&moved) {
		return errors.New("the device does not support the command: Supports is false")
	}
	e.cmds = []backend.Cmd{moved}
	return e.stream.Sync()
}

func (e *commandExecution) upload(host *backend.Buffer) (*backend.Buffer, error) {
	if buf := e.onDevice[host]; buf != nil {
		return buf, nil
	}
	buf, err := e.dev.Alloc(host.Size)
	if err != nil {
		return nil, err
	}
	e.onDevice[host] = buf
	e.stream.Upload(buf, 0, host.Host)
	return buf, nil
}

// check executes the command once and compares parts of what it wrote with their prediction.
func (e *commandExecution) check() error {
	if err := e.run(1); err != nil {
		return fmt.Errorf("fails: %w", err)
	}
	after := map[*backend.Buffer][]byte{}
	for k := range e.host.Dst {
		buf := e.host.Dst[k].Buf
		after[buf] = make([]byte, buf.Size)
		if err := e.stream.Download(after[buf], e.onDevice[buf], 0); err != nil {
			return fmt.Errorf("fails: %w", err)
		}
	}
	for _, part := range parts(&e.host) {
		if err := e.verify(&part, func(b *backend.Buffer) []byte { return after[b] }); err != nil {
			return fmt.Errorf("%w: %v: %w", errWrong, &part, err)
		}
	}
	return nil
}

func (e *commandExecution) verify(c *backend.Cmd, after func(*backend.Buffer) []byte) error {
	if c.Op == backend.MatMul && c.Dst[0].DType == backend.Float32 {
		return backendtest.VerifyProduct(c, after, e.rounding)
	}
	return backendtest.Verify(c, after)
}

func (e *commandExecution) run(n int) error {
	for range n {
		e.stream.Exec(e.cmds)
	}
	return e.stream.Sync()
}

func (e *commandExecution) close() error {
	if e.stream == nil {
		return nil
	}
	err := e.stream.Close()
	for _, buf := range e.onDevice {
		e.dev.Free(buf)
	}
	return err
}
