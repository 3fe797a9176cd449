"""The buffer between the training loop and the writer: bounded, and never in the loop's way."""

from collections import deque

from vaemon.recorder.row import Row


class Ring:
    """Rows that wait to be written. `add` is called by the loop, `take` and `put_back` by the writer.

    When it is full the newest rows are dropped: they are counted, and the range of their steps is kept.
    """

    def __init__(self, limit: int) -> None:
        """Hold at most about `limit` bytes."""
        self.limit = limit
        self.dropped = 0
        """Rows dropped since `settle` was last called."""
        self._first_dropped = 0
        self._last_dropped = 0
        self._rows: deque[Row] = deque()
        self._added = 0  # bytes; written by the loop only
        self._removed = 0  # bytes; written by the writer only

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: Row) -> bool:
        """Append a row; False where it had to be dropped."""
        size = row.nbytes
        if self._added - self._removed + size > self.limit:
            if not self.dropped:
                self._first_dropped = row.step
            self.dropped += 1
            self._last_dropped = row.step
            return False
        self._rows.append(row)
        self._added += size
        return True

    def take(self) -> list[Row]:
        """Remove and return all rows that wait, the oldest first."""
        rows = [self._rows.popleft() for _ in range(len(self._rows))]
        self._removed += sum(row.nbytes for row in rows)
        return rows

    def put_back(self, rows: list[Row]) -> None:
        """Return rows that could not be written to the head of the queue."""
        self._rows.extendleft(reversed(rows))
        self._removed -= sum(row.nbytes for row in rows)

    def settle(self) -> tuple[int, int, int]:
        """How many rows were dropped since last asked, and the first and last of their steps."""
        told = (self.dropped, self._first_dropped, self._last_dropped)
        self.dropped = self._first_dropped = self._last_dropped = 0
        return told
