"""From a config to a network with fresh weights."""

from collections.abc import Sequence

import torch

from trainer.config import Config
from trainer.networks.dense import Dense
from trainer.networks.infogan import Infogan
from trainer.networks.norm import BatchNorm
from trainer.networks.resnet import Resnet
from trainer.networks.second_stage import SecondStage
from trainer.networks.spectral import normalise
from trainer.networks.vae import VAE
from trainer.networks.vampprior import PseudoInputs
from trainer.networks.wae import Wae
from vaemon.errors import UsageError

IMAGE_NETWORKS: dict[str, type[Resnet] | type[Infogan] | type[Wae] | type[Dense]] = {
    "resnet": Resnet,
    "infogan": Infogan,
    "wae": Wae,
    "dense": Dense,
}
"""The first stage's networks, by network.name."""
FOLLOWING = 0.9
"""Decay of batch norms' averages under a VampPrior; PyTorch's own. They take part in training, for pseudo-inputs pass
by them, and images by their batch's statistics: with the published .999, which lags by a thousand steps, the prior
would be trained for another encoder than that which images pass."""
MOST_LAYERS = 10_000
"""Layers of a network that is built from a file."""


def build(config: Config, stage: int, shape: Sequence[int], generator: torch.Generator) -> VAE:
    """The network of a stage, on the CPU.

    Args:
        config: the run's.
        stage: 1: the VAE of the images. 2: that of its latents.
        shape: of an image, (H, W, C).
        generator: what the weights are drawn from, on the CPU.

    Raises:
        UsageError: the images do not fit the network.
    """
    network = _untrained(config, stage, shape)
    network.initialise(generator)
    if stage == 1 and config.balance.name == "rae-sn":
        for part in network.decoder_parts():
            normalise(part, generator)
    if network.pseudo_inputs is not None:
        network.pseudo_inputs.initialise(generator)
    return network


def size(config: Config, stage: int, shape: Sequence[int]) -> int:
    """How many numbers the network of a stage is made of, without taking memory for them.

    Args:
        config: see `build`.
        stage: see there.
        shape: see there.

    Raises:
        UsageError: the images do not fit the network, or it would have more than MOST_LAYERS.
    """
    of = config.network
    layers = of.num_scale * of.block_per_scale * of.depth_per_block if stage == 1 else config.stage2.second_depth
    if layers > MOST_LAYERS:
        raise UsageError(f"a network of {layers:,} layers; {MOST_LAYERS:,} are the most")
    with torch.device("meta"):
        network = _untrained(config, stage, shape)
    return sum(each.numel() for each in (*network.parameters(), *network.buffers()))


def _untrained(config: Config, stage: int, shape: Sequence[int]) -> VAE:
    if stage == 1:
        network = IMAGE_NETWORKS[config.network.name](config.network, shape, config.precision)
        if config.balance.name == "vampprior":
            wanted, (height, width, channels) = config.balance, shape
            free = (wanted.pseudo_mean, wanted.pseudo_deviation)
            network.pseudo_inputs = PseudoInputs(wanted.pseudo_inputs, (height, width, channels), *free)
            for norm in network.modules():
                if isinstance(norm, BatchNorm):
                    norm.decay = FOLLOWING
        return network
    settings = config.stage2
    return SecondStage(config.network.latents, settings.second_dim, settings.second_depth, config.precision)
