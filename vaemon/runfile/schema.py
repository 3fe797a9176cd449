"""The layout of a segment file, format 2. docs/run-file.md says the same in words.

A segment is frozen when it is created: nothing is ever added to an HDF5 file after SWMR has begun, for live
readers hang or abort on that. All types have a fixed size, for readers cannot follow variable-length ones live.
"""

import json
import zlib
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import numpy as np

from vaemon.batch import StageInfo
from vaemon.channels import CLOCKS, channel

FORMAT = 2
ROWS = "rows"
EVENTS = "events"
COMMITS = "commits"
ATTRIBUTES = (
    "format",
    "stage",
    "latents",
    "total_steps",
    "steps_per_epoch",
    "first_step",
    "first_row",
    "replaces",
    "lacking",
    "channels",
)
"""What a file says of itself: `Layout.attributes`."""
MOST_LATENTS = 1 << 24
"""Latents that a file is believed to have; none comes near, and memory is taken by their number."""

COMMIT = np.dtype(
    [
        ("rows", "<i8"),
        ("events", "<i8"),
        ("time", "<f8"),
        ("rows_crc", "<u4"),
        ("events_crc", "<u4"),
        ("crc", "<u4"),
    ]
)
"""A commit record: so many rows and events of the segment are whole. Written after they have been flushed, for a
failed write (disk full) can leave zeros behind with the length already advanced. The checksums (CRC-32) are those of
the bytes added since the record before, and of this record's own bytes before `crc`."""

LEVELS = (32, 512, 8192, 131072)
"""Rows that a bin of each level of the pyramid stands for."""
STATISTICS = ("mean", "low", "high", "bad")
"""What a bin says of a channel: mean, smallest and largest of its finite values, and how many were not finite."""
CLOCK = np.dtype([("step", "<i8"), ("time", "<f8"), ("epoch", "<i4")])
"""Of the last row of a bin."""

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

ALL_ROWS = 1 << 62
"""More than there ever are."""

LATE_VALUE = "value"
"""Kind of an event that carries a scalar whose name came up after the segment was frozen; `text` is the name."""

MORE = "more_scalars"
"""The field of the scalars, side by side, that are too many for fields of their own."""
_CHUNK_BYTES = 128 * 1024
_FIELD_BYTES = 32 * 1024
_ONE_FIELD = 80  # bytes that HDF5 takes to describe a field, beside its name


@lru_cache
def _own_fields(scalars: tuple[str, ...]) -> int:
    """How many of the scalars have a field each: HDF5 describes a compound type in 64 KiB at most."""
    taken = np.cumsum([len(name.encode(errors="replace")) + _ONE_FIELD for name in scalars])
    return int((taken <= _FIELD_BYTES).sum())


@dataclass(frozen=True, slots=True)
class Layout:
    """What the rows of a segment hold."""

    stage: StageInfo
    first_step: int
    """Rows of earlier segments of the same stage are void from this step on."""
    first_row: int
    """The number of the segment's first row within its stage; the pyramid's bins begin at multiples of their width."""
    scalars: tuple[str, ...]
    """Scalar channels beside the clocks (step, time, epoch), which every row has."""
    vectors: tuple[str, ...]
    """Latent channels."""
    replaces: tuple[int, ...] = ()
    """Numbers of the segments that this one was put together from, should any of them still lie about."""
    lacking: tuple[tuple[str, int, int], ...] = ()
    """Channels that some rows do not have, with the first of these and the one after the last, counted within the
    segment: of those put together, not all had every channel. What stands there, NaN, is no value."""

    @property
    def row(self) -> np.dtype[Any]:
        """The compound type of a row."""
        own = _own_fields(self.scalars)
        fields: list[tuple[Any, ...]] = [(name, channel(name).dtype) for name in (*CLOCKS, *self.scalars[:own])]
        if self.scalars[own:]:
            fields.append((MORE, "<f8", (len(self.scalars) - own,)))
        fields += [(name, channel(name, "latent").dtype, (self.stage.latents,)) for name in self.vectors]
        return np.dtype(fields)

    def lacks(self, name: str) -> list[tuple[int, int]]:
        """The rows of the segment that do not have a channel, as ranges, the last excluded; of other names all rows."""
        if name not in CLOCKS and name not in self.scalars and name not in self.vectors:
            return [(0, ALL_ROWS)]
        return [(first, last) for each, first, last in self.lacking if each == name]

    def column(self, rows: np.ndarray[Any, Any], name: str) -> np.ndarray[Any, Any]:
        """A channel of rows of this layout, (n,) or (n, k); what is assigned to it is assigned to the rows."""
        own = _own_fields(self.scalars)
        if name in (rows.dtype.names or ()) or name not in self.scalars[own:]:
            return np.asarray(rows[name])
        return np.asarray(rows[MORE])[:, self.scalars.index(name) - own]

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
            "first_row": self.first_row,
            # Texts of a fixed length: what HDF5 keeps of others has no checksum, and damaged it hangs who reads it.
            "replaces": np.bytes_(json.dumps(self.replaces)),
            "lacking": np.bytes_(json.dumps(self.lacking)),
            "channels": np.bytes_(json.dumps([asdict(each) for each in listed])),
        }

    @staticmethod
    def of(attributes: dict[str, Any]) -> "Layout":
        """The layout that a file's attributes tell. Raises KeyError or ValueError where they do not."""
        listed = json.loads(attributes["channels"])
        if not 0 <= int(attributes["latents"]) <= MOST_LATENTS:
            raise ValueError(f"{attributes['latents']} latents")
        return Layout(
            stage=StageInfo(
                number=int(attributes["stage"]),
                latents=int(attributes["latents"]),
                total_steps=int(attributes["total_steps"]) or None,
                steps_per_epoch=int(attributes["steps_per_epoch"]) or None,
            ),
            first_step=int(attributes["first_step"]),
            first_row=int(attributes["first_row"]),
            scalars=tuple(c["name"] for c in listed if c["kind"] == "scalar" and c["name"] not in CLOCKS),
            vectors=tuple(c["name"] for c in listed if c["kind"] == "latent"),
            replaces=tuple(int(number) for number in json.loads(attributes["replaces"])),
            lacking=tuple((str(n), int(i), int(j)) for n, i, j in json.loads(attributes["lacking"])),
        )


def blank(layout: Layout, count: int) -> np.ndarray[Any, np.dtype[Any]]:
    """`count` rows in which nothing is known: NaN, and 0 for the whole numbers."""
    rows = np.zeros(count, layout.row)
    for name in rows.dtype.names or ():
        if name not in CLOCKS:
            rows[name] = np.nan
    return rows


def commit_record(rows: int, events: int, time: float, rows_crc: int, events_crc: int) -> np.ndarray[Any, Any]:
    """One commit record, its own checksum included, as an array of one."""
    record = np.array([(rows, events, time, rows_crc, events_crc, 0)], COMMIT)
    record["crc"] = _own_crc(record[0])
    return record


def is_whole(record: Any) -> bool:
    """Whether a commit record is as it was written."""
    return bool(_own_crc(record) == record["crc"])


def _own_crc(record: Any) -> int:
    return zlib.crc32(record.tobytes()[: -COMMIT["crc"].itemsize])


def bins_name(width: int, part: str = "") -> str:
    """The dataset of a level of the pyramid: of a latent channel, or of CLOCKS_PART or SCALARS_PART; "": its group."""
    return f"pyramid/{width}/{part}"


CLOCKS_PART = "clocks"
SCALARS_PART = "scalars"


def latent_part(channel_name: str) -> str:
    """The name of a latent channel as a dataset's: HDF5 would take a slash or a dot for a path."""
    return "latent-" + quote(channel_name, safe="").replace(".", "%2E")
