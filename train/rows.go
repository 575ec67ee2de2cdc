package train

import (
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/dataset"
	"github.com/weir-ml/weir/tensor"
)

// rows is a table on the device. Samples are rows drawn with replacement.
type rows struct {
	values *tensor.Tensor // (n, d)
}

func newRows(s *tensor.Stream, t *dataset.Table, d backend.DType) *rows {
	var r rows
	s.Scope(func() {
		r.values = tensor.Cast(tensor.FromSlice(s, t.Data, t.Rows, len(t.Columns)), d).Keep()
	})
	return &r
}

// Sample returns n rows drawn with replacement.
func (r *rows) Sample(rng *tensor.RNG, _ backend.DType, n int) *tensor.Tensor {
	u := rng.Uniform(backend.Float64, n)
	index := tensor.Cast(tensor.MulScalar(u, float64(r.values.Dim(0))), backend.Int64)
	return tensor.Take(r.values, 0, index)
}
