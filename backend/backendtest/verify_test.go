package backendtest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

func TestVerifyNamesTheFirstWrongElement(t *testing.T) {
	numbers := func(xs ...float64) backend.View {
		v := backend.Contiguous(&backend.Buffer{Size: 4 * len(xs), Host: make([]byte, 4*len(xs))}, backend.Float32, len(xs))
		for i, x := range xs {
			store(v.Buf.Host, backend.Float32, i, scalar{f: x})
		}
		return v
	}
	dst, right, wrong := numbers(9, 9, 9), numbers(4, 9, 16), numbers(4, 9, 17)
	p, err := backend.NewProg([]backend.DType{backend.Float32}, nil,
		[]backend.Instr{{Op: backend.Mul, DType: backend.Float32}}, []backend.Value{1})
	require.NoError(t, err)
	c := &backend.Cmd{Op: backend.Map, Prog: p, Dst: []backend.View{dst}, Src: []backend.View{numbers(2, 3, 4)}}
	after := func(v backend.View) func(*backend.Buffer) []byte {
		return func(b *backend.Buffer) []byte {
			require.Same(t, dst.Buf, b)
			return v.Buf.Host
		}
	}
	require.NoError(t, Verify(c, after(right)))
	require.EqualError(t, Verify(c, after(wrong)),
		"destination 0[2]: got 17 (0x41880000), want 16 (0x41800000): 5.243e+05 ulp off; allowed are 0 from (4 (0x40800000)); 1 of 3 elements are wrong")

	part := c.Clone()
	part.Dst[0].Dims[0], part.Src[0].Dims[0] = 2, 2
	require.NoError(t, Verify(&part, after(wrong)), "the third element is not of the part")

	bad := c.Clone()
	bad.Src = nil
	require.ErrorContains(t, Verify(&bad, after(right)), "has 1 destinations and 0 sources; want 1 and 1")
}

// A term may be off by its share and no more, and only where a product has terms.
func TestVerifyProductAllowsForRoundedTerms(t *testing.T) {
	matrix := func(x float64) backend.View {
		v := backend.Contiguous(&backend.Buffer{Size: 4, Host: make([]byte, 4)}, backend.Float32, 1, 1)
		store(v.Buf.Host, backend.Float32, 0, scalar{f: x})
		return v
	}
	c := &backend.Cmd{Op: backend.MatMul, Dst: []backend.View{matrix(0)}, Src: []backend.View{matrix(3), matrix(5)}}
	after := func(x float64) func(*backend.Buffer) []byte {
		return func(*backend.Buffer) []byte { return matrix(x).Buf.Host }
	}
	require.NoError(t, VerifyProduct(c, after(15), 0))
	require.ErrorContains(t, VerifyProduct(c, after(15.01), 0), "got 15.01")
	require.NoError(t, VerifyProduct(c, after(15.01), 0x1p-10))
	require.ErrorContains(t, VerifyProduct(c, after(15.02), 0x1p-10), "got 15.02")
	require.ErrorContains(t, VerifyProduct(&backend.Cmd{Op: backend.Copy, Dst: c.Dst, Src: c.Src[:1]}, after(3), 0), "is no matrix product")
}
