"""Fits Gaussian mixtures with full covariances to the rows of one file, and prints their mean negative log-likelihood on those of another.

    python gmm.py seen.csv held.csv

The files are what weir split writes, so the figures stand beside those of weir train on the same data. One component is a single Gaussian. Needs numpy and
scikit-learn. Columns are standardised by the rows seen, as weir does; figures are in nats, in the data's own units.
"""

import argparse

import numpy as np
from sklearn.mixture import GaussianMixture


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("seen")
    parser.add_argument("held")
    parser.add_argument("--most", type=int, default=10, help="components, from one on")
    parser.add_argument("--starts", type=int, default=2, help="of EM, of which the best fit counts")
    args = parser.parse_args()
    seen, held = (np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2) for path in (args.seen, args.held))
    mean, std = seen.mean(0), seen.std(0)
    log_scale = np.log(std).sum()
    print("components  held-out NLL       NLL of rows seen  BIC")
    for k in range(1, args.most + 1):
        gmm = GaussianMixture(k, n_init=args.starts, max_iter=500, random_state=0).fit((seen - mean) / std)
        nll = log_scale - gmm.score_samples((held - mean) / std)
        fit = log_scale - gmm.score((seen - mean) / std)
        error = nll.std(ddof=1) / len(nll) ** 0.5
        print(f"{k:10}  {nll.mean():.4f} ± {error:.4f}  {fit:16.4f}  {gmm.bic((seen - mean) / std):.1f}")


if __name__ == "__main__":
    main()
