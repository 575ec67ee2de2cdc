package backend_test

import (
	"fmt"

	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
)

// One command, executed: y = eˣ/2 of three numbers, where ½ is a parameter of the program.
func Example() {
	device, err := backend.Open("cpu", backend.Options{Workers: 1})
	if err != nil {
		panic(err)
	}
	stream, err := device.NewStream()
	if err != nil {
		panic(err)
	}
	const f = backend.Float32
	p, err := backend.NewProg([]backend.DType{f}, []backend.DType{f}, []backend.Instr{
		{Op: backend.Exp, DType: f, A: 0},
		{Op: backend.Mul, DType: f, A: 2, B: 1},
	}, []backend.Value{3})
	if err != nil {
		panic(err)
	}
	x, err := device.Alloc(3 * f.Size())
	if err != nil {
		panic(err)
	}
	stream.Upload(x, 0, make([]byte, 3*f.Size())) // three zeros
	view := backend.Contiguous(x, f, 3)
	c := backend.Cmd{Op: backend.Map, Prog: p, Imm: []float64{0.5}, Dst: []backend.View{view}, Src: []backend.View{view}}
	stream.Exec([]backend.Cmd{c})
	bytes := make([]byte, 3*f.Size())
	if err := stream.Download(bytes, x, 0); err != nil {
		panic(err)
	}
	fmt.Println(p)
	fmt.Printf("% x\n", bytes)
	// Output:
	// s0:float32 p1:float32; v2 = exp(s0); v3 = mul(v2, p1) → v3
	// 00 00 00 3f 00 00 00 3f 00 00 00 3f
}
