package backendtest

import (
	"fmt"
	"math"

	"github.com/weir-ml/weir/backend"
)

// expect is what an element may be.
type expect struct {
	scalar          // the value; for floats the nearest float64 to it
	rest    float64 // what f lacks of the real value
	slack   float64 // absolute error allowed; 0 demands the very bits
	anyZero bool    // −0 and +0 are the same here
	free    bool    // nothing is said
}

// predict executes the command on host memory and returns, for each destination in row-major order, what its elements may be. It
// changes nothing. The error is what the stream must fail with, in spirit.
func predict(c *backend.Cmd) ([][]expect, error) {
	switch c.Op {
	case backend.Copy:
		return [][]expect{predictCopy(c)}, nil
	case backend.Map:
		return predictMap(c), nil
	case backend.Reduce:
		return [][]expect{predictReduce(c)}, nil
	case backend.MatMul:
		return [][]expect{predictMatMul(c, 0)}, nil
	case backend.Gather:
		return one(predictGather(c))
	case backend.ScatterAdd:
		return one(predictScatterAdd(c))
	case backend.Scan:
		return [][]expect{predictScan(c)}, nil
	case backend.Sort:
		return predictSort(c), nil
	case backend.Random:
		return [][]expect{predictRandom(c)}, nil
	}
	return nil, fmt.Errorf("unknown operation %d", c.Op)
}

func one(es []expect, err error) ([][]expect, error) { return [][]expect{es}, err }

// exact wraps a value that the dtype holds.
func exact(x scalar) expect { return expect{scalar: x} }

// elements returns the element number in the buffer of each element of v, in row-major order.
func elements(v *backend.View) []int {
	at := make([]int, v.Len())
	var index [backend.MaxRank]int
	place := v.Offset
	for n := range at {
		at[n] = place
		for a := v.Rank - 1; a >= 0; a-- { // count up, carrying into the axis further out
			index[a]++
			place += v.Strides[a]
			if index[a] < v.Dims[a] {
				break
			}
			index[a], place = 0, place-v.Dims[a]*v.Strides[a]
		}
	}
	return at
}

// read returns the elements of v in row-major order.
func read(v *backend.View) []scalar {
	xs := make([]scalar, v.Len())
	for n, at := range elements(v) {
		xs[n] = load(v.Buf.Host, v.DType, at)
	}
	return xs
}

// around returns the sizes of v's axes before, at and after axis: element (i, j, k) of the three is number (i·n + j)·inner + k.
func around(v *backend.View, axis int) (outer, n, inner int) {
	outer, n, inner = 1, v.Dims[axis], 1
	for _, d := range v.Dims[:axis] {
		outer *= d
	}
	for _, d := range v.Dims[axis+1 : v.Rank] {
		inner *= d
	}
	return outer, n, inner
}

func predictCopy(c *backend.Cmd) []expect {
	xs := read(&c.Src[0])
	es := make([]expect, len(xs))
	for n, x := range xs {
		es[n] = exact(x)
		if c.Src[0].DType != c.Dst[0].DType {
			es[n] = exact(cast(x, c.Src[0].DType, c.Dst[0].DType))
		}
	}
	return es
}

func predictGather(c *backend.Cmd) ([]expect, error) {
	table, index := read(&c.Src[0]), read(&c.Src[1])
	outer, n, inner := around(&c.Dst[0], c.Axis)
	rows := c.Src[0].Dims[c.Axis]
	es := make([]expect, outer*n*inner)
	for i := range outer {
		for j := range n {
			for k := range inner {
				e := (i*n+j)*inner + k
				row := index[e].i
				if row < 0 || row >= int64(rows) {
					return nil, fmt.Errorf("index %d is out of [0, %d)", row, rows)
				}
				es[e] = exact(table[(i*rows+int(row))*inner+k])
			}
		}
	}
	return es, nil
}

func predictScatterAdd(c *backend.Cmd) ([]expect, error) {
	d := c.Dst[0].DType
	items, index := read(&c.Src[0]), read(&c.Src[1])
	outer, n, inner := around(&c.Src[0], c.Axis)
	rows := c.Dst[0].Dims[c.Axis]
	terms := make([][]scalar, c.Dst[0].Len())
	for e, x := range read(&c.Dst[0]) {
		terms[e] = []scalar{x}
	}
	for i := range outer {
		for j := range n {
			for k := range inner {
				e := (i*n+j)*inner + k
				row := index[e].i
				if row < 0 || row >= int64(rows) {
					return nil, fmt.Errorf("index %d is out of [0, %d)", row, rows)
				}
				to := (i*rows+int(row))*inner + k
				terms[to] = append(terms[to], items[e])
			}
		}
	}
	es := make([]expect, len(terms))
	for e, ts := range terms {
		es[e] = inOrder(d, ts)
	}
	return es, nil
}

func predictScan(c *backend.Cmd) []expect {
	xs := read(&c.Src[0])
	outer, n, inner := around(&c.Src[0], c.Axis)
	es := make([]expect, len(xs))
	for i := range outer {
		for k := range inner {
			var terms []scalar
			for j := range n {
				e := (i*n+j)*inner + k
				terms = append(terms, xs[e])
				es[e] = inOrder(c.Dst[0].DType, terms)
				es[e].anyZero = true // the sum may start from 0
			}
		}
	}
	return es
}

func predictRandom(c *backend.Cmd) []expect {
	state := read(&c.Src[0])
	word := func(w int64) uint32 {
		return backend.Philox4x32(uint64(state[0].i), uint64(state[1].i+w/4))[w%4]
	}
	d := c.Dst[0].DType
	es := make([]expect, c.Dst[0].Len())
	for n := range es {
		e := c.Base + int64(n)
		switch c.RandomKind {
		case backend.Bits:
			es[n] = exact(randomBits(d, word, e))
		case backend.Uniform:
			es[n] = exact(scalar{f: uniform(d, word, e)})
		case backend.Normal:
			es[n] = normal(d, word, e)
		}
	}
	return es
}

func randomBits(d backend.DType, word func(int64) uint32, e int64) scalar {
	if d == backend.Int64 {
		return scalar{i: int64(uint64(word(2*e)) | uint64(word(2*e+1))<<32)}
	}
	return scalar{i: wrap(d, int64(word(e)))}
}

func uniform(d backend.DType, word func(int64) uint32, e int64) float64 {
	if d == backend.Float64 {
		return (float64(word(2*e)>>5)*0x1p26 + float64(word(2*e+1)>>6)) * 0x1p-53
	}
	return round(d, float64(word(e)>>8)*0x1p-24)
}

func normal(d backend.DType, word func(int64) uint32, e int64) expect {
	j := e / 2
	u, v := (float64(word(2*j))+0.5)*0x1p-32, float64(word(2*j+1))*0x1p-32
	if d == backend.Float64 {
		u, v = 1-uniform(d, word, 2*j), uniform(d, word, 2*j+1)
	}
	wave := math.Cos
	if e%2 == 1 {
		wave = math.Sin
	}
	x := math.Sqrt(-2*math.Log(u)) * wave(2*math.Pi*v)
	carrier := d
	if narrow(d) {
		carrier = backend.Float32
	}
	slack := normalULPs*ulp(carrier, x) + normalSlack + halfULP(d, x)
	return expect{scalar: scalar{f: x}, slack: slack, anyZero: true}
}
