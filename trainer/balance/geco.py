"""KL as small as a wanted reconstruction allows."""

import torch
from torch import Tensor

from trainer import config
from trainer.balance.strategy import Balance, Plan, Weighed
from trainer.objective import ElboTerms

FALLING = 10.0
"""How much faster the multiplier falls than it grows (the published code of GENESIS, Engelcke et al. 2020)."""


class Geco(Balance):
    """KL under the constraint mse <= tolerance, by a multiplier λ (GECO, Rezende & Viola 2018, arXiv:1810.00597).

    C = mse - tolerance of a batch, C̄ <- a C̄ + (1 - a) C from the first batch's C on. The loss has λ D C̄ with the
    gradient of λ D C. After the step λ <- λ exp(c C̄), from λ = 1; what c is, the paper leaves open. Here c C̄ is
    rate min(C̄ / tolerance, 1), and 10 times that where the constraint is met. So one rate does for all images and
    tolerances, and what λ gains while the first reconstructions form is bounded. Without the bound, and with the a of
    DeepMind's Sonnet and of GENESIS, .99, the mse of the built-in shapes fell to half the tolerance before it turned.
    """

    log_multiplier: Tensor
    average: Tensor
    step: Tensor

    def __init__(self, settings: config.Balance, plan: Plan) -> None:
        super().__init__(settings, plan)
        self.tolerance = settings.tolerance
        self.momentum = settings.momentum
        self.rate = settings.rate
        self.register_buffer("log_multiplier", torch.tensor(0.0))
        self.register_buffer("average", torch.tensor(0.0))
        self.register_buffer("step", torch.tensor(0))

    def weigh(self, terms: ElboTerms, kl_weight: float) -> Weighed:
        """kl_weight KL + λ D (C + C̄ - C), the bracket's last two terms without gradient."""
        constraint = terms.mse - self.tolerance
        averaged = constraint + (self._averaged(terms) - constraint.detach())
        multiplier = self.log_multiplier.exp()
        loss = kl_weight * terms.kl + multiplier * (terms.values * averaged)
        return Weighed(loss, {"beta": kl_weight / multiplier, "kl_weight": kl_weight})

    def update(self, terms: ElboTerms) -> None:
        """Tighten or loosen the constraint."""
        self.average.copy_(self._averaged(terms))
        excess = (self.average / self.tolerance).clamp(max=1.0)
        self.log_multiplier.add_(self.rate * torch.where(excess < 0, FALLING * excess, excess))
        self.step.add_(1)

    def _averaged(self, terms: ElboTerms) -> Tensor:
        """C̄ with the batch in it, ()."""
        constraint = terms.mse.detach() - self.tolerance
        moved = self.momentum * self.average + (1.0 - self.momentum) * constraint
        return torch.where(self.step > 0, moved, constraint)
