package page_test

import (
	"bytes"
	"fmt"
	"log"

	"github.com/weir-ml/weir/bench"
	"github.com/weir-ml/weir/bench/page"
)

func Example() {
	x := bench.Result{Name: "ops/add/float32/1000", Backend: "mine", Workers: 1, DType: "float32", Samples: [][]float64{{210, 200}}}
	x.Summarize()
	var out bytes.Buffer
	if err := page.Write(&out, &bench.Report{Results: []bench.Result{x}}, nil); err != nil {
		log.Fatal(err)
	}
	fmt.Println(bytes.Contains(out.Bytes(), []byte("205 ns")))
	// Output: true
}
