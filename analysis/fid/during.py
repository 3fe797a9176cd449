"""Fréchet distances while a network trains: one more measure of the trainer's evaluations."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256

import numpy as np
import numpy.typing as npt
import torch

from analysis.features import weights
from analysis.features.extractors import Extractor
from analysis.features.images import arrays_set, made_set
from analysis.fid.compare import Side
from analysis.fid.sides import Means, Passes, check_means
from analysis.measures.frechet import frechet_distance
from analysis.render import progress
from trainer.data.watch import Watch
from trainer.evaluation import Stop
from trainer.generation import generated, reconstructed
from trainer.networks.vae import VAE, images_to_input
from trainer.posteriors import CHUNK
from trainer.precision import exactly
from trainer.stages import Stage
from vaemon.errors import UsageError

PAPER = "asperti"
"""The recipe whose distances are recorded as REC, GEN-1 and GEN-2, by which names the paper's tables find them."""

Images = npt.NDArray[np.uint8]
Blocks = Iterator[npt.NDArray[np.float32]]


class TrainingDistance:
    """How far a stage's images are from the test images it is evaluated on; a `Measure` of trainer/evaluation.py.

    REC and GEN-1 of the first stage (REC alone where the codes have no prior), GEN-2 of the second, as many of each as
    there are test images. Their features are kept nowhere; those of the test images are, in the cache folder.
    """

    def __init__(self, features: str, recipe: str) -> None:
        """Prepare it: Inception's weights are looked for, and fetched, at once.

        Args:
            features: inception, pixels, or MODULE:NAME.
            recipe: of Inception's features; empty: tf.

        Raises:
            UsageError: there are no such features, or they change while it trains.
            NotFetched: there are no weights.
        """
        if features == "encoder":
            raise UsageError(
                "--features encoder are the run's own, which change as it trains: use pixels, or another's"
            )
        self._means = Means(features, recipe)
        check_means(self._means)
        self._stop: Stop = bool
        self._passes = self._passes_on(None)
        self._extractor: Extractor | None = None
        self._true: Side | None = None
        if features != "pixels":  # which are fitted to the test images
            self._passes.extractor([])  # so that what is wrong is said at once
        if features == "inception":
            weights.find(None, progress)

    def __call__(
        self, stage: Stage, first: VAE, test: Images, noise: torch.Generator, stop: Stop = bool
    ) -> dict[str, float]:
        """The distances, by names that say of which features and recipe: `FID-tf.REC`, `FD-pixels.GEN-1`.

        Raises:
            VaemonError: one cannot be had, as of `vaemon fid`.
            Stopped: `stop` said so.
        """
        self._stop = stop
        if self._true is None:
            key = f"{sha256(test.tobytes()).hexdigest()} {test.shape}"
            reference = arrays_set("the test images", key, test)
            self._passes = self._passes_on(stage.device)
            self._extractor = self._passes.extractor([reference])
            self._true = self._passes.side_of(reference, self._extractor, "reference")
        return {
            f"{self._before}{name}": self._distance(name, len(test), make)
            for name, make in _sets(stage, first, test, noise)
        }

    def _passes_on(self, device: torch.device | None) -> Passes:
        return Passes(self._means, self._looking, lambda sentence: None, device)

    @contextmanager
    def _looking(self, name: str) -> Iterator[Callable[[int, int], None]]:
        """In the place of a bar: looks, as often as that would be moved, whether to stop."""
        yield lambda done, total: Watch(self._stop).look()

    @property
    def _before(self) -> str:
        assert self._extractor is not None
        recipe = self._extractor.recipe
        if recipe is None:
            return f"{self._extractor.distance}."
        return "" if recipe.name == PAPER else f"{self._extractor.distance}-{recipe.name}."

    def _distance(self, name: str, count: int, make: Callable[[], Blocks]) -> float:
        assert self._extractor is not None
        assert self._true is not None
        judged = self._passes.side_of(made_set(name, "", count, make), self._extractor, "judged")
        assert judged is not None
        return frechet_distance(self._true.statistics, judged.statistics)


def _sets(stage: Stage, first: VAE, test: Images, noise: torch.Generator) -> Iterator[tuple[str, Callable[[], Blocks]]]:
    """The sets of images that a stage makes, by name."""

    def reconstructions() -> Blocks:
        for start in range(0, len(test), CHUNK):
            pixels = torch.from_numpy(test[start : start + CHUNK]).to(stage.device)
            with exactly():
                made = reconstructed(stage, images_to_input(pixels), noise)
            yield _array(made)

    def samples() -> Blocks:
        for start in range(0, len(test), CHUNK):
            with exactly():
                made = generated(stage, first, min(CHUNK, len(test) - start), noise)
            yield _array(made)

    if stage.number == 1:
        yield "REC", reconstructions
    if stage.balance.has_prior:
        yield f"GEN-{stage.number}", samples


def _array(images: torch.Tensor) -> npt.NDArray[np.float32]:
    """(n, C, H, W) as (n, H, W, C), in [0, 1], on the host."""
    return np.ascontiguousarray(images.float().clamp(0.0, 1.0).permute(0, 2, 3, 1).cpu().numpy())
