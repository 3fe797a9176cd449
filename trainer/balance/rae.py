"""Regularised autoencoders: no posterior and no prior, but a decoder kept smooth (Ghosh et al. 2020, arXiv:1903.12436).

The encoder's mean is the code z itself. What is minimised is the squared error + β ½ ‖z‖² + λ L_REG, each summed over
the values, latents or weights, a mean over the batch; β and λ are code_weight and decoder_weight. Samples come from a
density that is fitted to the codes afterwards (trainer/density.py).

The published code has the means over the D values and the k latents, and no half: b and l there are β = 2 b D / k and
λ = l D here. The defaults (trainer/options.py) are its weights for CIFAR-10, with D = 3,072 and k = 128: b = 1e-3 and
l = 1e-6 of RAE-L2, b = .03 of RAE-SN. For MNIST (k = 16) it has b = 1e-4 and l = 1e-7, .009; for CelebA (k = 64) 1e-4
and 1e-7, .0024.
"""

import torch
from torch import Tensor

from trainer import config, ranks
from trainer.balance.deterministic import Deterministic
from trainer.balance.strategy import Plan, Weighed
from trainer.networks.vae import VAE
from trainer.objective import CodeTerms, Pass, squared_error


class Rae(Deterministic):
    """What the three have in common."""

    kind = "RAE"
    has_prior = False

    def __init__(self, settings: config.Balance, plan: Plan) -> None:
        super().__init__(settings, plan)
        self.code_weight = settings.code_weight
        self.decoder_weight = settings.decoder_weight

    def weigh(self, terms: CodeTerms, kl_weight: float) -> Weighed:
        """D mse + code_weight ½ ‖z‖² + decoder_weight L_REG; there is no KL to be weighed."""
        loss = squared_error(terms) + self.code_weight * terms.code_norm
        recorded: dict[str, Tensor | float] = {"code_norm": terms.code_norm.detach()}
        if terms.penalty is not None:
            loss = loss + self.decoder_weight * terms.penalty
            recorded["decoder_penalty"] = terms.penalty.detach()
        return Weighed(loss, recorded)


class RaeL2(Rae):
    """L_REG = ‖θ‖², over all weights and biases θ of the decoder.

    The published code has it of the kernels alone, without biases and norms.
    """

    def penalty(self, passed: Pass, network: VAE, noise: torch.Generator) -> Tensor:
        """‖θ‖², ()."""
        return torch.stack([weight.square().sum() for weight in network.decoder_parameters()]).sum()


class RaeSN(Rae):
    """Each layer of the decoder is divided by its largest singular value (trainer/networks/spectral.py).

    The published code does the same to the encoder, too. Its decoder has batch norms, which give a layer back the gain
    that this takes, as do all networks here but `dense`: that one wants a smaller code_weight.
    """

    def penalty(self, passed: Pass, network: VAE, noise: torch.Generator) -> None:
        """None: the layers are what is regularised."""


class RaeGP(Rae):
    """L_REG = ‖∂D(z)/∂z‖², the squared Frobenius norm of the decoder's Jacobian at the code.

    As ‖vᵀ ∂D(z)/∂z‖² with one v ~ N(0, I) a sample, whose expectation that is (Hutchinson 1989): one more pass backward
    instead of one for each value. The published code takes the gradient of the summed squares of the output instead, so
    that its weights are of no use here; the default is ours.
    """

    def penalty(self, passed: Pass, network: VAE, noise: torch.Generator) -> Tensor:
        """An unbiased estimate of the norm, mean over the batch, ()."""
        x_hat = passed.x_hat
        probe = ranks.normal(x_hat, noise)
        (along,) = torch.autograd.grad(x_hat, passed.z, probe, create_graph=True)
        (norm,) = ranks.mean(along.square().sum(1).mean())
        return norm
