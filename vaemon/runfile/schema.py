"""The layout of a segment file, version 1. docs/run-file.md says the same in words.

A segment is frozen when it is created: nothing is ever added to an HDF5 file after SWMR has begun, for live
readers hang or abort on that. All types have a fixed size, for readers cannot follow variable-length ones live.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from vaemon.batch import StageInfo
from vaemon.channels import CLOCKS, channel

FORMAT = 1
ROWS = "rows"
EVENTS = "events"
BLOCKS = "blocks"

BLOCK = np.dtype([("rows", "<i8"), ("time", "<f8")])
"""A commit record: so many rows of the segment are whole. Written after they have been flushed, for a failed
write (disk full) can leave rows of zeros behind with the length already advanced."""

EVENT = np.dtype(
    [
        ("step", "<i8"),
        ("time", "<f8"),
        ("stage", "<i4"),
        ("latent", "<i4"),
        ("kind", "S16"),
        ("value", "<f8"),
        ("text", "S224"),
    ]
)

LATE_VALUE = "value"
"""Kind of an event that carries a scalar whose name came up after the segment was frozen; `text` is the name."""

_CHUNK_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True)
class Layout:
    """What the rows of a segment hold."""

    stage: StageInfo
    first_step: int
    """Rows of earlier segments of the same stage are void from this step on."""
    scalars: tuple[str, ...]
    """Scalar channels beside the clocks (step, time, epoch), which every row has."""
    vectors: tuple[str, ...]
    """Latent channels."""

    @property
    def row(self) -> np.dtype[Any]:
        """The compound type of a row."""
        fields: list[tuple[Any, ...]] = [(name, channel(name).dtype) for name in (*CLOCKS, *self.scalars)]
        fields += [(name, channel(name, "latent").dtype, (self.stage.latents,)) for name in self.vectors]
        return np.dtype(fields)

    @property
    def chunk(self) -> int:
        """Rows a chunk: 256, fewer where rows are long."""
        return int(np.clip(_CHUNK_BYTES // self.row.itemsize, 16, 256))

    def attributes(self) -> dict[str, Any]:
        """What the file says of itself, as HDF5 attributes."""
        names = [*CLOCKS, *self.scalars]
        listed = [channel(name) for name in names] + [channel(name, "latent") for name in self.vectors]
        return {
            "format": FORMAT,
            "stage": self.stage.number,
            "latents": self.stage.latents,
            "total_steps": self.stage.total_steps or 0,
            "steps_per_epoch": self.stage.steps_per_epoch or 0,
            "first_step": self.first_step,
            "channels": json.dumps([asdict(each) for each in listed]),
        }

    @staticmethod
    def of(attributes: dict[str, Any]) -> "Layout":
        """The layout that a file's attributes tell. Raises KeyError or ValueError where they do not."""
        listed = json.loads(attributes["channels"])
        return Layout(
            stage=StageInfo(
                number=int(attributes["stage"]),
                latents=int(attributes["latents"]),
                total_steps=int(attributes["total_steps"]) or None,
                steps_per_epoch=int(attributes["steps_per_epoch"]) or None,
            ),
            first_step=int(attributes["first_step"]),
            scalars=tuple(c["name"] for c in listed if c["kind"] == "scalar" and c["name"] not in CLOCKS),
            vectors=tuple(c["name"] for c in listed if c["kind"] == "latent"),
        )


def blank(layout: Layout, count: int) -> np.ndarray[Any, np.dtype[Any]]:
    """`count` rows in which nothing is known: NaN, and 0 for the whole numbers."""
    rows = np.zeros(count, layout.row)
    for name in (*layout.scalars, *layout.vectors):
        rows[name] = np.nan
    return rows
