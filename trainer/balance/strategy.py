"""What every balancing strategy can do: draw codes, take the terms of a batch, weigh them, learn from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from trainer import config
from trainer.networks.vae import VAE, draw_share
from trainer.objective import CodeTerms, ElboTerms, MixtureTerms, Pass, elbo_terms

Terms = ElboTerms | MixtureTerms | CodeTerms
Weights = Mapping[str, Tensor | float]


@dataclass(frozen=True, slots=True)
class Plan:
    """How long the stage is that a strategy weighs."""

    total_steps: int
    steps_per_epoch: int


@dataclass(frozen=True, eq=False, slots=True)
class Weighed:
    """The terms of a batch, weighed."""

    loss: Tensor
    """What is minimised, (); a sum over the values of a sample, a mean over the batch."""
    weights: Weights
    """Those in force, as they are recorded: gamma where there is one, beta, kl_weight; and what else a strategy has
    to tell. No gradient hangs on them, and what a step of the optimizer changes is copied."""


class Balance(nn.Module):
    """A strategy. Its buffers and parameters are its state and are saved with the run; each stage has one of its own.

    What is trained of it is in the optimizer of the stage. Nothing in it may wait for the device, and `update` changes
    its buffers in place, so that a step may be captured as a CUDA graph.
    """

    kind: ClassVar[str] = "VAE"
    """Of which model it makes the network one."""
    has_prior: ClassVar[bool] = True
    """Whether codes can be drawn of a prior; else a density is fitted to them (trainer/density.py)."""
    undefined: ClassVar[tuple[str, ...]] = ()
    """Channels and figures that have no meaning for that model; they are not recorded."""

    def __init__(self, settings: config.Balance, plan: Plan) -> None:
        super().__init__()

    @property
    def sampling_noise(self) -> Tensor | None:
        """Standard deviation of the noise that belongs to a sample of the decoder, (); None: its mean is the sample."""
        return None

    def code(self, mean: Tensor, log_variance: Tensor, noise: torch.Generator) -> Tensor:
        """What of the posteriors, each (B, k), is decoded: one sample of each, (B, k)."""
        return draw_share(mean, log_variance, noise)

    def terms(self, passed: Pass, network: VAE, noise: torch.Generator) -> Terms:
        """The terms of a batch that went through the network."""
        return elbo_terms(passed.x, passed.x_hat, passed.mean, passed.log_variance)

    def weigh(self, terms: Terms, kl_weight: float) -> Weighed:
        """The loss of a batch, and the weights in it.

        Args:
            terms: those of `terms`.
            kl_weight: the stage's own, by which the strategy's is multiplied.
        """
        raise NotImplementedError

    def update(self, terms: Terms) -> None:
        """Learn from a batch, after the step that was made with it."""
