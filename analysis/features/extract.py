"""A pass over a set of images: features by blocks, kept as they come, shared among processes, and their statistics.

A pass that was killed goes on where it was. What comes out does not depend on that, nor on the number of processes.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from analysis.features.extractors import Extractor
from analysis.features.images import ImageSet
from analysis.features.recipes import BLOCK, Block, Role
from analysis.features.store import Looks, Store, looks_of, opened
from analysis.measures.features import FeatureStatistics, FeatureSums
from trainer import ranks
from trainer.data.cache import place
from trainer.precision import exactly
from vaemon.errors import DataNotFound, VaemonError

AT_ONCE = 16
"""Blocks that are added to the sums together: some 1,000 rows."""

Rows = npt.NDArray[np.float32]
Told = Callable[[int, int], None]
"""Takes how many images are done, and of how many."""


@dataclass(frozen=True, eq=False, slots=True)
class Features:
    """What a pass gives."""

    statistics: FeatureStatistics
    rows: Rows | None
    """(n, d), where they were asked for."""
    grey: int
    """Images of one channel."""
    mixed: bool
    """Whether images differ in size."""
    floats: bool
    """Whether images were floats."""


def features_of(
    images: ImageSet,
    extractor: Extractor,
    role: Role,
    *,
    keep_rows: bool = False,
    told: Told = lambda done, total: None,
    say: Callable[[str], None] = lambda sentence: None,
) -> Features | None:
    """The features of a set.

    Args:
        images: the set.
        extractor: what makes features.
        role: which of the two sets of a comparison it is; some recipes treat them unlike.
        keep_rows: give the features themselves, too.
        told: shown how far it is.
        say: takes a sentence, where features cannot be kept.

    Returns:
        None in all processes but the first.

    Raises:
        DataNotFound: fewer than two images, an image that cannot be read, or features that are not finite.
    """
    used = images_used(images, extractor)
    if used < 2:
        raise DataNotFound(_too_few(images, extractor))
    width = extractor.width or _width(images, extractor, role)
    treated = role if extractor.recipe is not None and extractor.recipe.stretched else ""
    key = f"{images.key} {extractor.made_by} {used} {width} {treated}" if images.key and extractor.made_by else ""
    if not ranks.is_first():
        _fill(None, images, extractor, role, (used, width), told)
        return None
    with opened(place(), key, used, width, say) as store:
        _fill(store, images, extractor, role, (used, width), told)
        return _summed(store, images.name, keep_rows)


def images_used(images: ImageSet, extractor: Extractor) -> int:
    """How many of a set's images have a part in its statistics."""
    return images.count if extractor.recipe is None else extractor.recipe.images_used(images.count)


def _too_few(images: ImageSet, extractor: Extractor) -> str:
    if images.count < 2:
        count = "1 image" if images.count else "no image"
        return f"{images.name} holds {count}; a covariance needs two, and an FID some 10,000"
    assert extractor.recipe is not None
    return (
        f"{images.name} holds {images.count} images; the recipe {extractor.recipe.name} takes whole batches of {BLOCK}"
    )


def _width(images: ImageSet, extractor: Extractor, role: Role) -> int:
    with closing(_read(images, [0])) as blocks, torch.no_grad():
        return extractor(next(blocks)[1], role).shape[1]


def _read(images: ImageSet, blocks: list[int]) -> Generator[tuple[int, Block], None, None]:
    return images.read(frozenset(blocks).__contains__)


def _fill(
    store: Store | None, images: ImageSet, extractor: Extractor, role: Role, shape: tuple[int, int], told: Told
) -> None:
    """Compute what is missing of (n, d) features; each round, every process one block, which the first one keeps."""
    missing = ranks.from_first(lambda: store.missing() if store else [])
    if missing:
        ranks.from_first(extractor.fetch)
    here = ranks.here()
    computed = _computed(images, extractor, role, missing[here.rank :: here.count])
    done = shape[0] - sum(min(BLOCK, shape[0] - block * BLOCK) for block in missing)
    told(done, shape[0])
    for start in range(0, len(missing), here.count):
        ours = start + here.rank < len(missing)
        rows, looks = _agreed(lambda: next(computed), shape[1]) if ours else _agreed(None, shape[1])
        for block, (theirs, seen) in zip(missing[start : start + here.count], _all(rows, looks), strict=False):
            length = min(BLOCK, shape[0] - block * BLOCK)
            done += length
            if store is not None:
                store.write(block, theirs[:length], seen)
        told(done, shape[0])


def _computed(images: ImageSet, extractor: Extractor, role: Role, blocks: list[int]) -> Iterator[tuple[Rows, Looks]]:
    for number, block in _read(images, blocks):
        with exactly():
            rows = extractor(block, role)
        if not np.isfinite(rows).all():
            raise DataNotFound(f"{images.name}: images from {number * BLOCK} have features that are not finite")
        yield rows, looks_of(block)


def _agreed(compute: Callable[[], tuple[Rows, Looks]] | None, width: int) -> tuple[Rows, Looks]:
    """What this process computes, where all of them can; the others end without a word."""
    error: VaemonError | None = None
    found = np.zeros((0, width), np.float32), Looks(0, 0, 0, 0)
    try:
        if compute is not None:
            found = compute()
    except VaemonError as failure:
        error = failure
    if ranks.here().count > 1:
        codes = ranks.gathered(torch.tensor([error.exit_code if error else 0]))
        if error is None and int(codes.max()):
            raise SystemExit(int(codes.max()))
    if error is not None:
        raise error
    return found


def _all(rows: Rows, looks: Looks) -> list[tuple[Rows, Looks]]:
    """The blocks of all processes, in their order."""
    if ranks.here().count == 1:
        return [(rows, looks)]
    padded = torch.zeros(BLOCK, rows.shape[1])
    padded[: len(rows)] = torch.from_numpy(rows)
    seen = torch.tensor([looks.grey, looks.height, looks.width, looks.floats])
    with torch.no_grad():
        everyone, everyones = ranks.gathered(padded).numpy(), ranks.gathered(seen).tolist()
    return [(each, Looks(*told)) for each, told in zip(everyone, everyones, strict=True)]


def _summed(store: Store, name: str, keep_rows: bool) -> Features:
    sums = FeatureSums(store.width)
    held: list[Rows] = []
    looks: list[Looks] = []
    for rows, seen in store.read():
        held.append(rows)
        looks.append(seen)
        if len(held) == AT_ONCE:
            sums.add(np.concatenate(held))
            held = []
    if held:
        sums.add(np.concatenate(held))
    sides = {(each.width, each.height) for each in looks}
    return Features(
        statistics=sums.statistics(),
        rows=store.rows() if keep_rows else None,
        grey=sum(each.grey for each in looks),
        mixed=len(sides) > 1 or (0, 0) in sides,
        floats=any(each.floats for each in looks),
    )
