package npy

import (
	"archive/zip"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/weir-ml/weir/internal/atomicfile"
	"github.com/weir-ml/weir/internal/quote"
	"github.com/weir-ml/weir/internal/zipfile"
	"github.com/weir-ml/weir/tensorio"
)

// Method is how the members of an archive are kept.
type Method uint16

// Stored is what numpy.savez writes, and what rows can be read from; Deflated is what numpy.savez_compressed writes.
const (
	Stored   = Method(zip.Store)
	Deflated = Method(zip.Deflate)
)

// WriteArchiveFile writes entries to the .npz file at path, which appears whole or not at all; see [WriteFile]. Its errors are the same.
func WriteArchiveFile(path string, entries []tensorio.Entry, method Method) error {
	if err := atomicfile.Write(path, func(w io.Writer) error { return writeArchive(w, entries, method) }); err != nil {
		return fmt.Errorf("npy: %s: %w", path, err)
	}
	return nil
}

// WriteArchive writes entries as an .npz file, in their order. It holds no time, so that the same entries give the same bytes.
// Names that repeat, entries that cannot be written and failures of w are errors.
func WriteArchive(w io.Writer, entries []tensorio.Entry, method Method) error {
	return prefixed(writeArchive(w, entries, method))
}

func writeArchive(w io.Writer, entries []tensorio.Entry, method Method) error {
	if method != Stored && method != Deflated {
		return fmt.Errorf("method %d is not known; want Stored or Deflated", method)
	}
	z := zip.NewWriter(w)
	seen := map[string]bool{}
	for _, e := range entries {
		if seen[e.Name] {
			return fmt.Errorf("array %s is there twice", quote.Short(e.Name))
		}
		seen[e.Name] = true
		if err := writeMember(z, e, method); err != nil {
			return fmt.Errorf("array %s: %w", quote.Short(e.Name), err)
		}
	}
	return z.Close()
}

func writeMember(z *zip.Writer, e tensorio.Entry, method Method) error {
	name := e.Name + extension
	if err := zipfile.CheckName(name); err != nil {
		return err
	}
	head, err := header(e)
	if err != nil {
		return err
	}
	w, err := createMember(z, name, head, e.Data, method)
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err = w.Write(e.Data)
	return err
}

// createMember begins a member. If it is stored, its size and checksum go before its bytes, where readers that stream look for them.
func createMember(z *zip.Writer, name string, head, data []byte, method Method) (io.Writer, error) {
	h := &zip.FileHeader{Name: name, Method: uint16(method)}
	if method == Deflated {
		return z.CreateHeader(h)
	}
	size := uint64(len(head)) + uint64(len(data))
	h.CRC32 = crc32.Update(crc32.ChecksumIEEE(head), crc32.IEEETable, data)
	h.CompressedSize64, h.UncompressedSize64 = size, size
	return z.CreateRaw(h)
}
