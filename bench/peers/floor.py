"""The least gaps that Gaussian steps leave on gmm25_prior: what no training can do better than, for a process.

Under the Brownian bridge, the end x of a path through s at time t is known up to its mode: the posterior of a mixture of Gaussians is one again.
So are the mean and the variance of the next state, and the policy that has them is the best Gaussian one for the EUBO. Its gaps are estimated from
paths both ways, for a variance that is fixed at sigma^2 dt, and for one learned for each coordinate.

    pip install numpy
    python bench/peers/floor.py --num-steps 100 --grids uniform power:2 log:30
"""

import argparse
import math

import numpy as np

VARIANCE = 0.3  # of a mode
MODES = np.array([(a, b) for a in range(-10, 11, 5) for b in range(-10, 11, 5)], float)


def times(grid, steps):
    """Returns the times 0, ..., 1 of the states, as Weir's grids have them."""
    u = np.arange(steps + 1) / steps
    kind, _, shape = grid.partition(":")
    if kind == "uniform":
        return u
    if kind == "cosine":
        return np.sin(np.pi * u / 2) ** 2
    if kind == "power":
        return 1 - (1 - u) ** float(shape)
    if kind == "log":
        return np.expm1(-u * math.log(float(shape))) / np.expm1(-math.log(float(shape)))
    raise SystemExit(f"grid {grid!r}; want uniform, cosine, power:P or log:R")


def log_normal(off, variance):
    """Returns the log density (n) of deviations (n, 2)."""
    return -0.5 * (off**2 / variance + np.log(2 * math.pi * variance)).sum(1)


def shares(off, variance):
    """Returns log densities (n, 25) of points at off (n, 25, 2) from the modes."""
    return -0.5 * (off**2).sum(2) / variance - math.log(2 * math.pi * variance) - math.log(len(MODES))


def log_mean(logs):
    top = logs.max(1, keepdims=True)
    return (top + np.log(np.exp(logs - top).sum(1, keepdims=True)))[:, 0]


def log_density(x):
    return log_mean(shares(x[:, None] - MODES, VARIANCE))


def end(s, t, sigma):
    """Returns mean and variance (n, 2) of the end of a path through s (n, 2) at time t."""
    if t == 0:
        return np.broadcast_to(MODES.mean(0), s.shape), np.broadcast_to(VARIANCE + MODES.var(0), s.shape)
    spread = t * t * VARIANCE + sigma**2 * t * (1 - t)
    off = s[:, None] - t * MODES
    logs = shares(off, spread)
    weight = np.exp(logs - log_mean(logs)[:, None])[..., None]
    gain = t * VARIANCE / spread
    means = MODES + gain * off
    mean = (weight * means).sum(1)
    return mean, (weight * (means - mean[:, None]) ** 2).sum(1) + VARIANCE * (1 - gain * t)


def forward(s, t, dt, sigma, learned):
    """Returns mean and variance of the best step from s (n, 2)."""
    mean, variance = end(s, t, sigma)
    step = s + dt * (mean - s) / (1 - t)
    if not learned:
        return step, np.full_like(s, sigma**2 * dt)
    return step, (dt / (1 - t)) ** 2 * variance + sigma**2 * dt * (1 - t - dt) / (1 - t)


def backward(s, t, dt, sigma):
    """Returns mean and variance of the bridge's step from s at time t to t - dt."""
    return s * (t - dt) / t, sigma**2 * dt * (t - dt) / t


def gaps(rng, ts, sigma, learned, n):
    """Returns EUBO and ELBO gaps, each of n paths."""
    dts = np.diff(ts)
    x = MODES[rng.integers(len(MODES), size=n)] + rng.normal(size=(n, 2)) * math.sqrt(VARIANCE)
    upper, state = log_density(x), x
    for i in range(len(dts) - 1, -1, -1):
        previous = np.zeros_like(x)
        if i > 0:
            mean, variance = backward(state, ts[i + 1], dts[i], sigma)
            previous = mean + math.sqrt(variance) * rng.normal(size=x.shape)
            upper += log_normal(previous - mean, variance)
        mean, variance = forward(previous, ts[i], dts[i], sigma, learned)
        upper -= log_normal(state - mean, variance)
        state = previous
    lower, state = np.zeros(n), np.zeros_like(x)
    for i, dt in enumerate(dts):
        mean, variance = forward(state, ts[i], dt, sigma, learned)
        following = mean + np.sqrt(variance) * rng.normal(size=x.shape)
        lower -= log_normal(following - mean, variance)
        if i > 0:
            mean, variance = backward(following, ts[i + 1], dt, sigma)
            lower += log_normal(state - mean, variance)
        state = following
    return upper, -(lower + log_density(state))


def main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--num-steps", type=int, default=100)
    flags.add_argument("--sigma", type=float, default=math.sqrt(20))
    flags.add_argument("--grids", nargs="+", default=["uniform", "cosine", "power:2", "log:30"])
    flags.add_argument("-n", type=int, default=4000)
    args = flags.parse_args()
    rng = np.random.default_rng(0)
    for grid in args.grids:
        for learned in (False, True):
            both = gaps(rng, times(grid, args.num_steps), args.sigma, learned, args.n)
            eubo, elbo = (f"{g.mean():.3f} ± {g.std() / math.sqrt(args.n):.3f}" for g in both)
            print(f"{grid:8} {'learned' if learned else 'fixed':8} EUBO gap {eubo}  ELBO gap {elbo}", flush=True)


if __name__ == "__main__":
    main()
