"""From a config to a network with fresh weights."""

from collections.abc import Sequence

import torch

from trainer.config import Config
from trainer.networks.dense import Dense
from trainer.networks.infogan import Infogan
from trainer.networks.resnet import Resnet
from trainer.networks.second_stage import SecondStage
from trainer.networks.spectral import normalise
from trainer.networks.vae import VAE
from trainer.networks.vampprior import PseudoInputs
from trainer.networks.wae import Wae

IMAGE_NETWORKS: dict[str, type[Resnet] | type[Infogan] | type[Wae] | type[Dense]] = {
    "resnet": Resnet,
    "infogan": Infogan,
    "wae": Wae,
    "dense": Dense,
}
"""The first stage's networks, by network.name."""


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
    network: VAE
    if stage == 1:
        network = IMAGE_NETWORKS[config.network.name](config.network, shape, config.precision)
    else:
        settings = config.stage2
        network = SecondStage(config.network.latents, settings.second_dim, settings.second_depth, config.precision)
    network.initialise(generator)
    if stage == 1 and config.balance.name == "rae-sn":
        for part in network.decoder_parts():
            normalise(part, generator)
    if stage == 1 and config.balance.name == "vampprior":
        wanted, (height, width, channels) = config.balance, shape
        free = (wanted.pseudo_mean, wanted.pseudo_deviation)
        network.pseudo_inputs = PseudoInputs(wanted.pseudo_inputs, (height, width, channels), *free)
        network.pseudo_inputs.initialise(generator)
    return network
