"""A decoder whose layers have no singular value above 1, as the regularised autoencoder RAE-SN has it."""

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from trainer.networks.vae import VAE


def normalise_decoder(network: VAE, generator: torch.Generator) -> None:
    """Divide the weights of every decoder layer by their largest singular value from now on.

    A convolution's kernel counts as a matrix of (its output channels, all else). The value is followed by one power
    iteration a training step (Miyato et al. 2018, arXiv:1802.05957), from vectors that are saved with the weights.

    Args:
        network: with fresh weights, on the CPU.
        generator: what those vectors are drawn from.
    """
    seed = int(torch.randint(2**62, (), generator=generator))
    layers = [layer for part in network.decoder_parts() for layer in part.modules()]
    with torch.random.fork_rng(devices=[]):  # torch draws them from everyone's generator
        torch.manual_seed(seed)
        for layer in layers:
            if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                spectral_norm(layer)
