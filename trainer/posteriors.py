"""Posteriors of many images under a trained encoder: what the second stage is trained on, and analyses count."""

from collections.abc import Callable

import torch
from torch import Tensor

from trainer.networks.vae import VAE, evaluating, images_to_input

CHUNK = 500
"""Images a pass: what they need at base_dim 32 stays below a gigabyte."""


@torch.no_grad()
def images_to_posteriors(
    network: VAE, images: Tensor, stop: Callable[[], object] = bool
) -> tuple[Tensor, Tensor] | None:
    """Encode images in evaluation mode; the network is left in the mode it was in.

    Args:
        network: a first stage.
        images: bytes (n, H, W, C), on any device.
        stop: asked between passes whether to give up.

    Returns:
        mean μ and log variance log σ², each (n, k), on the network's device; None where `stop` said so.
    """
    device = next(network.parameters()).device
    mean = torch.empty(len(images), network.latents, device=device)
    log_variance = torch.empty_like(mean)
    with evaluating(network):
        for start in range(0, len(images), CHUNK):
            if stop():
                return None
            chunk = slice(start, start + CHUNK)
            mean[chunk], log_variance[chunk] = network.encode(images_to_input(images[chunk].to(device)))
    return mean, log_variance
