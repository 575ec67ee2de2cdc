// Package nn provides layers and named parameters.
//
// A layer is a struct that holds tensors and has a Forward method on *autograd.Var; it finds the tape in its input. Params lists what
// training changes, under PyTorch's state-dict names, so that weights travel both ways:
//
//	layer := nn.NewLinear(rng, backend.Float32, 2, 64)
//	y := layer.Forward(tape.Const(x))
//	for _, p := range layer.Params() {
//		fmt.Println(p.Name, p.Value.Shape()) // weight [64 2], bias [64]
//	}
package nn
