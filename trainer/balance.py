"""How reconstruction and KL are weighed: one class a strategy.

A new strategy is one class and one line in STRATEGIES here, its name (and options of its own) in
trainer.config.Balance, and one row in the test.
"""

import torch
from torch import Tensor, nn

from trainer import config
from trainer.objective import ElboTerms, weighted_loss


class Balance(nn.Module):
    """A strategy; its buffers are its state and are saved with the run. Each stage has one of its own."""

    gamma_squared: Tensor
    """γ² in force, (), on the network's device; never read on the host, for that would wait for the device."""

    def __init__(self, gamma_squared: float) -> None:
        super().__init__()
        self.register_buffer("gamma_squared", torch.tensor(gamma_squared, dtype=torch.float32))

    @property
    def gamma(self) -> Tensor:
        """γ in force, ()."""
        return self.gamma_squared.sqrt()

    def loss(self, terms: ElboTerms, kl_weight: float) -> Tensor:
        """What is minimised, ()."""
        return weighted_loss(terms, self.gamma_squared, kl_weight)

    def update(self, terms: ElboTerms) -> None:
        """Learn from a batch, after the step that was made with it."""


class ComputedGamma(Balance):
    """γ² = mse, the zero of the generative loss's derivative (equations 9 and 10), as the published code has it.

    From m = 1, after every step, m <- min(m, 0.99 m + 0.01 mse) with the batch's mse, γ = √m: γ never grows.
    """

    def __init__(self, settings: config.Balance) -> None:
        super().__init__(1.0)
        self.momentum = settings.momentum

    def update(self, terms: ElboTerms) -> None:
        """Move γ² towards the batch's mse, or leave it where the mse is larger."""
        moved = self.momentum * self.gamma_squared + (1.0 - self.momentum) * terms.mse.detach()
        self.gamma_squared = torch.minimum(self.gamma_squared, moved)


class FixedGamma(Balance):
    """A γ² that stays as it was set: the ordinary VAE, 2 γ² being its weight of KL against the squared error."""

    def __init__(self, settings: config.Balance) -> None:
        super().__init__(settings.gamma_squared)


STRATEGIES: dict[str, type[ComputedGamma] | type[FixedGamma]] = {"computed": ComputedGamma, "fixed": FixedGamma}
"""By balance.name."""


def build_balance(settings: config.Balance) -> Balance:
    """A fresh strategy for a stage, on the CPU."""
    return STRATEGIES[settings.name](settings)
