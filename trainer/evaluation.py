"""What a stage has learned so far: a few figures over test images, and sample images, recorded now and then.

Nothing here draws from a generator that training draws from: a run is the same, bit for bit, with or without it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from trainer.density import CodeDensity
from trainer.networks.vae import VAE, draw, images_to_input
from trainer.objective import mean_squared_error
from trainer.stages import EVALUATION, Stage, generator
from trainer.unrecorded import Unrecorded
from vaemon import Recorder, latents
from vaemon.errors import RunFileError
from vaemon.thresholds import Thresholds

SHOWN = 64
"""Images of a grid of samples."""
TRAVERSED = 8
"""Latents along which codes are decoded, at most: the most awake."""
PLACES = torch.linspace(-3.0, 3.0, 9)
"""Where along each, in standard deviations of the prior."""
TESTED = 256
"""Test images that figures are taken over: enough to see where they go, and next to nothing beside an epoch."""


def is_due(stage: Stage) -> bool:
    """Whether the stage has just trained 1, 2, 4, 8, … epochs, or its last step."""
    epochs, rest = divmod(stage.step, stage.steps_per_epoch)
    return stage.done or (rest == 0 and epochs > 0 and epochs & (epochs - 1) == 0)


class Evaluator:
    """Evaluates the stages of one run, always on the same test images and with the same noise."""

    def __init__(
        self,
        recorder: Recorder | Unrecorded,
        seed: int,
        first: VAE,
        test: npt.NDArray[np.uint8],
        at: Thresholds,
        density: CodeDensity | None = None,
    ) -> None:
        """Evaluate a run.

        Args:
            recorder: of the run.
            seed: of the run.
            first: the network of stage 1, on the device that is trained on.
            test: images (n, H, W, C), of which the first ones are taken.
            at: those by which the run judges its latents.
            density: of the codes, where there is no prior to draw from.
        """
        self._recorder = recorder
        self._seed = seed
        self._first = first
        self._test = test[:TESTED]
        self._at = at
        self._density = density

    def record_inputs(self) -> None:
        """Record what the reconstructions are of."""
        self._recorder.images("inputs", self._test[:SHOWN], step=0)

    def __call__(self, stage: Stage) -> Mapping[str, float]:
        """Evaluate a stage where it is due, else nothing; asks the device for the figures, and waits for them."""
        if not is_due(stage):
            return {}
        noise = generator(self._seed, stage.number, EVALUATION, stage.device)
        x = images_to_input(torch.from_numpy(self._test).to(stage.device))
        with torch.no_grad(), _evaluating(self._first, stage.network):
            figures = self._images_vae(stage, x, noise) if stage.number == 1 else self._latents_vae(stage, x, noise)
        self._recorder.evaluation(stage.step, **figures)
        return figures

    def _images_vae(self, stage: Stage, x: Tensor, noise: torch.Generator) -> dict[str, float]:
        mean, log_variance = self._first.encode(x)
        x_hat = self._first.decode(stage.balance.code(mean, log_variance, noise))
        self._recorder.images("reconstructions", x_hat[:SHOWN], stage.step)
        figures = {"mse": mean_squared_error(x, x_hat).item()}
        if self._density is not None:
            self._record_density(self._density, stage, noise)
            return figures
        self._recorder.images("GEN-1", self._first.decode(_prior(SHOWN, mean, noise)), stage.step)
        self._record_traversals(stage.step, mean[0], log_variance.exp().mean(0))
        return {**figures, **_figures(mean, log_variance, self._at)}

    def _record_density(self, density: CodeDensity, stage: Stage, noise: torch.Generator) -> None:
        """Fit the density of the codes, keep it, and show what the decoder makes of its samples."""
        try:
            mixture = density.fit(every=stage.done)
        except RunFileError as error:  # a full disk may be emptied
            self._recorder.event("error", str(error), step=stage.step)
            return
        self._recorder.images("GEN-GMM", self._first.decode(mixture.sample(SHOWN, noise)), stage.step)

    def _record_traversals(self, step: int, code: Tensor, variance: Tensor) -> None:
        """Decode the code of one image, (k,), with one latent after another moved through `PLACES`."""
        awake = [latent for latent in variance.argsort().tolist()[:TRAVERSED] if variance[latent] < self._at.wake]
        for latent in awake:
            codes = code.repeat(len(PLACES), 1)
            codes[:, latent] = PLACES.to(codes)
            self._recorder.images(f"traversal {latent}", self._first.decode(codes), step)

    def _latents_vae(self, stage: Stage, x: Tensor, noise: torch.Generator) -> dict[str, float]:
        z = draw(*self._first.encode(x), noise)
        mean, log_variance = stage.network.encode(z)
        z_hat = stage.network.decode(draw(mean, log_variance, noise))
        # u ~ N(0, I), z = decoder(u), x = decoder of stage 1. With a learned γ, z ~ N(decoder(u), γ²) (Dai & Wipf
        # 2019); the code published for the computed γ adds no noise.
        sampled = stage.network.decode(_prior(SHOWN, mean, noise))
        deviation = stage.balance.sampling_noise
        if deviation is not None:
            sampled = sampled + deviation * _prior(SHOWN, sampled, noise)
        self._recorder.images("GEN-2", self._first.decode(sampled), stage.step)
        return {"mse": mean_squared_error(z, z_hat).item(), **_figures(mean, log_variance, self._at)}


def _prior(count: int, like: Tensor, noise: torch.Generator) -> Tensor:
    """Samples of N(0, I), (count, k)."""
    return torch.randn((count, like.shape[1]), generator=noise, device=like.device, dtype=like.dtype)


def _figures(mean: Tensor, log_variance: Tensor, at: Thresholds) -> dict[str, float]:
    """Variance law, inactive latents and active units of posteriors (n, k)."""
    means = torch.stack([log_variance.exp().mean(0), mean.mean(0), mean.square().mean(0)])
    mean_variance, mean_mu, mu_squared = means.double().cpu().numpy()
    units = latents.active_units(latents.mu_variance(mean_mu, mu_squared), at.unit)
    return {
        "variance_law": float((mean_variance + mu_squared).mean()),
        "inactive": int(latents.inactive(mean_variance, at.inactive).sum()),
        "active_units": int(units.sum()),
    }


@contextmanager
def _evaluating(*networks: VAE) -> Iterator[None]:
    """The networks in evaluation mode; afterwards each is in the mode it was in."""
    modes = [network.training for network in networks]
    for network in networks:
        network.eval()
    try:
        yield
    finally:
        for network, training in zip(networks, modes, strict=True):
            network.train(training)
