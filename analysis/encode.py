"""From a checkpoint to the posteriors of the whole test set: a door to torch and the trainer.

Importing it imports torch; where torch or the trainer's requirements are not installed, that raises ImportError.
"""

from collections.abc import Callable, Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from analysis.inputs import Origin, PosteriorStatistics, statistics_of
from analysis.measures.collapse import EPSILON
from analysis.measures.moments import merge, posterior_moments
from trainer.checkpoint import RestoredVAE, restore_vae
from trainer.images import load_images_of_run
from trainer.networks.vae import images_to_input
from trainer.posteriors import CHUNK
from trainer.precision import exactly

NOISE = 2
"""Tells the noise of the second stage's inputs apart from what else is drawn under a run's seed."""

Posterior = tuple[torch.Tensor, torch.Tensor]


class Checkpoint:
    """The networks of a run, as last saved, up to the stage that is analyzed."""

    def __init__(self, run_folder: Path, stage: int) -> None:
        """Restore them.

        Raises:
            UsageError: the run has no checkpoint of the stage.
            RunFileError: a checkpoint is damaged.
        """
        self.stage = stage
        self.restored: RestoredVAE = restore_vae(run_folder, stage)
        self.first: RestoredVAE = self.restored if stage == 1 else restore_vae(run_folder, 1)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        for each in (self.first, self.restored):
            each.model.to(self.device)

    def encode_test_set(
        self, data: Path | None, told: Callable[[int, int], None], epsilon: float = EPSILON
    ) -> PosteriorStatistics:
        """The statistics of the stage's posteriors over every test image, in evaluation mode.

        Stage 2 encodes one sample z = μ + σε of each test image's first-stage posterior, ε drawn under the run's seed.

        Args:
            data: where the images are, if not where the run was trained from.
            told: called with the images done and their number.
            epsilon: nats; below it the KL of one image's posterior counts as none.

        Raises:
            DataNotFound: the images are not there, or not those that the network was trained on.
            UsageError: the run's images are built in, and `data` was given.
        """
        images = load_images_of_run(self.first.config, self.first.shape, data)
        batches = self._batches(images.test, told)
        moments = reduce(merge, (posterior_moments(_array(mean), _array(log), epsilon) for mean, log in batches))
        at = self.restored
        return statistics_of(moments, Origin("checkpoint", at.step, at.epoch, moments.count, data=images.source))

    def _batches(self, images: npt.NDArray[np.uint8], told: Callable[[int, int], None]) -> Iterator[Posterior]:
        noise = np.random.default_rng([self.first.config.seed, NOISE])
        for start in range(0, len(images), CHUNK):
            pixels = torch.from_numpy(images[start : start + CHUNK]).to(self.device)
            with exactly():
                posterior = self.first.model.encode(images_to_input(pixels))
                if self.stage == 2:
                    z = drawn(posterior[0].cpu().numpy(), posterior[1].cpu().numpy(), noise)
                    posterior = self.restored.model.encode(torch.from_numpy(z).to(self.device))
            yield posterior
            told(min(start + CHUNK, len(images)), len(images))


def drawn(
    mean: npt.NDArray[Any], log_variance: npt.NDArray[Any], noise: np.random.Generator
) -> npt.NDArray[np.float32]:
    """One sample of each posterior, z = μ + σ ε, (n, k); the same on every device and in any cut into batches."""
    epsilon = noise.standard_normal(mean.shape, np.float32)
    return np.asarray(mean + np.exp(0.5 * log_variance) * epsilon, np.float32)


def _array(values: torch.Tensor) -> npt.NDArray[Any]:
    return np.asarray(values.double().cpu().numpy())
