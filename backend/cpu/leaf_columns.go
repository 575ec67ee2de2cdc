package cpu

import "github.com/weir-ml/weir/backend"

// withColumns returns the sums that have a loop for columns.
func (k *Kernels) withColumns() (sums [backend.Float64 + 1]folder) {
	if k.Columns == nil {
		return sums
	}
	if columns := k.Columns(backend.Float32); columns != nil {
		sums[backend.Float32] = sumByColumns[float32](columns)
	}
	if columns := k.Columns(backend.Float64); columns != nil {
		sums[backend.Float64] = sumByColumns[float64](columns)
	}
	return sums
}

func sumByColumns[T float](c *Columns) folder {
	f := foldFloat[T](backend.ReduceSum).(*fold[T, T])
	f.leaf = func(dst, src []T, at int, lanes []int, stride, terms int) {
		for i := 0; i < len(lanes); {
			n := min(c.Width, len(lanes)-i)
			if n == c.Width && neighbours(lanes[i:i+n]) {
				c.Sum(pointer(dst, i), pointer(src, at+lanes[i]), stride, terms)
			} else {
				sumLanes(dst[i:i+n], src, at, lanes[i:i+n], stride, terms)
			}
			i += n
		}
	}
	return f
}

// neighbours reports whether lanes follow each other.
func neighbours(lanes []int) bool {
	for i, at := range lanes {
		if at != lanes[0]+i {
			return false
		}
	}
	return true
}
