package main

import (
	"fmt"
	"io"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/dataset"
	"github.com/weir-ml/weir/internal/atomicfile"
	"github.com/weir-ml/weir/train"
)

// splitCmd writes the rows that a run trains on and those that it holds out.
type splitCmd struct {
	Data    string   `required:"" placeholder:"FILE" help:"The table: .csv, .npy or .safetensors."`
	Columns []string `placeholder:"NAME" help:"Columns of the data, by name or number (default: all)."`
	Seed    uint64   `default:"${seed}" help:"That of the run."`
	Seen    string   `required:"" placeholder:"FILE" help:"File to write the rows to that are trained on: .csv, whose first line names the columns, .npy or .safetensors."`
	Held    string   `required:"" placeholder:"FILE" help:"File to write the rows to that are held out."`

	DataMemory mebibytes `default:"${dataMemory}" help:"Memory for rows, in MiB; the table must fit."`
}

// Run writes both files, each whole or not at all, and not over each other or the table.
func (m *splitCmd) Run(c *console) error {
	seenFormat, err := findFormat("seen", m.Seen)
	if err != nil {
		return err
	}
	heldFormat, err := findFormat("held", m.Held)
	if err != nil {
		return err
	}
	for _, o := range []output{{"seen", m.Seen}, {"held", m.Held}} {
		if o.path == "-" {
			return usageError{fmt.Errorf("--%s is -, and stdout is for one table; want a file", o.flag)}
		}
	}
	if err := checkOutputs([]output{{"seen", m.Seen}, {"held", m.Held}}, m.Data); err != nil {
		return err
	}
	seen, held, err := train.SplitData(train.Config{Data: m.Data, Columns: m.Columns, Seed: m.Seed, DataMemory: int(m.DataMemory) << 20})
	if err != nil {
		return err
	}
	if err := writeTable(m.Seen, seenFormat, seen); err != nil {
		return err
	}
	if err := writeTable(m.Held, heldFormat, held); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "%d rows to train on in %s, %d held out in %s\n", seen.Rows, m.Seen, held.Rows, m.Held)
	return err
}

func writeTable(path string, f format, t *dataset.Table) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		rows, err := f(w, t.Columns, t.Rows, backend.Float64)
		if err != nil {
			return err
		}
		if err := rows.write(t.Data); err != nil {
			return err
		}
		return rows.end()
	})
}
