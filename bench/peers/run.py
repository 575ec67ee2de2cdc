"""Measures Weir and its peers in one run, in alternation, and prints the acceptance table.

    python run.py [--quick] [--only loops,products,steps,train,overhead] [--python PYTHON] [--jax PYTHON] [--out DIR]

What is not installed is left out and said so. On a quiet machine a whole run takes some 13 minutes, a quick one two.
Writes results.json, with every value, results.md, and peers.json, which `weir bench --peers` shows beside its own results.
"""

import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import acceptance
import interchange
from measure import Results

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
GCC = ["gcc", "-O3", "-march=native", "-ffast-math"]
THREADS = [n for n in (1, 2) if n <= len(os.sched_getaffinity(0))]


class Run:
    """A run: its options, its results, and a folder for what it builds."""

    def __init__(self, args, folder):
        self.args, self.folder, self.results = args, pathlib.Path(folder), Results()
        self.rounds = args.rounds or (1 if args.quick else 2)
        self.seconds = 0.05 if args.quick else 0.25  # of a measurement of a kernel

    def build(self, what, command):
        """Builds a program and returns whether that went well."""
        return self.results.run(f"build {what}", [*command[:2], "-o", self.folder / what, *command[2:]], lambda _: None, cwd=HERE) is not None

    def c(self, name, *flags):
        return self.build(name, [*GCC, *flags])

    def go(self, package):
        """Builds a package's benchmarks."""
        name = package.replace("/", "_")
        return self.build(name, ["go", "test", "-c", f"{ROOT}/{package}"])

    def gomlx(self):
        """Builds the program of GoMLX, a module of its own."""
        command = ["go", "build", "-o", self.folder / "gomlx", "."]
        return self.results.run("build gomlx", command, lambda _: None, cwd=HERE / "gomlx") is not None

    def bench(self, package, pattern, *flags):
        """Runs benchmarks and returns the most memory that their process held."""
        command = [self.folder / package.replace("/", "_"), "-test.run=^$", f"-test.bench={pattern}", *flags]
        return self.results.run(f"weir {pattern}", command, self.results.go_benchmarks, cwd=ROOT / package)

    def peer(self, program, prefix, *arguments):
        command = [self.folder / program, *map(str, arguments)]
        self.results.run(f"{prefix}", command, self.results.json_lines(prefix + "/"))


def implementation():
    """Returns the assembly that Weir chooses here."""
    flags = set(re.search(r"^flags\s*:(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)[1].split())
    return "avx512" if {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= flags else "avx2"


def repeated(seconds):
    """Returns the flags of a benchmark that repeats itself as often as the peers do, and takes about as long."""
    return f"-test.benchtime={seconds / 5}s", "-test.count=5"


def ceilings(run):
    run.peer("ceilings", "ceilings", run.seconds)


def loops(run):
    """Elementwise kernels in the L1 cache, random numbers and the triad."""
    wide = "-mprefer-vector-width=512"
    programs = [p for p, flags in {"libmvec": [], "libmvec512": [wide]}.items() if run.c(p, *flags, "libmvec.c", "-lm")]
    run.go("backend/simd")
    isa = implementation()
    for _ in range(run.rounds):
        ceilings(run)
        for program in programs:
            run.peer(program, "libmvec", run.seconds)
        run.bench("backend/simd", f"^Benchmark(Kernel|Random)$/./^float32$/^{isa}$", *repeated(run.seconds))
        run.bench("backend/simd", f"^BenchmarkTriad$/./^{isa}$", "-test.benchtime=5x", "-test.count=2")


def products(run):
    """Products of matrices, and by GoMLX elementwise operations, too."""
    openblas = run.c("openblas", "openblas.c", "-lopenblas")
    run.go("backend/simd")
    gomlx = run.gomlx()
    shapes = "|".join([*acceptance.PRODUCTS, *acceptance.TRANSPOSED])
    for _ in range(run.rounds):
        if openblas:
            run.peer("openblas", "openblas", 2 * run.seconds)
        for threads in THREADS if gomlx else []:
            command = [run.folder / "gomlx", str(threads), str(run.seconds)]
            run.results.run(f"gomlx, {threads} threads", command, run.results.json_lines(""))
        pattern = f"^BenchmarkMatMul$/^{implementation()}$/^float32$/^({shapes})$"
        run.bench("backend/simd", pattern, *repeated(2 * run.seconds))


def steps(run):
    """Training steps, each in a process of its own, so that the memory it holds is known."""
    run.go("train")
    seconds = 0.3 if run.args.quick else 2
    for turn in range(run.rounds):
        ceilings(run)
        for size in [acceptance.SMALL, acceptance.FLAGSHIP] if run.args.quick else acceptance.SIZES:
            for threads in THREADS:
                for name, command in peers(run, size, turn):
                    arguments = [size, "--threads", str(threads), "--seconds", str(seconds)]
                    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
                    memory = run.results.run(
                        f"{name} {size}, {threads} threads",
                        [*command, *arguments],
                        run.results.json_lines(""),
                        cwd=HERE,
                        env=environment,
                    )
                    if memory:
                        run.results.add(f"{name}/{size}", threads, "MiB", memory)
                pattern = f"^BenchmarkStep$/^{size}$/^simd$/^workers={threads}$"
                memory = run.bench("train", pattern, *repeated(seconds / 2))
                if memory:
                    run.results.add(f"weir/Step/{size}", threads, "MiB", memory)


def peers(run, size, turn):
    """Returns the peers of a step with their commands.

    The compiled one takes half a minute to start, and runs where Weir is held to it. The other time-batched ones run once
    where they are for information.
    """
    found = {"torchgfn": [run.args.python, "torchgfn_step.py"]}
    if size == acceptance.FLAGSHIP or turn == 0 and size != acceptance.LEARNED:
        found["PyTorch"] = [run.args.python, "torch_step.py"]
        found["jax.jit"] = [run.args.jax, "jax_step.py"]
    if size == acceptance.FLAGSHIP and not run.args.quick:
        found["PyTorch compiled"] = [run.args.python, "torch_step.py", "--compile"]
    return found.items()


def train(run):
    """The default-sized training, from the command to its report."""
    if run.args.quick or not run.build("weir", ["go", "build", f"{ROOT}/cmd/weir"]):
        return
    sizes = {"target": "gmm25_prior", "steps": 1000, "batch": 500, "num-steps": 100, "out": run.folder / "run"}
    command = [run.folder / "weir", "train", "--json", *(f"--{name}={value}" for name, value in sizes.items())]
    start = time.perf_counter()
    if run.results.run("weir train", command, lambda _: None, cwd=run.folder):
        run.results.add("weir/train", len(THREADS), "s", time.perf_counter() - start)


def overhead(run):
    """What an eager operation costs beside its arithmetic."""

    def parse(output):
        for name, plain, recorded in re.findall(r"^(.+?) +(\d+) without gradients +(\d+) with$", output, re.M):
            run.results.add(f"PyTorch/Eager/{name}", 1, "ns", int(plain))
            run.results.add(f"PyTorch/Tape/{name}", 1, "ns", int(recorded))

    run.go("tensor")
    run.go("autograd")
    for _ in range(run.rounds):
        run.results.run("overhead of PyTorch", [run.args.python, "overhead.py"], parse, cwd=HERE)
        run.bench("tensor", "^BenchmarkEager$/././^8$", "-test.benchtime=3000x", "-test.count=10")
        run.bench("autograd", "^BenchmarkTape$", "-test.benchtime=3000x", "-test.count=10")


SECTIONS = {"loops": loops, "products": products, "steps": steps, "train": train, "overhead": overhead}


def machine():
    """Returns what the numbers hold for."""

    def said(*command):
        try:
            return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.splitlines()[0]
        except (OSError, subprocess.CalledProcessError, IndexError):
            return "unknown"

    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    model = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return {
        "date": datetime.date.today().isoformat(),
        "processor": f"{model.get('model name')}, family {model.get('cpu family')}, model {model.get('model')}",
        "cores": len(os.sched_getaffinity(0)),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') >> 30} GiB",
        "arch": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine),
        "linux": os.uname().release,
        "go": said("go", "env", "GOVERSION"),
        "gcc": said("gcc", "--version"),
        "libc": os.confstr("CS_GNU_LIBC_VERSION"),
        "commit": said("git", "describe", "--always", "--dirty"),
        "load before": round(os.getloadavg()[0], 2),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer sizes, shorter, once")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, of " + ", ".join(SECTIONS))
    parser.add_argument("--rounds", type=int, help="how often both sides alternate")
    parser.add_argument("--python", default=sys.executable, help="the Python that has torch and torchgfn")
    parser.add_argument("--jax", default=sys.executable, help="the Python that has jax")
    parser.add_argument("--out", type=pathlib.Path, default=HERE, help="the folder to write to")
    args = parser.parse_args()
    wanted = args.only.split(",")
    if unknown := set(wanted) - set(SECTIONS):
        parser.error(f"unknown section {', '.join(unknown)}; want some of {', '.join(SECTIONS)}")
    about = machine()
    if about["load before"] > 0.5:
        print(f"the machine is busy (load {about['load before']}): these numbers will not hold", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        run = Run(args, folder)
        run.c("ceilings", "-pthread", "ceilings.c")
        for section in wanted:
            SECTIONS[section](run)
    write(run, wanted, about)


def write(run, wanted, about):
    r, table = run.results, acceptance.rows(run.results, wanted)
    missing = "".join(f"\nNot measured: {what}: {why}\n" for what, why in r.missing.items())
    text = f"{acceptance.markdown(table)}\n{missing}"
    print(text)
    run.args.out.mkdir(parents=True, exist_ok=True)
    found = {"machine": about, "acceptance": [dataclasses.asdict(x) | {"verdict": x.verdict} for x in table]} | r.table()
    (run.args.out / "results.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    peers = interchange.report(r, about)
    (run.args.out / "peers.json").write_text(json.dumps(peers, indent=1, ensure_ascii=False) + "\n")
    facts = "".join(f"- {name}: {value}\n" for name, value in (about | r.versions).items())
    (run.args.out / "results.md").write_text(f"{facts}\n{text}")


if __name__ == "__main__":
    main()
