package dataset

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/weir-ml/weir/internal/quote"
)

// OpenCSV reads the file at path; see [ReadCSV]. A file that cannot be read is an error.
func OpenCSV(path string) (*Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	defer f.Close()
	return ReadCSV(f, path)
}

// ReadCSV reads comma-separated numbers. If the first record holds no number it names the columns; else they are named
// 1, 2, …. A byte order mark, CRLF, quoted cells, spaces around cells and blank lines are accepted.
//
// An empty file, a header without rows, records of different lengths, and a cell that is not a finite number are errors that give
// name, which stands for the file, the line and the column.
func ReadCSV(r io.Reader, name string) (*Table, error) {
	t, err := readCSV(r)
	if err != nil {
		return nil, fmt.Errorf("dataset: %s: %w", name, err)
	}
	return t, nil
}

func readCSV(r io.Reader) (*Table, error) {
	in := bufio.NewReader(r)
	if mark, _ := in.Peek(3); string(mark) == "\ufeff" {
		_, _ = in.Discard(len(mark)) // they were just seen
	}
	c := csv.NewReader(in)
	c.FieldsPerRecord = -1 // checked here, to say it in our words
	c.ReuseRecord = true
	first, err := nextRecord(c)
	if err == io.EOF {
		return nil, errors.New("file is empty; want rows of numbers")
	}
	if err != nil {
		return nil, err
	}
	t := &Table{}
	if !isHeader(first) {
		t.Columns = numberedColumns(len(first))
		if err := t.appendRecord(c, first); err != nil {
			return nil, err
		}
	} else {
		for _, cell := range first {
			t.Columns = append(t.Columns, strings.Clone(strings.TrimSpace(cell)))
		}
	}
	for {
		record, err := nextRecord(c)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := t.appendRecord(c, record); err != nil {
			return nil, err
		}
	}
	if t.Rows == 0 {
		return nil, errors.New("file has a header and no rows")
	}
	return t, nil
}

// nextRecord returns the next record that is not one blank cell.
func nextRecord(c *csv.Reader) ([]string, error) {
	for {
		record, err := c.Read()
		var syntax *csv.ParseError
		if errors.As(err, &syntax) {
			return nil, fmt.Errorf("line %d, byte %d: %w", syntax.Line, syntax.Column, syntax.Err)
		}
		if err != nil {
			return nil, err
		}
		if len(record) > 1 || strings.TrimSpace(record[0]) != "" {
			return record, nil
		}
	}
}

// isHeader reports whether no cell is a number. A row of names and numbers is more likely a row with a bad cell, which must not get lost as
// a header. NaN, infinity and 1e999 are meant as numbers, to be refused as such.
func isHeader(record []string) bool {
	for _, cell := range record {
		if _, err := parseNumber(cell); !errors.Is(err, strconv.ErrSyntax) {
			return false
		}
	}
	return true
}

func parseNumber(cell string) (float64, error) {
	return strconv.ParseFloat(strings.TrimSpace(cell), 64)
}

func (t *Table) appendRecord(c *csv.Reader, record []string) error {
	if len(record) != len(t.Columns) {
		line, _ := c.FieldPos(0)
		return fmt.Errorf("line %d has %d cells; want %d", line, len(record), len(t.Columns))
	}
	for i, cell := range record {
		x, err := parseNumber(cell)
		if err == nil && !math.IsNaN(x) && !math.IsInf(x, 0) {
			t.Data = append(t.Data, x)
			continue
		}
		line, _ := c.FieldPos(i)
		why := "is not a number"
		switch {
		case !errors.Is(err, strconv.ErrSyntax):
			why = "is not finite"
		case strings.ContainsAny(cell, ";\t"):
			why += "; separate cells by commas"
		}
		return fmt.Errorf("line %d, column %d (%s): %s %s", line, i+1, quote.Short(t.Columns[i]), quote.Short(cell), why)
	}
	t.Rows++
	return nil
}
