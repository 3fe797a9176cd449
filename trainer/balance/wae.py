"""Wasserstein autoencoders (Tolstikhin et al. 2018, arXiv:1711.01558): all codes together are to be as the prior.

No code has a posterior or a KL; what is held against them is how far a batch of them is from a sample of the prior, by
the maximum mean discrepancy. Images are decoded from the prior, as those of a VAE are.
"""

import torch
from torch import Tensor

from trainer import config, ranks
from trainer.balance.deterministic import Deterministic
from trainer.balance.strategy import Plan, Weighed
from trainer.networks.vae import VAE
from trainer.objective import CodeTerms, Pass, squared_error

SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Of the kernel's width, in the published code, which sums over them; the paper names the width itself alone."""


class WaeMMD(Deterministic):
    """The squared error of a sample, summed over its values, + λ MMD(codes, prior).

    λ is divergence_weight. The published code (tolstikhin/wae) has it 10 beside .05 times the squared error, which for
    MNIST's values in [0, 1] is λ = 200 here, the default; for CelebA's in [-1, 1] it is 50.
    It adds noise to what is encoded, and trains the encoder alone at first, for 200 steps at most; here is neither.
    """

    kind = "WAE"

    def __init__(self, settings: config.Balance, plan: Plan) -> None:
        super().__init__(settings, plan)
        self.divergence_weight = settings.divergence_weight

    def penalty(self, passed: Pass, network: VAE, noise: torch.Generator) -> Tensor:
        """MMD of the whole batch's codes from as many samples of N(0, I), ()."""
        codes = passed.z if ranks.here().count == 1 else ranks.gathered(passed.z).flatten(0, 1)
        prior = torch.randn(codes.shape, generator=noise, device=codes.device, dtype=codes.dtype)
        return discrepancy(codes, prior)

    def weigh(self, terms: CodeTerms, kl_weight: float) -> Weighed:
        """D mse + λ MMD; there is no KL to be weighed."""
        assert terms.penalty is not None
        loss = squared_error(terms) + self.divergence_weight * terms.penalty
        return Weighed(loss, {"mmd": terms.penalty.detach(), "code_norm": terms.code_norm.detach()})


def discrepancy(codes: Tensor, prior: Tensor) -> Tensor:
    """The unbiased estimate of the squared maximum mean discrepancy of two samples of n > 1, (n, k) each; ().

    By the kernel k(x, y) = Σ C / (C + ‖x - y‖²), an inverse multiquadratic for each C = 2 k s of the scales s; 2 k is
    what ‖x - y‖² is for two samples of N(0, I), in the mean. Where both are of one law it is zero in the mean, and so
    below zero every other time.
    """
    count = len(codes)
    within = _kernel(codes, codes) + _kernel(prior, prior)
    across = _kernel(codes, prior)
    others = within.sum() - within.diagonal().sum()
    return others / (count * (count - 1)) - 2.0 * across.mean()


def _kernel(one: Tensor, other: Tensor) -> Tensor:
    squares = one.square().sum(1)[:, None] + other.square().sum(1)
    distances = (squares - 2.0 * one @ other.T).clamp(min=0.0)  # rounding may leave them below zero
    widths = [2.0 * one.shape[1] * scale for scale in SCALES]
    return torch.stack([width / (width + distances) for width in widths]).sum(0)  # (n, n)
