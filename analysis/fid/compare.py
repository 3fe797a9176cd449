"""Two sides to their distances, and what stands in the way of comparing the figures with others'."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from analysis.features.statistics import Made
from analysis.measures.features import FeatureStatistics
from analysis.measures.frechet import frechet_distance
from analysis.measures.infinity import SMALLEST, fid_infinity
from analysis.measures.kernel import kid
from analysis.measures.manifold import NEIGHBOURS, precision_recall
from vaemon.errors import UsageError

FEW = 10_000
"""Images below which an FID is mostly its bias, and those of other papers are not to be compared with it."""

SUBSET = 1000
"""Images of KID's subsets, as of Bińkowski et al. 2018; fewer where there are no more."""

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class Side:
    """One set of images, as features."""

    name: str
    statistics: FeatureStatistics
    made: Made | None
    """None where the file that it comes from does not tell."""
    rows: Rows | None = None
    """(n, d), where they are there."""
    notes: tuple[str, ...] = ()
    """What was found about its images, in sentences."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Of which features a side is, or will be."""

    side: str
    """The side's name."""
    width: int
    """Features of an image; 0 while nobody knows."""
    distance: str
    """What a distance of them is called; empty: nobody knows."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked besides the Fréchet distance; all of it needs the features themselves."""

    kid: bool = False
    precision_recall: bool = False
    infinity: bool = False

    @property
    def rows(self) -> bool:
        """Whether anything is."""
        return self.kid or self.precision_recall or self.infinity


@dataclass(frozen=True, eq=False, slots=True)
class Comparison:
    """What is between two sides."""

    reference: Side
    judged: Side
    distance: str
    """What the value is: "FID", "FD-pixels"."""
    value: float
    further: dict[str, float | None] = field(default_factory=dict)
    """Other measures, by name; None: it cannot be told."""
    warnings: tuple[str, ...] = ()

    @property
    def figures(self) -> dict[str, float | None]:
        """All measures by the names of the JSON: the distance is `value`."""
        return {"value": self.value, **self.further}


def compare(reference: Side, judged: Side, asked: Asked) -> Comparison:
    """Their Fréchet distance, and what else is asked.

    Raises:
        UsageError: features that cannot be compared, or only statistics where the features themselves are needed.
    """
    refuse_unlike([kind_of(each.name, each.statistics, each.made) for each in (reference, judged)])
    made = reference.made or judged.made
    distance = made.distance if made else f"FD of {len(reference.statistics.mean):,} features"
    return Comparison(
        reference=reference,
        judged=judged,
        distance=distance,
        value=frechet_distance(reference.statistics, judged.statistics),
        further=dict(_further(reference, judged, asked)),
        warnings=tuple(_warnings(reference, judged)),
    )


def check_answerable(asked: Asked, counts: Sequence[tuple[str, int | None]]) -> None:
    """Refuse a question that the sides cannot answer, before any image passes through a network.

    Args:
        asked: the question.
        counts: name and images of the reference, then of what is judged; None: statistics, without images.

    Raises:
        UsageError: there are too few images, or none.
    """
    for place, (name, count) in enumerate(counts):
        if count is None:
            if asked.rows:
                raise _without_images(name)
        elif asked.precision_recall and count <= NEIGHBOURS:
            raise UsageError(
                f"--precision-recall looks at {NEIGHBOURS} neighbours of each image; {name} holds {count} images: give "
                "it more, or leave out --precision-recall"
            )
        elif asked.infinity and place == 1 and count <= SMALLEST:
            raise UsageError(
                f"--infinity draws a line through the distances of {SMALLEST:,} images and more; {name} holds "
                f"{count:,}: give it more, or leave out --infinity"
            )


def kind_of(name: str, statistics: FeatureStatistics, made: Made | None) -> Kind:
    """The kind of a side that is there."""
    return Kind(name, len(statistics.mean), made.distance if made else "")


def refuse_unlike(kinds: Sequence[Kind]) -> None:
    """Refuse to compare features of two kinds.

    Raises:
        UsageError: the sides are not of one kind, as far as that is known.
    """
    widths = {each.width for each in kinds if each.width}
    distances = {each.distance for each in kinds if each.distance}
    if len(widths) > 1 or len(distances) > 1:
        told = " against ".join(
            f"{f'{each.width:,}' if each.width else 'some'} of {each.side}"
            f"{f' ({each.distance})' if each.distance else ''}"
            for each in kinds
        )
        raise UsageError(f"these are features of two kinds, {told}; compare such as come from one network")


def _further(reference: Side, judged: Side, asked: Asked) -> Iterator[tuple[str, float | None]]:
    if not asked.rows:
        return
    a, b = (_rows_of(side) for side in (reference, judged))
    if asked.kid:
        subset = min(SUBSET, len(a), len(b))
        found = kid(a, b, subset)
        yield "kid", found.mean
        # Subsets that are all there is are all the same: their deviation is 0, and tells of no chance.
        yield "kid_deviation", found.deviation if subset < max(len(a), len(b)) else None
        yield "kid_subset", subset
    if asked.precision_recall:
        manifold = precision_recall(a, b)
        yield "precision", manifold.precision
        yield "recall", manifold.recall
    if asked.infinity:
        yield "infinity", fid_infinity(reference.statistics, b).value


def _rows_of(side: Side) -> Rows:
    if side.rows is None:
        raise _without_images(side.name)
    return side.rows


def _without_images(name: str) -> UsageError:
    return UsageError(
        f"{name} holds statistics alone; --kid, --precision-recall and --infinity need the images themselves"
    )


def _warnings(reference: Side, judged: Side) -> Iterator[str]:
    counts = [side.statistics.count for side in (reference, judged)]
    if all(counts) and counts[0] != counts[1]:
        yield (
            f"unequal numbers of images, {counts[0]:,} against {counts[1]:,}: a distance is biased by both, so that "
            "this one is comparable only with others of the same two numbers"
        )
    for side in (reference, judged):
        if side.made is None:
            yield f"{side.name} does not tell by which recipe, or from how many images, its statistics were made"
        elif 0 < side.statistics.count < FEW and side.made.distance == "FID":
            yield f"{side.statistics.count:,} images in {side.name}: below {FEW:,}, an FID is mostly bias"
    if reference.made and judged.made:
        yield from _unlike(reference.made, judged.made)


def _unlike(a: Made, b: Made) -> Iterator[str]:
    if a.recipe != b.recipe:
        yield f"unequal recipes, {a.recipe} against {b.recipe}: the distance is partly between the recipes"
    elif a.made_by != b.made_by:
        yield f"unequal features, {a.made_by} against {b.made_by}: the distance is partly between them"
