package backendtest

import (
	"github.com/weir-ml/weir/backend"
)

// largeCases crosses the limits of blocks, tiles and workers: few cases, many elements, sizes that divide by nothing.
func largeCases(s *suite) {
	s.largeMaps()
	for _, c := range s.largeCommands() {
		s.check(c)
	}
}

func (s *suite) largeCommands() []*backend.Cmd {
	f32 := backend.Float32
	transposed, broadcast := layouts[2], layouts[6]
	cs := []*backend.Cmd{
		s.copyCommand(f32, f32, []int{367, 291}, contiguous, transposed),
		s.copyCommand(f32, backend.Float16, []int{100_003}, contiguous, contiguous),
		s.copyCommand(backend.Int64, backend.Uint8, []int{53, 41, 37}, transposed, contiguous),
		s.reduceCommand(backend.ReduceSum, f32, []int{1009, 97}, 1, contiguous, contiguous, whole),
		s.reduceCommand(backend.ReduceSum, f32, []int{1009, 97}, 2, contiguous, contiguous, whole),
		s.reduceCommand(backend.ReduceSum, f32, []int{131_101}, 1, contiguous, contiguous, whole),
		s.reduceCommand(backend.ReduceSum, backend.Float64, []int{97, 1009}, 3, contiguous, transposed, normals),
		s.reduceCommand(backend.ReduceSum, backend.Int64, []int{20_011, 3}, 1, contiguous, contiguous, anything),
		s.reduceCommand(backend.ReduceArgMax, f32, []int{131_101}, 1, contiguous, contiguous, normals),
		s.reduceCommand(backend.ReduceArgMin, f32, []int{301, 311}, 1, contiguous, contiguous, normals),
		s.reduceCommand(backend.ReduceMax, backend.Float16, []int{301, 311}, 2, contiguous, contiguous, normals),
		s.scanCommand(f32, []int{307, 101}, 0, contiguous, contiguous, whole),
		s.scanCommand(f32, []int{2, 103, 101}, 1, contiguous, transposed, normals),
		s.sortCommand(f32, []int{30_011}, 0, false, contiguous, contiguous, anything),
		s.sortCommand(backend.Int32, []int{101, 211}, 1, true, contiguous, contiguous, tied),
		s.indexCommand(indexed{backend.Gather, f32, []int{3001, 33}, 0, 101, contiguous, contiguous, layouts[7], whole}),
		s.indexCommand(indexed{backend.Gather, f32, []int{307, 211}, 1, 50, contiguous, contiguous, contiguous, whole}),
		s.indexCommand(indexed{backend.ScatterAdd, f32, []int{3001, 33}, 0, 101, contiguous, contiguous, layouts[7], whole}),
		s.indexCommand(indexed{backend.ScatterAdd, backend.Float64, []int{50_021}, 0, 17, contiguous, contiguous, contiguous, normals}),
		s.randomCommand(backend.Uniform, f32, []int{100_003}, contiguous, 7, 11, 5),
		s.randomCommand(backend.Normal, f32, []int{317, 101}, transposed, 7, 11, 1),
		s.randomCommand(backend.Normal, backend.Float64, []int{50_001}, contiguous, 7, 11, 3),
		s.randomCommand(backend.Bits, backend.Int32, []int{100_003}, contiguous, 7, 11, 2),
	}
	for _, p := range []product{
		{batch: []int{20}, m: 23, n: 64, k: 64, b: broadcast, a: contiguous},
		{m: 1003, n: 31, k: 33, a: contiguous, b: contiguous},
		{batch: []int{30}, summed: 1, m: 64, n: 32, k: 23, a: contiguous, b: contiguous},
		{m: 9, n: 35, k: 3001, a: transposed, b: contiguous},
		{m: 1501, n: 2, k: 64, a: contiguous, b: transposed},
		{m: 1501, n: 64, k: 2, a: contiguous, b: contiguous},
	} {
		p.d, p.dst = f32, contiguous
		for _, p.data = range []kind{whole, normals} {
			cs = append(cs, s.matMulCommand(p))
		}
	}
	return cs
}

func (s *suite) largeMaps() {
	for _, p := range []*backend.Prog{
		mulAdd(backend.Float32),
		adam(backend.Float32),
		clipAndCount(backend.Float64),
		typedInstr{backend.Exp, []backend.DType{backend.Float32}, backend.Float32}.prog(),
		typedInstr{backend.Cast, []backend.DType{backend.Float32}, backend.BFloat16}.prog(),
	} {
		s.check(s.mapCommand(p, []int{50_021}, contiguous, contiguous, anything))
		s.check(s.mapCommand(p, []int{157, 211}, layouts[2], layouts[7], normals))
		s.check(s.mapCommand(p, []int{21, 1, 29, 31}, layouts[3], layouts[2], normals))
		s.check(s.mapCommand(p, []int{4001, 3}, contiguous, layouts[6], anything))
		s.check(s.mapCommand(p, []int{4001, 3}, contiguous, layouts[7], anything))
	}
}
