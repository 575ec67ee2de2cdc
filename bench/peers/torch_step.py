"""The same training step in PyTorch, time-batched: what a user who knows PyTorch well would write.

The fixed bridge is one cumulative sum, the network runs once on all states, and times are embedded once a step. With
--compile, torch.compile makes one program of loss and backward. Adam is PyTorch's fused one.
"""

import math

import torch
from torch.nn.functional import gelu, linear

import steps


def network(p, layers, s, t):
    """PISGradNet at states s (T, B, d) and times t (T)."""

    def affine(name, x):
        return linear(x, p[f"{name}.weight"], p[f"{name}.bias"])

    angle = t[:, None] * p["t_model.pe"] + p["t_model.timestep_phase"]
    time = affine("t_model.t_model.2", gelu(affine("t_model.t_model.0", torch.cat([angle.sin(), angle.cos()], 1))))
    h = gelu(affine("s_model.s_model", s) + time[:, None])
    h = gelu(affine("joint_model.model.1", h))
    for k in range(3, 2 + layers):
        h = gelu(affine(f"joint_model.model.{k}.0", h))
    return affine(f"joint_model.model.{2 + layers}", h)


def loss_of(p, settings, x, noise):
    """MLEDiffusion's loss of samples x (B, d) with the fixed bridge and noise (T, B, d)."""
    steps_, dt = settings.steps, 1 / settings.steps
    t = torch.arange(steps_ - 1, 0, -1, dtype=x.dtype, device=x.device) / steps_  # of the states between x and 0
    before = torch.arange(steps_, 1, -1, dtype=x.dtype, device=x.device) / steps_
    scale = settings.sigma * (dt / (t * before)).sqrt()
    between = t[:, None, None] * (x + (scale[:, None, None] * noise[:-1]).cumsum(0))
    states = torch.cat([x[None], between, torch.zeros_like(x)[None]])
    drift = network(p, settings.layers, states[1:], torch.cat([t, t.new_zeros(1)]))
    v = settings.sigma**2 * dt
    miss = states[:-1] - states[1:] - dt * drift
    return 0.5 * miss.square().sum() / (v * len(x)) + 0.5 * steps_ * settings.dim * math.log(2 * math.pi * v)


def check(case, loss, device):
    prefix = "pf.module."
    p = {name.removeprefix(prefix): torch.from_numpy(value).to(device) for name, value in case.weights.items()}
    trained = {name: p[name].requires_grad_() for name in (g.removeprefix(prefix) for g in case.grads)}
    value = loss(p, case.settings, torch.from_numpy(case.batch).to(device), torch.from_numpy(case.noise).to(device))
    value.backward()
    case.check(value.detach().cpu().numpy(), {prefix + name: w.grad.cpu().numpy() for name, w in trained.items()})


def weights(s):
    """Returns fresh weights, as PyTorch's Linear has them."""
    p = {
        "t_model.pe": torch.linspace(0.1, 100, s.harmonics)[None],
        "t_model.timestep_phase": torch.randn(1, s.harmonics, requires_grad=True),
    }
    shapes = {
        "t_model.t_model.0": (s.hidden, 2 * s.harmonics),
        "t_model.t_model.2": (s.embed, s.hidden),
        "s_model.s_model": (s.embed, s.dim),
        "joint_model.model.1": (s.hidden, s.embed),
        f"joint_model.model.{2 + s.layers}": (s.dim, s.hidden),
    }
    shapes |= {f"joint_model.model.{k}.0": (s.hidden, s.hidden) for k in range(3, 2 + s.layers)}
    for name, (rows, columns) in shapes.items():
        bound = 1 / math.sqrt(columns)
        p[f"{name}.weight"] = torch.empty(rows, columns).uniform_(-bound, bound).requires_grad_()
        p[f"{name}.bias"] = torch.empty(rows).uniform_(-bound, bound).requires_grad_()
    return p


def main():
    args = steps.arguments(__doc__, ("cpu", "cuda"), compile="by torch.compile")
    settings, batch = steps.parse(args.size)
    if settings.learned:
        raise SystemExit("only the fixed bridge is time-batched here")
    torch.set_num_threads(args.threads)
    torch.set_default_device(args.device)
    loss = torch.compile(loss_of, dynamic=False) if args.compile else loss_of
    for name in steps.FIXED[-1:] if args.compile else steps.FIXED:  # each takes a compilation
        check(steps.recorded(name), loss, args.device)
    torch.manual_seed(1)
    p, samples = weights(settings), 5 * torch.randn(batch, settings.dim)
    adam = torch.optim.Adam([w for w in p.values() if w.requires_grad], lr=1e-3, fused=True)

    def step():
        adam.zero_grad()
        loss(p, settings, samples, torch.randn(settings.steps, batch, settings.dim)).backward()
        adam.step()

    name = "PyTorch compiled" if args.compile else "PyTorch"
    steps.report(name, f"PyTorch {torch.__version__}", args, steps.best(step, args.seconds, steps.waiting(args.device)))


if __name__ == "__main__":
    main()
