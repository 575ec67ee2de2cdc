// Package torchpt reads the tensors of files that torch.save of PyTorch 1.6 and later wrote: .pt and .pth, state dicts and checkpoints.
//
// A file is a zip archive of a pickle, data.pkl, and of the bytes of each storage that its tensors look into. A pickle is a program; what
// runs here is the part of its language that builds data. Nothing is imported and nothing is called: the names that a state dict needs
// are known, and any other is an error that says it. Known are torch._utils._rebuild_tensor_v2, _rebuild_parameter and
// _rebuild_parameter_with_state, the storage classes of torch, torch.Size, torch.device, the dtypes, and collections.OrderedDict.
//
// Nested dicts, lists and tuples are flattened: what Python reaches by checkpoint["model"]["layers.0.weight"] is named
// model.layers.0.weight, the third of a list named steps is steps.2. Other attributes, such as the _metadata of a state dict, are passed over.
//
// The dtypes are those of package backend. A tensor of another, such as torch.int16 or torch.complex64, is an error, as are sparse and
// quantized tensors, whole modules, TorchScript archives, and the format before 1.6: load the file in Python and save its state dict.
//
// Memory is bounded by the size of the file, to some hundred times data.pkl and five times the rest, whatever the file claims: cycles, lists that
// hold each other twice, and tensors that repeat a small storage are errors of one line.
package torchpt

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/weir-ml/weir/internal/readat"
	"github.com/weir-ml/weir/internal/zipfile"
	"github.com/weir-ml/weir/tensorio"
)

// File is what a PyTorch file holds.
type File struct {
	Entries []tensorio.Entry // in the order of the dicts; tensors that look into the same storage may share Data
	Values  map[string]any   // what is no tensor, by name: nil, bool, int64, float64 or string; dtypes and devices are texts
}

// Entry returns the tensor of that name. A file that holds one tensor and no dict names it "".
func (f *File) Entry(name string) (tensorio.Entry, bool) {
	for _, e := range f.Entries {
		if e.Name == name {
			return e, true
		}
	}
	return tensorio.Entry{}, false
}

// Open reads the file at path. A file that is not one, or asks for code to be run, is an error.
func Open(path string) (*File, error) {
	r, size, err := readat.Open(path)
	if err != nil {
		return nil, fmt.Errorf("torchpt: %w", err)
	}
	defer r.Close()
	f, err := read(r, size)
	if err != nil {
		return nil, fmt.Errorf("torchpt: %s: %w", path, err)
	}
	return f, nil
}

// Read reads a file of size bytes.
func Read(r io.ReaderAt, size int64) (*File, error) {
	f, err := read(r, size)
	if err != nil {
		return nil, fmt.Errorf("torchpt: %w", err)
	}
	return f, nil
}

func read(r io.ReaderAt, size int64) (*File, error) {
	if isLegacy(r) {
		return nil, errors.New("is in the format of PyTorch before 1.6; load it in Python and save it again by torch.save")
	}
	z, err := zipfile.Open(r, size)
	if err != nil {
		return nil, err
	}
	a, err := newArchive(z, size)
	if err != nil {
		return nil, err
	}
	program, err := a.read("data.pkl")
	if err != nil {
		return nil, err
	}
	root, err := unpickle(program)
	if err != nil {
		return nil, fmt.Errorf("data.pkl: %w", err)
	}
	f := &flattener{archive: a, budget: minBudget + maxCost*len(program), file: &File{Values: map[string]any{}}, seen: map[string]bool{}}
	if err := f.value(root, 0); err != nil {
		return nil, err
	}
	return f.file, nil
}

// isLegacy reports whether a file begins with the magic number of PyTorch 0.1.10 to 1.5, a pickle of it, or is a tar archive as before.
func isLegacy(r io.ReaderAt) bool {
	const (
		magic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
		tar   = "ustar"
		tarAt = 257
	)
	var head [tarAt + len(tar)]byte
	n, _ := r.ReadAt(head[:], 0) // an error comes again when the archive is opened
	return bytes.HasPrefix(head[:n], []byte(magic)) || n == len(head) && string(head[tarAt:]) == tar
}
