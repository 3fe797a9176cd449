"""What every variational autoencoder here can do, whatever it is made of: encode and decode."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from trainer import ranks
from trainer.networks.spectral import plain_weight
from trainer.networks.vampprior import PosteriorMixture, PseudoInputs
from vaemon.errors import UsageError


class VAE(nn.Module, ABC):
    """An encoder to a Gaussian posterior of independent latents, and a decoder."""

    decoding: ClassVar[tuple[str, ...]] = ()
    """Names of the parts that make up the decoder."""

    def __init__(self, latents: int, precision: str = "float32") -> None:
        super().__init__()
        self.latents = latents
        self.precision = precision
        self.pseudo_inputs: PseudoInputs | None = None
        """What its prior is made of; None: its prior is N(0, I)."""
        self._penalised: list[tuple[float, list[nn.Module]]] = []

    @abstractmethod
    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The posterior of a batch.

        Args:
            x: what is encoded, (B, ...), float32.

        Returns:
            mean μ and log variance log σ², each (B, k), float32.
        """

    @abstractmethod
    def decode(self, z: Tensor) -> Tensor:
        """What latents (B, k) stand for, of the shape of the encoder's input, float32."""

    def mixture(self) -> PosteriorMixture | None:
        """The prior, from one pass of all pseudo-inputs through the encoder; None: N(0, I).

        They pass as images do at evaluation, in training, too: batch norms take them by their averages, which are of
        images alone, as are the statistics of a batch. So the posterior of a pseudo-input is its own, whatever the
        others and the batch are; the averages follow the batches closely (trainer/networks/build.py). The published
        networks have no batch norms.
        """
        if self.pseudo_inputs is None:
            return None
        with evaluating(self):
            return PosteriorMixture(*self.encode(self.pseudo_inputs()))

    def penalise(self, coefficient: float, layers: Iterable[nn.Module]) -> None:
        """Add `coefficient` · Σ w², over the kernels of these layers, to what is minimised; 0 adds nothing."""
        if coefficient:
            self._penalised.append((coefficient, list(layers)))

    def penalty(self) -> Tensor | None:
        """The l2 regularisation of the kernels, (); None where none is set.

        As Keras has it: Σ over the layers of c Σ w², without a half and without the biases.
        """
        terms = [c * plain_weight(layer).square().sum() for c, layers in self._penalised for layer in layers]
        return torch.stack(terms).sum() if terms else None

    def decoder_parts(self) -> list[nn.Module]:
        """The parts that make up the decoder.

        Raises:
            UsageError: the network does not tell.
        """
        if not self.decoding:
            raise UsageError(f"the network {type(self).__name__} does not say what its decoder is")
        return [self.get_submodule(name) for name in self.decoding]

    def decoder_parameters(self) -> Iterator[nn.Parameter]:
        """All weights and biases of the decoder."""
        for part in self.decoder_parts():
            yield from part.parameters()

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """Draw fresh weights: Glorot-uniform (Glorot & Bengio 2010) with zero biases, as Keras does by default."""
        for layer in self.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                nn.init.xavier_uniform_(layer.weight, generator=generator)
                nn.init.zeros_(layer.bias)

    def lowered(self, device: torch.device) -> Any:
        """The context in which convolutions and wide layers run in bfloat16, where that precision is set."""
        return torch.autocast(device.type, torch.bfloat16) if self.precision == "bfloat16" else nullcontext()


class PosteriorHeads(nn.Module):
    """Two linear layers: μ and log σ, the latter doubled to log σ²."""

    def __init__(self, width: int, latents: int) -> None:
        super().__init__()
        self.mean = nn.Linear(width, latents)
        self.log_sigma = nn.Linear(width, latents)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, width) to μ and log σ², each (B, k)."""
        return self.mean(features), 2.0 * self.log_sigma(features)


@contextmanager
def evaluating(*networks: nn.Module) -> Iterator[None]:
    """Networks in evaluation mode; afterwards each is in the mode it was in."""
    modes = [network.training for network in networks]
    for network in networks:
        network.eval()
    try:
        yield
    finally:
        for network, training in zip(networks, modes, strict=True):
            network.train(training)


def halved(network: str, shape: Sequence[int], times: int) -> tuple[int, int]:
    """Height and width of images of `shape` (H, W, C) after so many halvings.

    Raises:
        UsageError: a side cannot be halved so often.
    """
    height, width, least = shape[0], shape[1], 2**times
    if height % least or width % least:
        raise UsageError(
            f"network={network} takes images with sides of {least}, {2 * least}, {3 * least} …, these are {height} x "
            f"{width}; data.pad or data.size brings them there, network=dense takes any"
        )
    return height // least, width // least


def strided(module: nn.Module) -> list[nn.Module]:
    """The convolutions in a module that halve the side of an image, or double it."""
    convolutions = (each for each in module.modules() if isinstance(each, nn.Conv2d | nn.ConvTranspose2d))
    return [each for each in convolutions if each.stride == (2, 2)]


def draw(mean: Tensor, log_variance: Tensor, noise: torch.Generator) -> Tensor:
    """One sample of each posterior, z = μ + σ ε with ε ~ N(0, I), (B, k)."""
    return moved(mean, log_variance, torch.randn(mean.shape, generator=noise, device=mean.device, dtype=mean.dtype))


def draw_share(mean: Tensor, log_variance: Tensor, noise: torch.Generator) -> Tensor:
    """The same of this process's part of a batch that several share, with its part of the whole batch's ε."""
    return moved(mean, log_variance, ranks.normal(mean, noise))


def moved(mean: Tensor, log_variance: Tensor, epsilon: Tensor) -> Tensor:
    """Z = μ + σ ε, each (B, k)."""
    return mean + torch.exp(0.5 * log_variance) * epsilon


def images_to_input(images: Tensor) -> Tensor:
    """Bytes (B, H, W, C) to float32 (B, C, H, W) in [0, 1]; the memory stays in the order of channels_last."""
    return images.permute(0, 3, 1, 2).float() / 255.0
