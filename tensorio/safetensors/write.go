package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/internal/atomicfile"
	"github.com/weir-ml/weir/internal/quote"
	"github.com/weir-ml/weir/tensorio"
)

// WriteFile writes f to the file at path. The file appears whole or not at all, also if the machine fails meanwhile: see
// [atomicfile.Write].
func WriteFile(path string, f *File) error {
	if err := atomicfile.Write(path, func(w io.Writer) error { return write(w, f) }); err != nil {
		return fmt.Errorf("safetensors: %s: %w", path, err)
	}
	return nil
}

// Write writes f. The same file gives the same bytes. The header keeps the order of the entries; the data is ordered by the size of an
// element, largest first, so that every tensor is aligned to its own: PyTorch does not load it otherwise.
func Write(w io.Writer, f *File) error {
	if err := write(w, f); err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	return nil
}

// WriteHeader writes what comes before the elements of a file of one tensor. The caller writes these after it, in row-major order and little-endian:
// so the tensor need not be held in memory. A dtype or a text that the format does not have, and w's errors, are errors.
func WriteHeader(w io.Writer, metadata map[string]string, name string, d backend.DType, shape ...int) error {
	f := &File{Metadata: metadata, Entries: []tensorio.Entry{{Name: name, DType: d, Shape: shape}}}
	if _, ok := tensorio.ByteSize(d, shape); !ok || d.Size() == 0 || len(shape) > backend.MaxRank {
		return fmt.Errorf("safetensors: %s cannot be written", tensorio.TypeAndShape(d, shape))
	}
	if err := f.checkTexts(); err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	if err := f.writeHeader(w, []int{0}); err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	return nil
}

func write(w io.Writer, f *File) error {
	if err := f.check(); err != nil {
		return err
	}
	order := dataOrder(f.Entries)
	if err := f.writeHeader(w, order); err != nil {
		return err
	}
	for _, i := range order {
		if _, err := w.Write(f.Entries[i].Data); err != nil {
			return err
		}
	}
	return nil
}

// writeHeader writes what comes before the data.
func (f *File) writeHeader(w io.Writer, order []int) error {
	header, err := f.header(order)
	if err != nil {
		return err
	}
	if len(header) > maxHeader {
		return fmt.Errorf("header has %d bytes; the limit is %d", len(header), maxHeader)
	}
	var length [lengthSize]byte
	binary.LittleEndian.PutUint64(length[:], uint64(len(header)))
	if _, err := w.Write(length[:]); err != nil {
		return err
	}
	_, err = w.Write(header)
	return err
}

// check returns an error if what f holds could not be read back.
func (f *File) check() error {
	if err := f.checkTexts(); err != nil {
		return err
	}
	for _, e := range f.Entries {
		if err := e.Check(); err != nil {
			return fmt.Errorf("tensor %s: %w", quote.Short(e.Name), err)
		}
	}
	return nil
}

// checkTexts checks metadata and names.
func (f *File) checkTexts() error {
	for key, value := range f.Metadata {
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return fmt.Errorf("metadata %s is not UTF-8", quote.Short(key))
		}
	}
	seen := map[string]bool{}
	for _, e := range f.Entries {
		switch {
		case seen[e.Name]:
			return fmt.Errorf("tensor %s is there twice", quote.Short(e.Name))
		case e.Name == metadataKey || !utf8.ValidString(e.Name):
			return fmt.Errorf("tensor %s: a tensor cannot have this name", quote.Short(e.Name))
		}
		seen[e.Name] = true
	}
	return nil
}

func dataOrder(entries []tensorio.Entry) []int {
	order := make([]int, len(entries))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return entries[b].DType.Size() - entries[a].DType.Size() })
	return order
}

// header returns the JSON text, padded with spaces to a multiple of 8 bytes.
func (f *File) header(order []int) ([]byte, error) {
	begins := make([]int, len(order))
	at := 0
	for _, i := range order {
		begins[i] = at
		at += f.size(i)
	}
	h := headerWriter{}
	h.WriteByte('{')
	if f.Metadata != nil {
		h.member(metadataKey, f.Metadata)
	}
	for i, e := range f.Entries {
		h.member(e.Name, struct {
			DType   string `json:"dtype"`
			Shape   []int  `json:"shape"`
			Offsets [2]int `json:"data_offsets"`
		}{dtypeNames[e.DType], append([]int{}, e.Shape...), [2]int{begins[i], begins[i] + f.size(i)}})
	}
	h.WriteByte('}')
	for h.Len()%8 != 0 {
		h.WriteByte(' ')
	}
	return h.Bytes(), h.err
}

// size returns the bytes of an entry that was checked, whether its data is there or follows.
func (f *File) size(i int) int {
	size, _ := tensorio.ByteSize(f.Entries[i].DType, f.Entries[i].Shape)
	return size
}

// headerWriter writes the members of an object, in the order given, which a Go map would not keep.
type headerWriter struct {
	bytes.Buffer
	members int
	err     error
}

func (h *headerWriter) member(key string, value any) {
	if h.members++; h.members > 1 {
		h.WriteByte(',')
	}
	h.json(key)
	h.WriteByte(':')
	h.json(value)
}

func (h *headerWriter) json(v any) {
	text, err := json.Marshal(v)
	if err != nil && h.err == nil {
		h.err = err
	}
	h.Write(text)
}
