"""Maximum likelihood by torchgfn on its own targets: the quality of what it trains, beside `weir train`.

Trains MLEDiffusion with the fixed bridge on fresh samples of the target in every step, Adam at a constant rate, float32 on the CPU, and writes the
forward policy to OUT/TARGET_SEED.pt. Each run prints one JSON line with milliseconds a step (batch, loss, backward, Adam; the median) and the mean of
the last hundred losses. Weir reads the file, so that one evaluator judges both:

    pip install "numpy<2" torch torchgfn==2.4.1 scipy matplotlib
    python bench/peers/torchgfn_mle.py many_well --num-steps 50 --sigma 2 --batch 128 --steps 1000 --lr 1e-3 --seeds 1 2 --out /somewhere
    weir import /somewhere/many_well_1.pt --target many_well --num-steps 50 --sigma 2 --out runs/torchgfn
    weir eval --from runs/torchgfn -n 10000 --seed 7
"""

import argparse
import json
import pathlib
import statistics
import time

import gfn
import torch
from gfn.estimators import PinnedBrownianMotionForward
from gfn.gflownet.mle import MLEDiffusion
from gfn.gym.diffusion_sampling import DiffusionSampling
from gfn.utils.common import set_seed
from gfn.utils.modules import DiffusionPISGradNetForward


def build(dim, args):
    """Returns the loss with fresh weights."""
    net = DiffusionPISGradNetForward(
        s_dim=dim,
        harmonics_dim=64,
        t_emb_dim=args.hidden,
        s_emb_dim=args.hidden,
        hidden_dim=args.hidden,
        joint_layers=args.layers,
    )
    pf = PinnedBrownianMotionForward(dim, net, args.sigma, args.num_steps)
    return MLEDiffusion(pf, num_steps=args.num_steps, sigma=args.sigma)


def train(loss_of, target, args):
    """Returns the seconds and the loss of each step."""
    adam = torch.optim.Adam(loss_of.parameters(), lr=args.lr)
    seconds, losses = [], []
    for _ in range(args.steps):
        start = time.perf_counter()
        adam.zero_grad()
        loss = loss_of.loss(None, target.sample(args.batch))
        loss.backward()
        adam.step()
        seconds.append(time.perf_counter() - start)
        losses.append(loss.item())
    return seconds, losses


def main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("target", help="easy_funnel, hard_funnel, many_well, gmm25_prior, …")
    flags.add_argument("--num-steps", type=int, default=50)
    flags.add_argument("--sigma", type=float, default=2.0)
    flags.add_argument("--batch", type=int, default=128)
    flags.add_argument("--steps", type=int, default=1000)
    flags.add_argument("--lr", type=float, default=1e-3)
    flags.add_argument("--hidden", type=int, default=64, help="width of embeddings and hidden layers")
    flags.add_argument("--layers", type=int, default=2)
    flags.add_argument("--seeds", type=int, nargs="+", default=[1])
    flags.add_argument("--threads", type=int, default=1)
    flags.add_argument("--out", type=pathlib.Path, default=pathlib.Path())
    args = flags.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    env = DiffusionSampling(args.target, None, args.num_steps, debug=False)
    for seed in args.seeds:
        set_seed(seed)
        loss_of = build(env.dim, args)
        seconds, losses = train(loss_of, env.target, args)
        path = args.out / f"{args.target}_{seed}.pt"
        torch.save({"step": args.steps, "pf_state_dict": loss_of.pf.state_dict()}, path)
        print(
            json.dumps({
                "target": args.target,
                "seed": seed,
                "steps": args.steps,
                "loss": statistics.mean(losses[-100:]),
                "ms_per_step": 1000 * statistics.median(seconds),
                "file": str(path),
                "torchgfn": gfn.__version__,
                "torch": torch.__version__,
                "threads": args.threads,
            }),
            flush=True,
        )


if __name__ == "__main__":
    main()
