"""Recipes: what is done to images before Inception sees them. Two FIDs are comparable only if made by the same one.

`tf` is that of the first FID (Heusel et al. 2017) and of torch-fidelity, `pytorch` that of pytorch-fid, `clean` that of
clean-fid (Parmar, Zhang & Zhu 2022), `asperti` and `dai-wipf` those of the code published with Asperti & Trentin (2020)
and with Dai & Wipf (2019).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from analysis.features.resize import Way, antialiased_bicubic, half_pixel_bilinear, resized, tensorflow_bilinear
from vaemon.errors import UnknownName

SIDE = 299
"""Pixels a side that Inception takes."""
BLOCK = 64
"""Images of a block: what goes through a network at a time, and is kept at a time."""

LARGE = 2**24
"""Values that are floats at a time, before images are resized: photographs have millions each."""

Array = npt.NDArray[Any]
Block = Sequence[Array]
"""Images in their order, those in a row that are of one shape as one array (n, H, W, C): bytes, or floats in [0, 1]."""
Role = Literal["reference", "judged"]
"""Which of the two sets of a comparison."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One protocol."""

    name: str
    way: Way
    """How images are resized."""
    centre: float = 127.5
    """Of the values 0 to 255 that the network is to see as 0; `scale` as 1."""
    scale: float = 127.5
    rounded: bool = True
    """Floats are rounded to bytes first, as when they are written as PNG."""
    clipped: bool = False
    """Values outside 0 to 255, to which bicubic can overshoot, are clipped."""
    stretched: bool = False
    """Each judged image is stretched by its own extremes, over all channels, to 0 to 255."""
    whole_blocks: bool = False
    """The last images, which do not fill a batch of 64, are left out."""

    def images_used(self, count: int) -> int:
        """How many of so many images go in."""
        return count - count % BLOCK if self.whole_blocks else count

    def quantisation(self, floats: bool, role: Role) -> str:
        """What became of the values, in words."""
        stretched = ", each stretched by its own extremes" if self.stretched and role == "judged" else ""
        if not floats:
            return f"bytes{stretched}"
        return f"{'rounded to bytes' if self.rounded else 'floats, not rounded'}{stretched}"

    def prepared(self, block: Block, role: Role, device: Any) -> Any:
        """What Inception sees of a block: (n, 3, 299, 299), float32."""
        pieces = [piece for part in block for piece in _pieces(part)]
        return torch.cat([self._prepared(piece, role, device) for piece in pieces])

    def _prepared(self, images: Array, role: Role, device: Any) -> Any:
        x = as_tensor(images, device)
        if images.dtype != np.uint8 and self.rounded:
            x = x.round()
        if self.stretched and role == "judged":
            x = _stretched(x)
        x = resized(x, self.way, SIDE)
        if self.clipped:
            x = x.clamp(0, 255)
        return (x - self.centre) / self.scale


def _pieces(images: Array) -> list[Array]:
    """Images (n, H, W, C) in as many pieces as it takes for none to be large as floats."""
    each = max(1, LARGE // max(1, images[0].size))
    return [images[start : start + each] for start in range(0, len(images), each)]


def as_tensor(images: Array, device: Any) -> Any:
    """Images (n, H, W, C) as (n, 3, H, W), float32, 0 to 255; grey is repeated to three channels."""
    # Contiguous, for torch refuses strides that NumPy has (negative ones); a copy, for it warns of what is read-only.
    x = torch.from_numpy(np.array(images.transpose(0, 3, 1, 2), order="C")).to(device).float()
    if images.dtype != np.uint8:
        x = x * 255
    return x.expand(-1, 3, -1, -1)


def _stretched(x: Any) -> Any:
    """Each image's least value to 0, its greatest to 255; one that is constant is left as it is."""
    low, high = x.amin((1, 2, 3), keepdim=True), x.amax((1, 2, 3), keepdim=True)
    return torch.where(high > low, (x - low) / (high - low).clamp(min=1e-30) * 255, x)


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("tf", tensorflow_bilinear, centre=128, scale=128),
        Recipe("pytorch", half_pixel_bilinear),
        Recipe("clean", antialiased_bicubic, centre=128, scale=128, clipped=True),
        Recipe("asperti", tensorflow_bilinear, rounded=False, whole_blocks=True),
        Recipe("dai-wipf", tensorflow_bilinear, centre=128, scale=128, rounded=False, stretched=True),
    )
}


def recipe_named(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        UnknownName: there is none.
    """
    if name not in RECIPES:
        raise UnknownName("recipe", name, RECIPES)
    return RECIPES[name]
