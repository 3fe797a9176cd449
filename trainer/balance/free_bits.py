"""Latents that are allowed some information for nothing."""

from trainer import config
from trainer.balance.gamma import FixedGamma, gamma_weights
from trainer.balance.strategy import Plan, Weighed
from trainer.objective import ElboTerms, reconstruction_loss


class FreeBits(FixedGamma):
    """Σ over latents of max(λ, KL of the latent) in the place of KL (Kingma et al. 2016, arXiv:1606.04934).

    The KL of a latent is its mean over the batch; below λ it has no gradient.
    """

    def __init__(self, settings: config.Balance, plan: Plan) -> None:
        super().__init__(settings, plan)
        self.floor = settings.floor

    def weigh(self, terms: ElboTerms, kl_weight: float) -> Weighed:
        """D mse / (2 γ²) + kl_weight Σ max(λ, KLᵢ)."""
        floored = terms.latent_kl.clamp(min=self.floor).sum()
        loss = reconstruction_loss(terms, self.gamma_squared) + kl_weight * floored
        return Weighed(loss, gamma_weights(self.gamma_squared, kl_weight))
