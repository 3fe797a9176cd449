"""Weighing KL against the squared error itself, without a γ."""

from trainer import config
from trainer.balance.strategy import Balance, Plan, Weighed
from trainer.objective import ElboTerms, squared_error


class FixedBeta(Balance):
    """The squared error of a sample, summed over its values, + β KL (β-VAE, Higgins et al. 2017).

    It has the minima of a fixed γ² = β/2, but not the size of its gradients.
    """

    def __init__(self, settings: config.Balance, plan: Plan) -> None:
        super().__init__(settings, plan)
        self.beta = settings.beta

    def weigh(self, terms: ElboTerms, kl_weight: float) -> Weighed:
        """D mse + β kl_weight KL."""
        beta = self.beta * kl_weight
        return Weighed(squared_error(terms) + beta * terms.kl, {"beta": beta, "kl_weight": kl_weight})
