"""What PyTorch's own kernels take on a device: products by its BLAS, a copy, and normals, at the sizes of `weir bench --size huge`.

Prints lines of JSON with milliseconds; `--share` cuts the sizes down. It is for GPUs: a processor has libraries of its own here.
"""

import argparse
import json

import torch

import steps

PRODUCTS = {"1048576x256x256": (1 << 20, 256, 256), "4096x4096x4096": (4096, 4096, 4096), "50000x64x64": (50000, 64, 64)}
PRECISIONS = {"": False, ",tf32": True}  # of float32 products


def cut(n, share):
    return max(1, int(n * share))


def kernels(device, share):
    """Yields names and what runs them once."""
    for precision, tf32 in PRECISIONS.items():
        torch.backends.cuda.matmul.allow_tf32 = tf32
        for name, (m, k, n) in PRODUCTS.items():
            a, b = torch.randn(cut(m, share), k, device=device), torch.randn(k, n, device=device)
            out = a @ b
            yield f"matmul/float32/{name}{precision}", lambda a=a, b=b, out=out: torch.mm(a, b, out=out)
    source = torch.randn(cut(1 << 28, share), device=device)
    to = torch.empty_like(source)
    yield "memory/copy/float32/1GiB", lambda: to.copy_(source)
    numbers = torch.empty(cut(10**9, share), device=device)
    yield "random/normal/float32/1000000000", numbers.normal_


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", choices=("cpu", "cuda"))
    parser.add_argument("--seconds", type=float, default=0.5, help="that measuring one takes at least")
    parser.add_argument("--share", type=float, default=1, help="of the sizes, to try it out")
    args = parser.parse_args()
    for name, run in kernels(args.device, args.share):
        ms = steps.best(run, args.seconds, steps.waiting(args.device))
        version = f"PyTorch {torch.__version__}"
        print(json.dumps({"name": f"PyTorch/{name}", "version": version, "device": args.device, "value": ms, "unit": "ms"}), flush=True)


if __name__ == "__main__":
    main()
