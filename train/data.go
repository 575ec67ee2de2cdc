package train

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/dataset"
	"github.com/weir-ml/weir/tensor"
)

const (
	// heldOut is the share of the rows of data that training does not see.
	heldOut = 0.1
	// sampledRows is how many rows of data that exceeds memory are kept to evaluate by, of those held out and of the others.
	sampledRows = 20_000
)

// Data is a standardized table, divided into rows to train on and rows held out. Of data that exceeds Config.DataMemory both are a random part.
type Data struct {
	Columns     []string
	Standardize dataset.Standardizer
	Train, Held *dataset.Table // standardized
	Remarks     []string       // what is likely to spoil the result; see dataset.Table.Remarks

	stream *dataset.Stream // nil if all rows are in Train and Held
}

// openData reads the data, or reads through it if it exceeds memory.
func openData(c Config) (d *Data, err error) {
	rows, err := largeRows(c)
	if err != nil {
		return nil, err
	}
	if rows != nil {
		d, err = streamed(rows, c)
	} else {
		d, err = loaded(c)
	}
	if err != nil {
		return nil, err
	}
	d.Columns = d.Train.Columns
	d.Remarks = d.Train.Remarks()
	for _, part := range []*dataset.Table{d.Train, d.Held} {
		if part.Data, err = d.Standardize.Transform(part.Data); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Data, err)
		}
	}
	return d, nil
}

// largeRows returns the rows of an .npy file that takes more memory than the data may, nil of any other.
func largeRows(c Config) (*dataset.Rows, error) {
	if strings.ToLower(filepath.Ext(c.Data)) != ".npy" {
		return nil, nil
	}
	rows, err := dataset.OpenRows(c.Data)
	if err != nil {
		return nil, err
	}
	if len(c.Columns) > 0 {
		if err := rows.Select(c.Columns...); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", c.Data, err), rows.Close())
		}
	}
	if bytes := 8 * rows.Len() * len(rows.Columns()); bytes > c.DataMemory {
		return rows, nil
	}
	return nil, rows.Close()
}

// SplitData returns the rows of Config.Data that a run trains on and those that it holds out, in the data's own units: to compare it with other
// models. They are a function of the file, Config.Columns and Config.Seed. Data that exceeds Config.DataMemory, of which a run never has all, is an
// error.
func SplitData(c Config) (seen, held *dataset.Table, err error) {
	rows, err := largeRows(c.WithDefaults())
	if err != nil {
		return nil, nil, err
	}
	if rows != nil {
		return nil, nil, errors.Join(fmt.Errorf("train: %s exceeds the data memory of %d bytes; raise it", c.Data, c.WithDefaults().DataMemory), rows.Close())
	}
	return split(c)
}

// split reads and divides data that fits memory.
func split(c Config) (seen, held *dataset.Table, err error) {
	table, err := dataset.Open(c.Data)
	if err != nil {
		return nil, nil, err
	}
	if len(c.Columns) > 0 {
		if table, err = table.Select(c.Columns...); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", c.Data, err)
		}
	}
	if seen, held, err = table.Split(c.Seed, heldOut); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", c.Data, err)
	}
	return seen, held, nil
}

func loaded(c Config) (d *Data, err error) {
	d = &Data{}
	if d.Train, d.Held, err = split(c); err != nil {
		return nil, err
	}
	// The held-out rows must not touch what training sees, the scale included.
	if d.Standardize, err = dataset.Standardize(d.Train); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Data, err)
	}
	return d, nil
}

// streamed reads through the rows once. They stay open as long as they are used.
func streamed(rows *dataset.Rows, c Config) (*Data, error) {
	s, err := dataset.NewStream(rows, dataset.StreamOptions{Seed: c.Seed, HeldOut: heldOut, Sample: sampledRows, Memory: c.DataMemory})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", c.Data, err), rows.Close())
	}
	return &Data{Standardize: s.Standardize, Train: s.Seen, Held: s.Held, stream: s}, nil
}

// source returns where batches of n rows come from.
func (d *Data) source(s *tensor.Stream, dtype backend.DType, n int) Source {
	if d.stream == nil {
		return newRows(s, d.Train, dtype)
	}
	width := len(d.Columns)
	return &fedRows{data: d, rows: make([]float64, n*width), batch: tensor.Zeros(s, backend.Float64, n, width)}
}

// fedRows feeds a step with the rows that come next in a stream: without replacement, unlike rows in memory. Step k has the n rows at place k·n.
type fedRows struct {
	data  *Data
	rows  []float64
	batch *tensor.Tensor // (n, d)
}

var _ Feeder = (*fedRows)(nil)

// Feed implements Feeder.
func (f *fedRows) Feed(step, n int) error {
	if err := f.data.stream.Read(f.rows, step*n, n); err != nil {
		return err
	}
	standard, err := f.data.Standardize.Transform(f.rows)
	if err != nil {
		return err
	}
	tensor.SetSlice(f.batch, standard)
	return nil
}

// Sample returns what was fed.
func (f *fedRows) Sample(_ *tensor.RNG, d backend.DType, _ int) *tensor.Tensor {
	return tensor.Cast(f.batch, d)
}
