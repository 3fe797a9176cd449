"""A weight of KL that grows from 0, beside a fixed γ."""

import math

import torch
from torch import Tensor

from trainer import config
from trainer.balance.gamma import FixedGamma, gamma_weights
from trainer.balance.strategy import Plan, Weighed
from trainer.objective import ElboTerms, weighted_loss
from vaemon.errors import UsageError


class Annealed(FixedGamma):
    """kl_weight times a share in [0, 1] that follows from the steps trained."""

    step: Tensor
    """Steps trained, (), on the device, so that nothing is sent there in a step."""

    def __init__(self, settings: config.Balance, plan: Plan) -> None:
        super().__init__(settings, plan)
        self.register_buffer("step", torch.tensor(0))

    @property
    def share(self) -> Tensor:
        """Of kl_weight in the next step, ()."""
        raise NotImplementedError

    def weigh(self, terms: ElboTerms, kl_weight: float) -> Weighed:
        """D mse / (2 γ²) + share kl_weight KL."""
        weight = kl_weight * self.share
        return Weighed(weighted_loss(terms, self.gamma_squared, weight), gamma_weights(self.gamma_squared, weight))

    def update(self, terms: ElboTerms) -> None:
        """Count a step."""
        self.step.add_(1)


class LinearWarmUp(Annealed):
    """The share grows from 0 to 1 over the first `warm_up` epochs and stays there.

    After t steps of the W in `warm_up` epochs it is min(1, t / W) (Sønderby et al. 2016, arXiv:1602.02282). Bowman et
    al. (2016), who came before, had a sigmoid.
    """

    def __init__(self, settings: config.Balance, plan: Plan) -> None:
        super().__init__(settings, plan)
        self.steps = warm_up_steps(settings, plan)

    @property
    def share(self) -> Tensor:
        """min(1, t / W), ()."""
        return (self.step / self.steps).clamp(max=1.0)


class Cyclical(Annealed):
    """The share grows from 0 to 1 again and again (Fu et al. 2019, arXiv:1903.10145).

    The T steps planned are M cycles. After t steps, τ = (t mod ⌈T/M⌉) / (T/M) of a cycle is over, and the share is
    min(1, τ / R). A run that is given more epochs later goes on in cycles as long as those before.
    """

    period: Tensor
    rising: Tensor

    def __init__(self, settings: config.Balance, plan: Plan) -> None:
        super().__init__(settings, plan)
        if plan.total_steps < 2 * settings.cycles:
            raise UsageError(
                f"balance.cycles={settings.cycles}, but a stage of the run has only {plan.total_steps:,} steps, and a "
                f"cycle takes at least 2; --set balance.cycles={max(plan.total_steps // 2, 1)} or less"
            )
        self.register_buffer("period", torch.tensor(math.ceil(plan.total_steps / settings.cycles)))
        self.register_buffer("rising", torch.tensor(settings.rise * plan.total_steps / settings.cycles))

    @property
    def share(self) -> Tensor:
        """min(1, τ / R), ()."""
        return (self.step % self.period / self.rising).clamp(max=1.0)


def warm_up_steps(settings: config.Balance, plan: Plan) -> int:
    """Steps of a warm-up, at least 1.

    Raises:
        UsageError: the stage is shorter, so that KL would never have its whole weight.
    """
    steps = max(round(settings.warm_up * plan.steps_per_epoch), 1)
    if steps > plan.total_steps:
        raise UsageError(
            f"balance.warm_up={settings.warm_up:g} epochs are {steps:,} steps, but a stage of the run has only "
            f"{plan.total_steps:,}; --set balance.warm_up={plan.total_steps / plan.steps_per_epoch:g} or less"
        )
    return steps
