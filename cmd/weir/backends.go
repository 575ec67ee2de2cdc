package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
	_ "github.com/weir-ml/weir/backend/cuda"
	_ "github.com/weir-ml/weir/backend/simd"
)

// backendsCmd lists what this binary was built with.
type backendsCmd struct{}

func (backendsCmd) Run(c *console) error {
	table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tRUNS ON\tAVAILABLE\t")
	for _, name := range backend.Names() {
		driver, _ := backend.Lookup(name)
		available, mark := "yes", ""
		if err := driver.Available(); err != nil {
			available = "no: " + err.Error()
		}
		if name == backend.Default() {
			mark = "default"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", name, driver.About(), available, mark)
	}
	return table.Flush()
}
