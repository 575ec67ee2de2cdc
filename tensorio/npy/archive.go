package npy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/weir-ml/weir/internal/quote"
	"github.com/weir-ml/weir/internal/zipfile"
	"github.com/weir-ml/weir/tensorio"
)

const extension = ".npy" // of a member; the name of its array is what stands before

// Archive is an .npz file: arrays by name. Members that are not .npy files are passed over, as NumPy does.
type Archive struct {
	zip   *zipfile.Archive
	file  *os.File // what Close closes; nil if the reader is the caller's
	about string   // what errors begin with
}

// OpenArchive opens the .npz file at path and reads its directory. Close releases it. A file that cannot be read, or is not one, is an error.
func OpenArchive(path string) (*Archive, error) {
	f, size, err := openFile(path)
	if err != nil {
		return nil, err
	}
	a, err := newArchive(f, size, "npy: "+path)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	a.file = f
	return a, nil
}

// NewArchive reads the directory of an .npz file of size bytes. A file that is not one is an error.
func NewArchive(r io.ReaderAt, size int64) (*Archive, error) { return newArchive(r, size, "npy") }

func newArchive(r io.ReaderAt, size int64, about string) (*Archive, error) {
	z, err := zipfile.Open(r, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", about, err)
	}
	return &Archive{zip: z, about: about}, nil
}

// Close closes the file that [OpenArchive] opened.
func (a *Archive) Close() error {
	if a.file == nil {
		return nil
	}
	return prefixed(a.file.Close())
}

// Names returns the names of the arrays in the order of the directory.
func (a *Archive) Names() []string {
	var names []string
	for _, m := range a.zip.Members {
		if name, ok := strings.CutSuffix(m.Name, extension); ok {
			names = append(names, name)
		}
	}
	return names
}

// Stat reads the header of the array of that name, and none of its elements. One that is not there, or is no array, is an error.
func (a *Archive) Stat(name string) (Header, error) {
	m, err := a.member(name)
	if err != nil {
		return Header{}, err
	}
	h, err := statMember(m)
	return h, a.wrap(name, err)
}

// Entry reads the array of that name, and no other. One that is not there, or is damaged, is an error.
func (a *Archive) Entry(name string) (tensorio.Entry, error) {
	m, err := a.member(name)
	if err != nil {
		return tensorio.Entry{}, err
	}
	e, err := readMember(m)
	if err != nil {
		return tensorio.Entry{}, a.wrap(name, err)
	}
	e.Name = name
	return e, nil
}

// Entries reads all arrays. The first that is damaged is an error.
func (a *Archive) Entries() ([]tensorio.Entry, error) {
	var entries []tensorio.Entry
	for _, name := range a.Names() {
		e, err := a.Entry(name)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// Rows returns a reader of blocks of rows of the array of that name, which must be stored, not deflated. It is of use until Close, and does
// not look at the checksum. Any other is an error.
func (a *Archive) Rows(name string) (*Rows, error) {
	m, err := a.member(name)
	if err != nil {
		return nil, err
	}
	if !m.Stored {
		return nil, a.wrap(name, errors.New("is deflated, which cannot be read from the middle; write it stored, by numpy.savez"))
	}
	return newRows(m.Section(), m.Size, a.about+": array "+quote.Short(name))
}

func (a *Archive) member(name string) (*zipfile.Member, error) {
	m, ok := a.zip.Member(name + extension)
	if !ok {
		return nil, a.wrap(name, errors.New("is not in the archive"))
	}
	return m, nil
}

func (a *Archive) wrap(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: array %s: %w", a.about, quote.Short(name), err)
}

func statMember(m *zipfile.Member) (Header, error) {
	prefix, err := m.Prefix(int64(prefixSize) + maxHeader)
	if err != nil {
		return Header{}, err
	}
	return readHeader(bytes.NewReader(prefix), m.Size)
}

// readMember looks at the header first, so that what is not an array is not unpacked.
func readMember(m *zipfile.Member) (tensorio.Entry, error) {
	h, err := statMember(m)
	if err != nil {
		return tensorio.Entry{}, err
	}
	data, err := m.Read()
	if err != nil {
		return tensorio.Entry{}, err
	}
	return h.entry(data[h.Offset:], h.Shape)
}
