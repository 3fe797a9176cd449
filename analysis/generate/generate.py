"""Blocks of images of a run, float32 in [0, 1], (n, H, W, C): reconstructions, samples, interpolations, traversals."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.encode import drawn
from analysis.generate.latents import PAIRS, POSTERIOR, latents, noise
from analysis.generate.renormalisation import Renormalisation
from analysis.generate.trained import BLOCK, Trained
from analysis.measures.contrast import adjust_contrast, contrast_factor, pixel_moments
from trainer.config import thresholds_of
from vaemon.errors import UnknownName, UsageError
from vaemon.latents import inactive

Array = npt.NDArray[np.float32]
Blocks = Iterator[Array]

REACH = 3.0
"""How far a latent is moved to either side, in standard deviations of the prior."""


def originals(trained: Trained, count: int | None = None) -> Blocks:
    """The first `count` test images, by default all."""
    images = trained.images.test[:count]
    for start in range(0, len(images), BLOCK):
        yield images[start : start + BLOCK].astype(np.float32) / np.float32(255.0)


def reconstructions(trained: Trained, count: int | None = None, seed: int = 0, mean: bool = False) -> Blocks:
    """What comes back of the first `count` test images (REC).

    Args:
        trained: the run.
        count: by default all of them.
        seed: of the posteriors' samples.
        mean: decode the posterior's mean, where else one sample of it is decoded, as in the paper. A code
            without a posterior is the mean in any case.
    """
    epsilon = noise(seed, POSTERIOR)
    for mu, log_variance in trained.posteriors(count):
        yield trained.decode(mu if mean or trained.is_deterministic else drawn(mu, log_variance, epsilon))


def samples(
    trained: Trained, stage: int, count: int, seed: int = 0, renormalisation: Renormalisation | None = None
) -> Blocks:
    """Generated images: GEN-1 of the first stage's prior (or a density of its codes), GEN-2 of the second stage.

    Args:
        trained: the run.
        stage: 1 or 2.
        count: how many.
        seed: of the noise; the images of fewer are the first of those of more.
        renormalisation: applied to the latents before they are decoded.

    Raises:
        UsageError: there is no such stage, or it is not one that is renormalised.
        RunFileError: a file of the run is damaged.
    """
    # In whole batches, which the published renormalisation needs.
    whole = latents(trained, stage, -(-count // BLOCK) * BLOCK, seed)
    wanted = whole if renormalisation is None else renormalisation.applied(whole, stage)
    for start, z in zip(range(0, count, BLOCK), wanted, strict=True):
        yield trained.decode(z[: count - start])


def with_contrast(make: Callable[[], Iterable[Array]], real: Iterable[Array]) -> Blocks:
    """Images with the published adjustment of contrast: about their own mean image, to the deviation of the real ones.

    Args:
        make: gives the images in blocks; asked twice, for their mean must be known first.
        real: blocks of real images.
    """
    made = pixel_moments(make())
    factor = contrast_factor(pixel_moments(real), made)
    return (adjust_contrast(block, made.mean, factor) for block in make())


class Walk(NamedTuple):
    """Rows of images, each the decoder's on a straight line through the latents."""

    images: Array
    """(rows, columns, H, W, C)."""
    labels: tuple[str, ...]
    """What each row is."""


def interpolations(trained: Trained, pairs: Sequence[tuple[int, int]], columns: int) -> Walk:
    """From the posterior mean of one test image to that of another, linear in z, both ends included.

    Args:
        trained: the run.
        pairs: numbers of test images, from 0.
        columns: images a row, at least 2.

    Raises:
        UnknownName: there is no such test image.
    """
    for number in {each for pair in pairs for each in pair}:
        _check_image(trained, number)
    share = np.linspace(0.0, 1.0, columns, dtype=np.float32)[:, None]
    rows = []
    for pair in pairs:
        begin, end = trained.encode(trained.images.test[list(pair)])[0]
        rows.append(trained.decode(begin + share * (end - begin)))
    return Walk(np.stack(rows), tuple(f"{a} – {b}" for a, b in pairs))


def seeded_pairs(trained: Trained, count: int, seed: int) -> list[tuple[int, int]]:
    """Pairs of different test images, drawn under a seed.

    Raises:
        UsageError: there are fewer than two test images.
    """
    there = len(trained.images.test)
    if there < 2:
        raise UsageError("there is but one test image, and nothing to interpolate to")
    generator = noise(seed, PAIRS)
    first = generator.integers(there, size=count)
    # The second is any of the others.
    second = (first + generator.integers(1, there, size=count)) % there
    return [(int(a), int(b)) for a, b in zip(first, second, strict=True)]


def traversals(trained: Trained, chosen: Sequence[int], columns: int, image: int = 0) -> Walk:
    """The code of one test image, with one latent after another moved from -3 to 3 standard deviations of the prior.

    Where the prior is not N(0, I), or there is none, they are moved by as much about their own mean over the test
    images.

    Args:
        trained: the run.
        chosen: latents, a row each.
        columns: images a row, at least 2.
        image: number of the test image whose posterior mean all else is.

    Raises:
        UnknownName: there is no such latent, or no such test image.
    """
    _check_image(trained, image)
    for each in chosen:
        if not 0 <= each < trained.latents:
            raise UnknownName("latent", str(each), (), f"the run has latents 0 to {trained.latents - 1}")
    code = trained.encode(trained.images.test[image : image + 1])[0]
    centre, deviation = _scale(trained)
    rows = []
    for each in chosen:
        codes = np.repeat(code, columns, axis=0)
        codes[:, each] = centre[each] + deviation[each] * np.linspace(-REACH, REACH, columns, dtype=np.float32)
        rows.append(trained.decode(codes))
    return Walk(np.stack(rows), tuple(f"latent {each}" for each in chosen))


def most_awake(trained: Trained, most: int) -> list[int]:
    """The latents that tell of the images, those that tell most first: by E[σ²] over the first test images.

    Those inactive by the run's own threshold are left out, unless that leaves none. Of codes without posteriors, or
    with a prior other than N(0, I): by the variance of their means, and none left out.
    """
    mu, log_variance = next(trained.posteriors(BLOCK))
    if trained.is_deterministic or not trained.has_normal_prior:
        return [int(each) for each in np.argsort(-mu.var(axis=0), kind="stable")[:most]]
    variance = np.exp(log_variance).mean(axis=0)
    awake = int((~inactive(variance, thresholds_of(trained.config).inactive)).sum())
    return [int(each) for each in np.argsort(variance, kind="stable")[: min(most, max(awake, 1))]]


def _scale(trained: Trained) -> tuple[Array, Array]:
    """Mean and standard deviation of each latent that traversals go by, (k,)."""
    if trained.has_normal_prior:
        return np.zeros(trained.latents, np.float32), np.ones(trained.latents, np.float32)
    codes = np.concatenate([mu for mu, _ in trained.posteriors()])
    return codes.mean(axis=0), codes.std(axis=0)


def _check_image(trained: Trained, number: int) -> None:
    there = len(trained.images.test)
    if not 0 <= number < there:
        raise UnknownName("test image", str(number), (), f"there are {there:,}, 0 to {there - 1}")
