"""A density fitted to the codes of a trained autoencoder, from which new codes are drawn (Ghosh et al. 2020).

RUN/density.npz holds it as plain arrays: weights (c,), means (c, k), covariances (c, k, k), float64.
"""

import os
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from trainer.config import Config
from trainer.networks.vae import VAE
from trainer.options import WITHOUT_PRIOR
from trainer.posteriors import images_to_posteriors
from trainer.stages import DENSITY, seed_of
from vaemon.errors import RunFileError, UsageError

COMPONENTS = 10
MOST = 10_000
"""Training images whose codes are fitted while training goes on, drawn without replacement; at its end all are."""
ROUNDS = 2000
"""Of expectation and maximisation, at most; the published code's."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Mixture:
    """A mixture of Gaussians over codes."""

    weights: Array
    """(c,), of sum 1."""
    means: Array
    """(c, k)."""
    covariances: Array
    """(c, k, k)."""

    def sample(self, count: int, noise: torch.Generator) -> Tensor:
        """Draw codes, (count, k), float32, on the generator's device."""
        device = noise.device
        weights, means = (torch.from_numpy(each).to(device) for each in (self.weights, self.means))
        roots = torch.from_numpy(np.linalg.cholesky(self.covariances)).to(device)
        which = torch.multinomial(weights, count, replacement=True, generator=noise)
        epsilon = torch.randn((count, means.shape[1], 1), generator=noise, device=device, dtype=means.dtype)
        return (means[which] + (roots[which] @ epsilon).squeeze(2)).float()


class CodeDensity:
    """The density of one run's codes: fitted anew whenever it is asked for, and kept in the run's folder."""

    def __init__(
        self, folder: Path, network: VAE, images: npt.NDArray[np.uint8], seed: int, say: Callable[[str], None]
    ) -> None:
        """Fit to the codes that `network` has of training images (n, H, W, C), under the run's seed.

        What takes long is told to `say` before.
        """
        self._say = say
        self._folder = folder
        self._network = network
        self._images = images
        self._seed = seed_of(seed, 1, DENSITY)
        self._chosen = np.sort(np.random.default_rng(self._seed).permutation(len(images))[:MOST])

    def fit(self, *, every: bool) -> Mixture:
        """The mixture for the network as it stands.

        Args:
            every: fit the codes of every training image, as published; else of some of them, always the same.

        Raises:
            RunFileError: it cannot be kept; the one before is still there.
        """
        if every:
            self._say(f"fitting {COMPONENTS} Gaussians to the codes of {len(self._images):,} images")
        images = self._images if every else self._images[self._chosen]
        posteriors = images_to_posteriors(self._network, torch.from_numpy(images))
        assert posteriors is not None  # nothing asked it to stop
        mixture = fit_mixture(posteriors[0].double().cpu().numpy(), self._seed % 2**32)
        save_mixture(self._folder, mixture)
        return mixture


def check_density(config: Config, count: int) -> None:
    """Refuse a training whose samples need a density that could not be fitted.

    Args:
        config: of the run.
        count: training images.

    Raises:
        UsageError: scikit-learn is not there, or there are too few images.
    """
    if config.balance.name not in WITHOUT_PRIOR:
        return
    try:
        import sklearn.mixture  # noqa: F401  # now, not after an epoch
    except ImportError as error:
        raise UsageError(
            f"balance={config.balance.name} draws its samples from a density that scikit-learn fits, which cannot be "
            f"imported here ({error}): pip install 'vaemon[rae]'"
        ) from error
    if count < COMPONENTS:
        raise UsageError(
            f"balance={config.balance.name} fits {COMPONENTS} Gaussians to its codes, but there are only {count} "
            "training images"
        )


def fit_mixture(codes: Array, seed: int) -> Mixture:
    """Ten Gaussians with full covariances, by expectation and maximisation from k-means under a seed.

    Args:
        codes: (n, k), at least as many as there are components.
        seed: below 2³².
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    fitted = GaussianMixture(COMPONENTS, covariance_type="full", max_iter=ROUNDS, random_state=seed)
    with warnings.catch_warnings():
        # Codes that are not yet apart, early in a training, make fewer clusters than were asked for.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted.fit(codes)
    return Mixture(fitted.weights_, fitted.means_, fitted.covariances_)


def path_of(run_folder: Path) -> Path:
    """Where the density of a run lies."""
    return run_folder / "density.npz"


def save_mixture(run_folder: Path, mixture: Mixture) -> None:
    """Write a density in place of the one before.

    Raises:
        RunFileError: it cannot be written; the one before is still there.
    """
    path = path_of(run_folder)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            np.savez(file, weights=mixture.weights, means=mixture.means, covariances=mixture.covariances)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RunFileError(
            f"cannot write the density {path}: {error.strerror or error}; the next evaluation tries again"
        ) from error


def load_mixture(run_folder: Path) -> Mixture | None:
    """The density of a run; None where it has none. Nothing in the file can be run.

    Raises:
        RunFileError: it is damaged, or no mixture of Gaussians.
    """
    path = path_of(run_folder)
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
            mixture = Mixture(*(_checked(found[name]) for name in ("weights", "means", "covariances")))
        count, size = mixture.means.shape
        if mixture.weights.shape != (count,) or mixture.covariances.shape != (count, size, size):
            raise ValueError("its arrays do not fit each other")
        if (mixture.weights < 0).any() or abs(mixture.weights.sum() - 1) > 1e-6:
            raise ValueError("its weights are no shares")
        np.linalg.cholesky(mixture.covariances)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, np.linalg.LinAlgError) as error:
        raise RunFileError(
            f"the density {path} cannot be read ({type(error).__name__}: {error}); put back a copy of the file, or "
            "train the run further with --resume --set stage1.epochs=…, which fits it anew"
        ) from error
    return mixture


def _checked(values: npt.NDArray[Any]) -> Array:
    if values.dtype != np.float64 or not np.isfinite(values).all():
        raise ValueError("its values are not all finite float64")
    return values
