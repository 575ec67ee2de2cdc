"""Tests of what `weir bench --peers` reads. python -m unittest, in this folder; needs the standard library only."""

import unittest

import interchange
from measure import Results

ABOUT = {"date": "2026-11-23", "processor": "A processor", "cores": 2, "arch": "amd64", "go": "go1.26"}


def measured(*values):
    r = Results()
    for name, threads, unit, value in values:
        r.add(name, threads, unit, value)
    return r


class Interchange(unittest.TestCase):
    def test_rates_become_times(self):
        r = measured(
            ("openblas/500x64x64,Bᵀ", 1, "GFLOP/s", 100),
            ("libmvec/exp", 1, "G/s", 2),
            ("PyTorch compiled/B500_T100_d2_h64_L2", 2, "ms", 40),
            ("PyTorch/Eager/add", 1, "ns", 800),
            ("GoMLX/ops/exp/float32/500x100x64", 2, "ns", 5e7),
        )
        found = [(x["backend"], x["name"], x["workers"], x["median_ns"]) for x in interchange.results(r)]
        self.assertEqual(
            found,
            [
                ("OpenBLAS", "matmul/float32/500x64x64,Bᵀ", 1, 2 * 500 * 64 * 64 / 100),
                ("libmvec", "loops/exp/float32/512", 1, 256),
                ("PyTorch compiled", "mle/step/B500_T100_d2_h64_L2", 2, 40e6),
                ("PyTorch", "eager/add", 1, 800),
                ("GoMLX", "ops/exp/float32/500x100x64", 2, 5e7),
            ],
        )

    def test_several_values_are_samples(self):
        r = measured(*(("torchgfn/B32_T100_d2_h64_L2", 1, "ms", ms) for ms in (4, 1, 2, 3)))
        (x,) = interchange.results(r)
        self.assertEqual((x["median_ns"], x["min_ns"], x["spread"]), (2.5e6, 1e6, 0.6))
        self.assertEqual(x["samples_ns"], [[4e6, 1e6, 2e6, 3e6]])

    def test_our_own_values_and_memory_are_left_out(self):
        r = measured(("weir/Step/B32_T100_d2_h64_L2", 1, "ns/op", 1), ("torchgfn/B32_T100_d2_h64_L2", 1, "MiB", 300))
        self.assertEqual(interchange.results(r), [])

    def test_ceilings_are_those_of_the_run(self):
        r = measured(
            ("ceilings/fma/float32", 1, "GFLOP/s", 100),
            ("ceilings/fma/float32", 2, "GFLOP/s", 200),
            ("ceilings/triad", 2, "GB/s", 20),
        )
        machine = interchange.report(r, ABOUT)["machine"]
        self.assertEqual((machine["fma_gflops"], machine["triad_gbps"]), (200, 20))
        self.assertEqual([c["workers"] for c in machine["ceilings"]], [1, 2])
        self.assertEqual(machine["date"], "2026-11-23T00:00:00Z")


if __name__ == "__main__":
    unittest.main()
