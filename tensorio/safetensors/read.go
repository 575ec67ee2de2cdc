package safetensors

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/internal/quote"
	"github.com/weir-ml/weir/internal/readat"
	"github.com/weir-ml/weir/tensorio"
)

// Open reads the file at path. A file that is not one, or is damaged, is an error.
func Open(path string) (*File, error) {
	r, size, err := readat.Open(path)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	defer r.Close()
	f, err := read(r, size)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %s: %w", path, err)
	}
	return f, nil
}

// Read reads a file of size bytes. The entries share one block of memory.
func Read(r io.ReaderAt, size int64) (*File, error) {
	f, err := read(r, size)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	return f, nil
}

func read(r io.ReaderAt, size int64) (*File, error) {
	header, err := readHeader(r, size)
	if err != nil {
		return nil, err
	}
	p, err := parseHeader(header)
	if err != nil {
		return nil, err
	}
	start := lengthSize + int64(len(header))
	if err := p.checkLayout(size - start); err != nil {
		return nil, err
	}
	data, err := readat.Range(r, start, size)
	if err != nil {
		return nil, err
	}
	f := &File{Metadata: p.metadata, Entries: make([]tensorio.Entry, len(p.entries))}
	for i, e := range p.entries {
		f.Entries[i] = tensorio.Entry{Name: e.name, DType: e.dtype, Shape: e.shape, Data: data[e.begin:e.end:e.end]}
		if e.dtype != backend.Bool {
			continue
		}
		if err := tensorio.CheckBools(f.Entries[i].Data); err != nil {
			return nil, fmt.Errorf("tensor %s: %w", quote.Short(e.name), err)
		}
	}
	return f, nil
}

func readHeader(r io.ReaderAt, size int64) ([]byte, error) {
	if size < lengthSize {
		return nil, fmt.Errorf("file has %d bytes; want at least %d", size, lengthSize)
	}
	var length [lengthSize]byte
	if err := readat.Full(r, length[:], 0); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader {
		return nil, fmt.Errorf("header claims %d bytes; the limit is %d; is it a safetensors file?", n, maxHeader)
	}
	if n > uint64(size-lengthSize) {
		return nil, fmt.Errorf("header claims %d bytes; the file has %d after the length", n, size-lengthSize)
	}
	header := make([]byte, n)
	return header, readat.Full(r, header, lengthSize)
}
