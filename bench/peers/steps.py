"""What the peers of a training step share: sizes, recorded cases, and how a step is timed.

A peer is run as `python PEER.py SIZE --threads N --seconds S [--device cuda]`. It first evaluates recorded cases, whose weights, batch and
noise are given, and ends with an error unless its loss and gradients are the recorded ones. Then it times loss, backward and
Adam, and prints a line of JSON.
"""

import argparse
import dataclasses
import json
import math
import pathlib
import re
import struct
import time

import numpy as np

CASES = pathlib.Path(__file__).resolve().parents[2] / "gflownet/mle/testdata/cases"
FIXED = ["one_step", "fixed_variance", "float32_default_net"]
LEARNED = ["learned_pb_mean"]
TOLERANCE = {"F64": 1e-12, "F32": 5e-5}  # relative; those of Weir's own test


@dataclasses.dataclass(frozen=True)
class Settings:
    """A process and the sizes of its networks."""

    dim: int = 2
    steps: int = 100
    sigma: float = math.sqrt(20)
    harmonics: int = 64
    embed: int = 64
    hidden: int = 64
    layers: int = 2
    learned: bool = False  # the mean of the backward policy
    pb_scale_range: float = 0.1


def parse(size):
    """Returns the settings and the batch of a size as Weir's BenchmarkStep names it, like B500_T100_d2_h64_L2_pb_mean."""
    found = re.fullmatch(r"B(\d+)_T(\d+)_d(\d+)_h(\d+)_L(\d+)(_pb_mean)?", size)
    if not found:
        raise SystemExit(f"size {size!r}; want one like B500_T100_d2_h64_L2")
    batch, steps, dim, hidden, layers = map(int, found.groups()[:5])
    return Settings(dim=dim, steps=steps, hidden=hidden, layers=layers, learned=bool(found[6])), batch


@dataclasses.dataclass(frozen=True)
class Case:
    """A loss that torchgfn computed, with everything that went into it."""

    name: str
    dtype: str  # F32 or F64
    settings: Settings
    batch: np.ndarray  # (B, d)
    noise: np.ndarray  # (T, B, d), noise[i] for the i-th step back from time 1
    weights: dict  # parameters and buffers by their names in torchgfn's state dict
    loss: np.ndarray
    grads: dict

    def check(self, loss, grads):
        """Raises unless loss and gradients are the recorded ones."""
        pairs = {"loss": (loss, self.loss)} | {name: (grads[name], want) for name, want in self.grads.items()}
        for name, (got, want) in pairs.items():
            error, limit = np.max(np.abs(np.asarray(got, np.float64) - want)), TOLERANCE[self.dtype] * np.max(np.abs(want))
            if not error <= limit:
                raise SystemExit(f"{self.name}: {name} is off by {error:.2g}; want at most {limit:.2g}")


def recorded(name):
    """Reads a case."""
    data = (CASES / f"{name}.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header, payload = json.loads(data[8 : 8 + length]), data[8 + length :]
    meta = header.pop("__metadata__")
    tensors = {}
    for key, entry in header.items():
        begin, end = entry["data_offsets"]
        dtype = {"F32": np.float32, "F64": np.float64}[entry["dtype"]]
        tensors[key] = np.frombuffer(payload[begin:end], dtype).reshape(entry["shape"]).copy()
    net = json.loads(meta["net"])
    settings = Settings(
        dim=int(meta["s_dim"]),
        steps=int(meta["num_steps"]),
        sigma=float(meta["sigma"]),
        harmonics=net["harmonics_dim"],
        embed=net["s_emb_dim"],
        hidden=net["hidden_dim"],
        layers=net["joint_layers"],
        learned=meta["pb"] == "mean",
        pb_scale_range=float(meta["pb_scale_range"]),
    )
    return Case(
        name,
        header["batch"]["dtype"],
        settings,
        tensors["batch"],
        tensors["noise"],
        named(tensors, "param.") | named(tensors, "buffer."),
        tensors["loss"],
        named(tensors, "grad."),
    )


def named(tensors, prefix):
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def arguments(doc, devices=("cpu",), **flags):
    """Returns what the command line asks for; flags are names of switches with their help."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("size", help="like B500_T100_d2_h64_L2")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3, help="that measuring takes at least")
    parser.add_argument("--device", default="cpu", choices=devices, help="where the step runs")
    for name, text in flags.items():
        parser.add_argument(f"--{name}", action="store_true", help=text)
    return parser.parse_args()


def nothing():
    """Waits for a device that is done when a call returns."""


def waiting(device):
    """Returns what waits until a device of PyTorch has done all that it was given."""
    if device == "cpu":
        return nothing
    import torch

    return torch.cuda.synchronize


def best(step, seconds, wait=nothing):
    """Returns the milliseconds of a step: the least mean of several rounds, each of a tenth of the time or one step.

    A step may return before it is done; wait returns when all are.
    """
    step()
    wait()
    start = time.perf_counter()
    step()
    wait()
    rounds_of = max(1, int(seconds / 10 / (time.perf_counter() - start)))
    least, rounds, begin = math.inf, 0, time.perf_counter()
    while rounds < 2 or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        for _ in range(rounds_of):
            step()
        wait()
        least = min(least, (time.perf_counter() - start) / rounds_of)
        rounds += 1
    return 1e3 * least


def report(peer, version, args, ms):
    found = {"name": f"{peer}/{args.size}", "version": version, "threads": args.threads, "value": ms, "unit": "ms"}
    print(json.dumps(found | ({} if args.device == "cpu" else {"device": args.device})))
