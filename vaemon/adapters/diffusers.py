"""diffusers: AutoencoderKL, whose latents are maps; statistics are per channel."""

from typing import Any

from vaemon.adapters.encoder import EncoderWatch, watch_encoder
from vaemon.recorder.recorder import Recorder

LEAST, MOST = -30.0, 20.0
"""Between which diffusers' DiagonalGaussianDistribution keeps log-variances."""


def watch_autoencoder(
    vae: Any, recorder: Recorder | None = None, *, optimizer: Any = None, first: int | None = None
) -> EncoderWatch:
    """Take the statistics of an AutoencoderKL's latents, (batch, channels, h, w), per channel.

    The places of a map count as further samples of its channel, and the KL is summed over them, so that the sum over
    channels is the KL of an image. What is hooked is the last module before the distribution, which is made by no
    module's forward pass: sliced and tiled encoding is seen piece by piece.

    Example:
        with Recorder("run42") as recorder:
            watch_autoencoder(vae, recorder, optimizer=optimizer)

    Args:
        vae: the `diffusers.AutoencoderKL`.
        recorder: see `vaemon.watch_encoder`, as for optimizer and first.
        optimizer: gives rows their steps.
        first: number of the first step.
    """
    quant_conv = getattr(vae, "quant_conv", None)
    module = vae.encoder if quant_conv is None else quant_conv
    return watch_encoder(module, recorder, optimizer=optimizer, extract=_moments, first=first)


def _moments(output: Any) -> tuple[Any, Any]:
    mean, log_variance = output.chunk(2, dim=1)
    return mean, log_variance.clamp(LEAST, MOST)
