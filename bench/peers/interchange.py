"""What was measured of the peers as `weir bench` writes its own results, so that `weir bench --peers peers.json` shows both."""

import math
import re
import statistics

ELEMENTS = 512  # of a loop of libmvec.c
STEPS = ("torchgfn", "PyTorch", "PyTorch compiled", "jax.jit")


def case(name, unit, value):
    """Returns what `weir bench` calls a measurement: backend, case and nanoseconds; None if it is no peer's."""
    peer, _, what = name.partition("/")
    if peer == "openblas" and unit == "GFLOP/s":
        return "OpenBLAS", f"matmul/float32/{what}", flops(what) / value
    if peer == "libmvec" and unit == "G/s":
        return "libmvec", f"loops/{what}/float32/{ELEMENTS}", ELEMENTS / value
    if peer == "GoMLX" and unit == "ns":
        return peer, what, value
    if peer in STEPS and unit == "ms":
        return peer, f"mle/step/{what}", 1e6 * value
    if peer in STEPS and unit == "ns":
        return peer, what.lower(), value
    return None


def flops(shape):
    """Returns the operations of a product like 500x64x64, or 500x64x64,Bᵀ."""
    return 2 * math.prod(map(int, re.findall(r"\d+", shape)))


def results(r):
    """Returns a result for each peer, case and number of threads, in the order in which they were measured."""
    found = {}
    for key, values in r.values.items():
        for value in values:
            if known := case(key.name, key.unit, value):
                backend, name, ns = known
                found.setdefault((backend, name, key.threads), []).append(ns)
    return [
        {
            "name": name,
            "backend": backend,
            "workers": threads,
            "dtype": "float32",
            "median_ns": statistics.median(samples),
            "min_ns": min(samples),
            "spread": spread(samples),
            "samples_ns": [samples],
            "allocs": 0,
            "alloc_bytes": 0,
        }
        for (backend, name, threads), samples in found.items()
    ]


def spread(samples):
    """Returns the interquartile range over the median."""
    if len(samples) < 2:
        return 0
    low, middle, high = statistics.quantiles(samples, n=4, method="inclusive")
    return (high - low) / middle


def ceilings(r):
    """Returns the machine's ceilings by number of threads."""
    found = []
    for threads in sorted({key.threads for key in r.values if key.name.startswith("ceilings/")}):
        fma, fma64, triad = (
            r.best(f"ceilings/{name}", unit, threads) or 0
            for name, unit in (("fma/float32", "GFLOP/s"), ("fma/float64", "GFLOP/s"), ("triad", "GB/s"))
        )
        found.append({"workers": threads, "fma_gflops": fma, "fma_float64_gflops": fma64, "triad_gbps": triad, "by": "gcc"})
    return found


def report(r, about):
    """Returns the report. about holds the machine, as run.py describes it."""
    machine = {
        "date": about["date"] + "T00:00:00Z",
        "processor": about["processor"],
        "cores": about["cores"],
        "os": "linux",
        "arch": about["arch"],
        "go": about["go"],
        "fma_gflops": 0,
        "triad_gbps": 0,
    }
    if roofs := ceilings(r):
        machine |= {"fma_gflops": roofs[-1]["fma_gflops"], "triad_gbps": roofs[-1]["triad_gbps"], "ceilings": roofs}
    return {"machine": machine, "results": results(r)}
