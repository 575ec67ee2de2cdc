"""A training step of torchgfn's MLEDiffusion: loss, backward, Adam, as its documentation has it.

The batch is drawn once: Weir's benchmark also draws a batch in each step.
"""

import unittest.mock
import warnings

warnings.filterwarnings("ignore")

import gfn  # noqa: E402
import torch  # noqa: E402
from gfn.estimators import PinnedBrownianMotionBackward, PinnedBrownianMotionForward  # noqa: E402
from gfn.gflownet.mle import MLEDiffusion  # noqa: E402
from gfn.utils.modules import DiffusionPISGradNetBackward, DiffusionPISGradNetForward  # noqa: E402

import steps  # noqa: E402


def model(s):
    """Returns the loss with fresh weights."""
    sizes = dict(
        s_dim=s.dim,
        harmonics_dim=s.harmonics,
        t_emb_dim=s.embed,
        s_emb_dim=s.embed,
        hidden_dim=s.hidden,
        joint_layers=s.layers,
    )
    pf = PinnedBrownianMotionForward(s.dim, DiffusionPISGradNetForward(**sizes), s.sigma, s.steps)
    pb = None
    if s.learned:
        net = DiffusionPISGradNetBackward(**sizes, learn_variance=False, pb_scale_range=s.pb_scale_range)
        net.input_dim = s.dim + 1  # torchgfn 2.4.1 forgets to set it, and asks for it
        pb = PinnedBrownianMotionBackward(s.dim, net, s.sigma, s.steps, pb_scale_range=s.pb_scale_range)
    return MLEDiffusion(pf, pb, num_steps=s.steps, sigma=s.sigma, pb_scale_range=s.pb_scale_range)


def check(case, device):
    loss_of = model(case.settings).to(device, torch.from_numpy(case.batch).dtype)
    loss_of.load_state_dict({name: torch.from_numpy(value) for name, value in case.weights.items()})
    with unittest.mock.patch.object(torch, "randn_like", side_effect=list(torch.from_numpy(case.noise).to(device))):
        loss = loss_of.loss(None, torch.from_numpy(case.batch).to(device))
    loss.backward()
    case.check(loss.detach().cpu().numpy(), {name: p.grad.cpu().numpy() for name, p in loss_of.named_parameters()})


def main():
    args = steps.arguments(__doc__, ("cpu", "cuda"))
    settings, batch = steps.parse(args.size)
    torch.set_num_threads(args.threads)
    for name in steps.LEARNED if settings.learned else steps.FIXED:
        check(steps.recorded(name), args.device)
    torch.manual_seed(1)
    loss_of = model(settings).to(args.device)
    samples = 5 * torch.randn(batch, settings.dim, device=args.device)
    adam = torch.optim.Adam(loss_of.parameters(), lr=1e-3)

    def step():
        adam.zero_grad()
        loss_of.loss(None, samples).backward()
        adam.step()

    version = f"torchgfn {gfn.__version__}, PyTorch {torch.__version__}"
    steps.report("torchgfn", version, args, steps.best(step, args.seconds, steps.waiting(args.device)))


if __name__ == "__main__":
    main()
