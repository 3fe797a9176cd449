"""Batch normalisation as TensorFlow 1 has it: decay 0.999 and zero-debiased statistics at evaluation.

The published code averages the statistics of the batches from zero, weighted by (1 - d) dᵗ⁻ⁱ, and divides by
1 - dᵗ. `torch.nn.BatchNorm2d(momentum=0.001)` starts at mean 0 and variance 1 instead and does not divide, which is
wrong at evaluation for some 5,000 steps. Training is the same in both.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer import ranks


class BatchNorm(nn.Module):
    """Batch normalisation of (B, C, H, W) or (B, C) over all but the channels."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, decay: float = 0.999, eps: float = 1e-5) -> None:
        super().__init__()
        self.decay = decay
        self.eps = eps
        self.steps = 0
        """Batches trained on; a Python number, for a tensor would cost a kernel a layer and step. A CUDA graph runs no
        Python: whoever replays one counts (trainer/capture.py)."""
        self.values = 0
        """Values a channel in the last of them: torch's running variance is n / (n - 1) times the batch's."""
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        # Both from zero, so that only the division by 1 - dᵗ is left to do.
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise by the batch's own statistics in training, by the averaged ones at evaluation."""
        if self.training:
            count = ranks.here().count
            self._count(x.numel() // x.shape[1] * count)
            if count > 1:
                return self._normalised_by_all(x)
            return F.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, True, 1.0 - self.decay, self.eps
            )
        mean, variance = self.statistics()
        return F.batch_norm(x, mean, variance, self.weight, self.bias, False, 0.0, self.eps)

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and variance used at evaluation, each (C,); 0 and 1 before any training."""
        if self.steps == 0:
            return torch.zeros_like(self.running_mean), torch.ones_like(self.running_var)
        weight = 1.0 - self.decay**self.steps
        biased = (self.values - 1) / self.values
        return self.running_mean / weight, self.running_var * (biased / weight)

    def get_extra_state(self) -> dict[str, int]:
        """The counts, which belong to the statistics."""
        return {"steps": self.steps, "values": self.values}

    def set_extra_state(self, state: Any) -> None:
        """Take the counts back."""
        self.steps, self.values = state["steps"], state["values"]

    def _normalised_by_all(self, x: Tensor) -> Tensor:
        """By the statistics of every process's part of the batch, through which gradients flow, too."""
        own_variance, own_mean = torch.var_mean(x.float(), (0, *range(2, x.ndim)), correction=0)
        means, variances = ranks.gathered(torch.stack((own_mean, own_variance))).unbind(1)  # (ranks, C) each
        mean = means.mean(0)
        variance = (variances + (means - mean).square()).mean(0)
        with torch.no_grad():
            self.running_mean.lerp_(mean, 1.0 - self.decay)
            self.running_var.lerp_(variance * (self.values / (self.values - 1)), 1.0 - self.decay)
        scale = self.weight * (variance + self.eps).rsqrt()
        shift = self.bias - mean * scale
        each = (-1, *(1 for _ in x.shape[2:]))
        return torch.addcmul(shift.view(each), x.float(), scale.view(each)).to(x.dtype)

    def _count(self, values: int) -> None:
        if self.values not in (0, values):
            # The factor n / (n - 1) of the past becomes the new batches' own, so that one division takes both off.
            self.running_var *= (self.values - 1) / self.values * values / (values - 1)
        self.steps += 1
        self.values = values
