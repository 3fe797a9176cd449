"""Images rendered from independent factors of variation: the built-in dataset, nothing to download.

One tapered block on a dark backdrop. Every factor is drawn uniformly and independently of the others,
within an interval that never closes on itself (no full turn of the angle or of the hue), so that one
latent variable can carry one factor. They are ordered by their share of the pixels' variance: position
first, the tint of the backdrop last. The number of factors is thus known, and can be set beside the number of
latents that woke; the two need not agree (Asperti & Trentin 2020, section V).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.data.images import Images, Pixels
from trainer.data.split import TEST, TRAIN, stream
from vaemon.errors import UsageError

Floats = npt.NDArray[np.float32]

SIDE = 32
"""Pixels a side, where none is asked for."""
SIDES = range(8, 257)
"""Sides that can be asked for: fewer pixels show no angle, more do not fit in memory."""
TRAIN_COUNT = 10_000
TEST_COUNT = 2_000
WIDTH = 0.52
"""Width of the bar over its length."""
CORNER = 0.13
"""Radius of the rounded corners over half the length."""
BLOCK = 2**15
"""Pixels painted at a time, so that their planes stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Factor:
    """One independent cause of the pictures' variation."""

    name: str
    low: float
    high: float
    sentence: str


FACTORS = (
    Factor("x", 0.28, 0.72, "Centre of mass of the block, from the left edge, in image sides."),
    Factor("y", 0.28, 0.72, "Centre of mass of the block, from the top edge, in image sides."),
    Factor("hue", 0.0, 0.7, "Colour of the block, in turns of the colour circle: red to green to blue to violet."),
    Factor("angle", -1.0, 1.0, "Turn of the block, clockwise, in radians; 0 stands upright."),
    Factor("size", 0.17, 0.3, "Half the length of the block, in image sides."),
    Factor("taper", 0.0, 1.0, "Form of the block: 0 is a bar, 1 a triangle of the same area."),
    Factor("light", -1.0, 1.0, "Side from which the backdrop is lit: -1 left, 1 right."),
    Factor("tint", 0.5, 0.95, "Colour of the backdrop, in turns of the colour circle: teal to blue to plum."),
)


def images(*, size: int = 0, seed: int = 0, limit: int | None = None) -> Images:
    """Render the dataset.

    Args:
        size: pixels a side; 0 is 32.
        seed: train and test are drawn from two streams of it.
        limit: at most so many images in each of train and test.

    Returns:
        10,000 + 2,000 images, (n, size, size, 3), and the names of the factors.

    Raises:
        UsageError: a size outside 8 to 256.
    """
    side = size or SIDE
    if side not in SIDES:
        raise UsageError(f"the shapes can be drawn {SIDES[0]} to {SIDES[-1]} pixels wide, not {size}: set data.size")
    counts = [count if limit is None else min(count, limit) for count in (TRAIN_COUNT, TEST_COUNT)]
    train, test = (
        render(draw(count, seed, purpose), side) for count, purpose in zip(counts, (TRAIN, TEST), strict=True)
    )
    names = tuple(factor.name for factor in FACTORS)
    return Images(train, test, f"Shapes rendered from {len(names)} independent factors, seed {seed}", names)


def draw(count: int, seed: int, purpose: int = TRAIN) -> npt.NDArray[np.float64]:
    """Factors of `count` pictures, (count, f), uniform in [0, 1); a smaller count gives the beginning of a larger."""
    return stream(seed, purpose).random((count, len(FACTORS)))


def render(factors: npt.NDArray[np.floating], size: int = SIDE) -> Pixels:
    """Draw one picture a row.

    Args:
        factors: (n, f) in [0, 1], in the order of FACTORS; 0 is a factor's `low`, 1 its `high`.
        size: pixels a side.

    Returns:
        (n, size, size, 3).
    """
    low = np.array([factor.low for factor in FACTORS])
    high = np.array([factor.high for factor in FACTORS])
    scaled = (low + np.asarray(factors) * (high - low)).astype(np.float32)
    pictures = np.empty((len(scaled), size, size, 3), np.uint8)
    block = max(1, BLOCK // size**2)
    for start in range(0, len(scaled), block):
        pictures[start : start + block] = _paint(scaled[start : start + block], size)
    return pictures


def _paint(scaled: Floats, size: int) -> Pixels:
    x, y, hue, angle, half, taper, light, tint = scaled.T[:, :, None, None]
    across = (np.arange(size, dtype=np.float32) + 0.5) / size
    down = across[:, None]
    along, up = _turned(across - x, down - y, angle)
    distance = _block(along, up, half, taper)
    cover = np.clip(0.5 - distance * size, 0.0, 1.0)  # an edge is one pixel wide, whatever the size
    sheen = np.clip(0.75 - distance / half * 0.5, 0.75, 1.0)  # brighter inwards: a face, not a cut-out
    shade = 0.2 + 0.08 * light * (2 * across - 1) + 0.04 * (0.5 - down)
    # Colour planes are kept apart, (n, 3, H, W), up to the last: three times as fast as with colours innermost.
    backdrop = shade[:, None] + 0.11 * (_colour(tint) - 0.6)
    picture = backdrop + cover[:, None] * (_colour(hue) * sheen[:, None] - backdrop)
    shaded: Pixels = (picture * 255.0 + 0.5).astype(np.uint8)
    return shaded.transpose(0, 2, 3, 1)


def _turned(right: Floats, down: Floats, angle: Floats) -> tuple[Floats, Floats]:
    """Coordinates in the block's own frame: across it, and up along it."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return right * cosine + down * sine, right * sine - down * cosine


def _block(x: Floats, y: Floats, half: Floats, taper: Floats) -> Floats:
    """Signed distance to the edge of a symmetric trapezoid with rounded corners, negative inside.

    After Inigo Quilez, "2D distance functions" (isosceles trapezoid), exact.

    Args:
        x: across the block, from its axis.
        y: up along the block, from its centre of mass.
        half: half its length.
        taper: 0 for a bar, 1 for a triangle; the sharp trapezoid inside the rounding keeps its area.
    """
    corner = CORNER * half
    length, width = half - corner, WIDTH * half - corner
    foot, head = width * (1 + taper), width * (1 - taper)
    above = y - length * taper / 3  # the centre of mass lies below the middle by so much
    beside = np.abs(x)
    to_end_x = beside - np.minimum(beside, np.where(above < 0, foot, head))
    to_end_y = np.abs(above) - length
    run, rise = head - foot, 2 * length
    share = np.clip(((head - beside) * run + (length - above) * rise) / (run**2 + rise**2), 0.0, 1.0)
    to_flank_x = beside - head + run * share
    to_flank_y = above - length + rise * share
    distance = np.sqrt(np.minimum(to_end_x**2 + to_end_y**2, to_flank_x**2 + to_flank_y**2))
    inside = (to_flank_x < 0) & (to_end_y < 0)
    signed: Floats = np.where(inside, -distance, distance) - corner
    return signed


def _colour(turns: Floats) -> Floats:
    """Red, green, blue in [0.2, 1] of hues (n, 1, 1): (n, 3, 1, 1). Their sum is 1.8: no hue is a brightness."""
    phases = np.array([0.0, 1 / 3, 2 / 3], np.float32)[:, None, None]
    colour: Floats = 0.6 + 0.4 * np.cos(2 * np.pi * (turns[:, None] - phases))
    return colour
