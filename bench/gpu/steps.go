//go:build linux

package main

import (
	"path/filepath"
	"time"
)

// numbers are the tests of what a GPU may compute to other bits than the emulated one, beside conformance.
const numbers = "^Test(Uniforms|Normals|Functions|LargeAngles|EveryTile|EveryRun|Precisions|ALayer|LayersOf)"

// steps returns what is run, in this order: what must pass comes first, and what time may run out for last.
func steps(o options, scratch string) []step {
	const oneCase = "gflownet/mle/testdata/cases/one_step.safetensors"
	all := []step{{name: "GPU", required: true, limit: 30 * time.Second, command: []string{"./weir", "loss", "--backend", "cuda", "--case", oneCase}}}
	all = append(all, tests(o)...)
	all = append(all, startUp(o, scratch, "start-up, nothing compiled before"), startUp(o, scratch, "start-up, all compiled before"))
	all = append(all, benchmarks(o, scratch)...)
	all = append(all, peers(o)...)
	return append(all, tools()...)
}

// tests are those of backend/cuda and the recorded cases. Each has to say that something passed, for tests that are not there pass, too.
func tests(o options) []step {
	found := []struct {
		name, folder, binary string
		limit                time.Duration
		flags                []string
		small                []string // the flags with -small
		says                 string
	}{
		{
			"conformance", "backend/cuda", "./cuda.test", 150 * time.Second,
			[]string{"-test.run=^TestConformance$"}, []string{"-test.short", "-test.run=^TestConformance$/.*/(scan|sort|gather)"},
			"--- PASS: TestConformance ",
		},
		{
			"numbers", "backend/cuda", "./cuda.test", time.Minute,
			[]string{"-test.run=" + numbers}, []string{"-test.run=^Test(Uniforms|Normals)"}, "--- PASS: TestUniformsAreThoseOfCPU ",
		},
		{
			"parity", "gflownet/mle/recorded", "./recorded.test", time.Minute,
			[]string{"-test.run=^TestEveryRecordedCase/.*/cuda$"}, []string{"-test.run=^TestEveryRecordedCase/.*/cuda$"},
			"--- PASS: TestEveryRecordedCaseAgreesWithTheReference/float32_default_net/cuda ",
		},
		{
			"device", "backend/cuda", "./cuda.test", 90 * time.Second,
			[]string{"-test.skip=^TestConformance$|" + numbers}, []string{"-test.run=^Test(Training|Replayed|Kernels|ATraining)"},
			"--- PASS: TestTrainingAgreesWithTheCPU ",
		},
	}
	var all []step
	for _, t := range found {
		if o.small {
			t.flags = t.small
		}
		all = append(all, step{
			name: t.name, required: true, limit: t.limit, folder: t.folder, command: append([]string{t.binary, "-test.v"}, t.flags...), says: t.says,
		})
	}
	return all
}

// startUp is the start of a training, until its first step is done. The driver keeps what it compiles in a folder that is empty the first time.
func startUp(o options, scratch, name string) step {
	command := []string{"./weir", "train", "--backend", "cuda", "--json", "--steps", "20", "--eval-samples", "100", "--force", "--out", filepath.Join(scratch, "run")}
	if o.small {
		command = append(command, "--batch", "8", "--num-steps", "4", "--hidden", "8", "--embed", "8", "--harmonics", "4", "--target", "gmm2")
	}
	return step{
		name: name, required: true, limit: time.Minute, command: command, says: `"step":1,`,
		settings: []string{"CUDA_CACHE_PATH=" + filepath.Join(scratch, "start-up")},
	}
}

// cublasLt is the step that fails where that library is not installed.
const cublasLt = "cublasLt"

// benchmarks time nothing that is wrong; see package bench.
func benchmarks(o options, scratch string) []step {
	var all []step
	for _, b := range []struct {
		name, size, suites, flag string
		limit                    time.Duration
	}{
		{"training", "huge", "mle,sample", "", 90 * time.Second},
		{"kernels", "huge", "matmul,memory,random", "", 90 * time.Second},
		{"tf32", "huge", "mle,matmul", "--precision=tf32", time.Minute},
		{"3xtf32", "huge", "mle,matmul", "--precision=3xtf32", time.Minute},
		{"operations", "usual", "ops", "", time.Minute},
		{cublasLt, "huge", "mle,matmul", "--matmul=cublaslt", time.Minute},
	} {
		report := filepath.Join(scratch, b.name+".json")
		command := []string{"./weir", "bench", "--backends", "cuda", "--suite", b.suites, "--json", report}
		if b.flag != "" {
			command = append(command, b.flag)
		}
		if o.small {
			command = append(command, "--size", "small", "--budget", "1ms", "--passes", "1", "--filter", "^(mle|sample|matmul|memory|random|ops/(add|gather))/")
		} else {
			command = append(command, "--size", b.size, "--passes", "3")
		}
		all = append(all, step{name: b.name, required: b.name != cublasLt, limit: b.limit, command: command, report: report})
	}
	return all
}

// peers are torchgfn and PyTorch on the same GPU. A step of theirs is also checked before it is timed.
func peers(o options) []step {
	sizes, seconds := []string{"B500_T100_d2_h64_L2", "B4096_T100_d2_h64_L2", "B65536_T100_d2_h64_L2"}, "2"
	kernels := []string{"torch_kernels.py"}
	if o.small {
		sizes, seconds = []string{"B4_T5_d2_h16_L1"}, "0.1"
		kernels = append(kernels, "--share", "0.001")
	}
	var all []step
	add := func(name, module string, limit time.Duration, arguments ...string) {
		all = append(all, step{
			name: name, limit: limit, folder: "bench/peers", needs: []string{o.python, "-c", "import " + module},
			command: append([]string{o.python}, append(arguments, "--device", "cuda")...),
		})
	}
	add("PyTorch's kernels", "torch", time.Minute, kernels...)
	for _, size := range sizes {
		add("torchgfn "+size, "torch, gfn", 45*time.Second, "torchgfn_step.py", size, "--seconds", seconds)
		add("PyTorch "+size, "torch", 45*time.Second, "torch_step.py", size, "--seconds", seconds)
		add("PyTorch compiled "+size, "torch", 90*time.Second, "torch_step.py", size, "--seconds", seconds, "--compile")
	}
	return all
}

// resources assembles the kernels for the GPU's architecture, and prints the registers, the shared memory and the spilling of each.
const resources = `
arch=sm_$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1 | tr -d .)
for file in kernels/*.ptx; do
	cubin=$(mktemp)
	ptxas -arch="$arch" -o "$cubin" "$file" || exit 1
	echo "$file $arch"
	cuobjdump --dump-resource-usage "$cubin"
	rm "$cubin"
done`

// tools are NVIDIA's, where they are installed.
func tools() []step {
	installed := func(names string) []string { return []string{"sh", "-c", "command -v " + names} }
	sanitize := func(tool, pattern string) step {
		return step{
			name: "compute-sanitizer " + tool, limit: 90 * time.Second, folder: "backend/cuda", needs: installed("compute-sanitizer"),
			command: []string{"compute-sanitizer", "--tool", tool, "--error-exitcode", "9", "./cuda.test", "-test.v", "-test.run=" + pattern},
		}
	}
	return []step{
		{
			name: "resources", limit: time.Minute, folder: "backend/cuda", needs: installed("ptxas && command -v cuobjdump"),
			command: []string{"sh", "-c", resources},
		},
		sanitize("memcheck", "^TestTrainingAgreesWithTheCPU$"),
		sanitize("racecheck", "^TestEveryRunOfLeavesGivesTheSameBits$"),
		sanitize("synccheck", "^TestEveryRunOfLeavesGivesTheSameBits$"),
	}
}
