package dataset_test

import (
	"fmt"
	"strings"

	"github.com/weir-ml/weir/dataset"
)

func Example() {
	const csv = "time,x,y\n0,1,10\n1,2,30\n2,3,50\n"
	table, err := dataset.ReadCSV(strings.NewReader(csv), "walk.csv")
	if err != nil {
		fmt.Println(err)
		return
	}
	points, err := table.Select("x", "y")
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := dataset.Standardize(points)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(points.Columns, points.Rows, s.Mean)
	// Output: [x y] 3 [2 30]
}
