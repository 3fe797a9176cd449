"""The newest rows of a segment that grows, kept: at each poll, several questions are about them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

KEPT = 512
"""Rows that are kept at most."""
KEPT_BYTES = 1 << 21
"""And what they may take."""


class Tail:
    """Reads no row twice, as long as it is among the newest: one that was committed stays as it is."""

    def __init__(self) -> None:
        self._first = 0
        self._held: Array | None = None

    def rows(self, first: int, last: int, read: Callable[[int, int], Array]) -> Array:
        """Rows first up to last (excluded), not to be written into; `read` gives those that are not held."""
        held = self._held
        end = self._first + len(held) if held is not None else 0
        if held is None or not self._first <= first <= end:
            rows = read(first, last)
            if last > end or (last == end and first < self._first):
                self._keep(first, rows)
            return rows
        if last > end:
            held = np.concatenate([held, read(end, last)])
            begin = self._first
            self._keep(begin, held)
            return held[first - begin :]
        return held[first - self._first : max(last, first) - self._first]

    def forget(self) -> None:
        """Keep nothing any more."""
        self._held = None

    def _keep(self, first: int, rows: Array) -> None:
        count = min(len(rows), KEPT, KEPT_BYTES // rows.itemsize)
        self._first = first + len(rows) - count
        # A copy, or all of what was read would be kept.
        self._held = rows[len(rows) - count :].copy()
        self._held.flags.writeable = False
