"""Reading one segment file while it is written."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.batch import Event
from vaemon.errors import RunFileError
from vaemon.runfile import shared
from vaemon.runfile.schema import BLOCKS, EVENTS, FORMAT, LATE_VALUE, ROWS, Layout

Array = npt.NDArray[Any]


class SegmentReader:
    """One open segment; `refresh` takes in what has been written since."""

    def __init__(self, path: Path) -> None:
        """Open the file for reading.

        Raises:
            RunFileError: it cannot be opened now, or is not a segment of this format.
        """
        self.path = path
        self._told: list[Event] = []
        self._seen = 0
        self._whole = 0
        with _in_words(path):
            self._file = shared.acquire(path)
        try:
            with _in_words(path), self._file.lock:
                attributes = self._file.attributes
                if attributes.get("format") != FORMAT:
                    raise RunFileError(f"{path} has format {attributes.get('format')}; this vaemon reads {FORMAT}")
                self.layout = Layout.of(attributes)
                self._rows, self._events, self._blocks = (self._file.dataset(n) for n in (ROWS, EVENTS, BLOCKS))
            self.refresh()
        except RunFileError:
            shared.release(self._file)
            raise

    def refresh(self) -> None:
        """See what the writer has flushed since.

        Raises:
            RunFileError: the file cannot be read now.
        """
        with _in_words(self.path), self._file.lock:
            # The commit record first: rows that it counts are there when the rows are looked at afterwards.
            self._blocks.refresh()
            if len(self._blocks):
                self._whole = int(self._blocks[-1]["rows"])
            self._rows.refresh()
            self._events.refresh()

    def __len__(self) -> int:
        return self._whole

    def rows(self, first: int, last: int) -> Array:
        """Rows first up to last (excluded), as a structured array."""
        with _in_words(self.path), self._file.lock:
            rows = np.asarray(self._rows[first:last])
        if self._file.short and not rows["time"].all():
            raise RunFileError(f"{self.path} is cut short: rows between {first:,} and {last:,} are missing")
        return rows

    def steps(self, first: int, last: int) -> Array:
        """The steps of those rows."""
        return np.asarray(self.rows(first, last)["step"])

    def row_of(self, step: int) -> int:
        """How many rows have a step below `step`: the row where that step is, or would be."""
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if int(self.steps(middle, middle + 1)[0]) < step:
                low = middle + 1
            else:
                high = middle
        return low

    def events(self) -> list[Event]:
        """Every event of the segment, late values left out; only new ones are read."""
        table = self._event_table(self._seen)
        self._seen += len(table)
        self._told += [_event(each) for each in table if each["kind"] != LATE_VALUE.encode()]
        return self._told

    def late_values(self, name: str) -> tuple[Array, Array]:
        """Steps and values of a scalar that came up after the segment was frozen."""
        table = self._event_table(0)
        found = table[(table["kind"] == LATE_VALUE.encode()) & (table["text"] == name.encode())]
        return found["step"], found["value"]

    def late_names(self) -> set[str]:
        """Names of the scalars that came up after the segment was frozen."""
        table = self._event_table(0)
        return {text.decode() for text in table["text"][table["kind"] == LATE_VALUE.encode()]}

    def close(self) -> None:
        """Let go of the file."""
        shared.release(self._file)

    def _event_table(self, first: int) -> Array:
        with _in_words(self.path), self._file.lock:
            return np.asarray(self._events[first:])


def _event(record: Any) -> Event:
    return Event(
        step=int(record["step"]),
        time=float(record["time"]),
        stage=int(record["stage"]),
        kind=record["kind"].decode(errors="replace"),
        latent=int(record["latent"]),
        text=record["text"].decode(errors="replace"),
    )


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """What HDF5 and h5py raise, as a RunFileError."""
    try:
        yield
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RunFileError(f"cannot read {path}: {said}") from error
