"""The buffer between the training loop and the writer: bounded, and never in the loop's way."""

from collections import deque
from typing import NamedTuple

from vaemon.recorder.block import Block, Kind

BLOCK_BYTES = 1024 * 1024
"""Size of a full-grown block."""
FEWEST_ROWS = 4
FIRST_ROWS = 16
"""Of the first block of a kind; it may be that few rows are like it. The next are four times as long each."""
SPARE_BYTES = 8 * 1024 * 1024
"""Of blocks kept for reuse: a row into memory that was never touched costs as much again."""


class Waiting(NamedTuple):
    """Rows of a block that wait to be written."""

    block: Block
    first: int
    last: int


class Ring:
    """Rows that wait to be written, in blocks. `open` is called by the loop, `waiting` and `settle` by the writer.

    When it is full the newest rows are dropped: they are counted, and the range of their steps is kept.
    """

    def __init__(self, limit: int) -> None:
        """Hold at most about `limit` bytes."""
        self.limit = limit
        self.current: Block | None = None
        """The block that the loop fills."""
        self.dropped = 0
        """Rows dropped since the run was opened; written by the loop only."""
        self.refused = 0
        """Calls whose values made no row."""
        self._told = 0  # of them; written by the writer only
        self._first_dropped = 0
        self._last_dropped = 0
        self._blocks: deque[Block] = deque()  # the loop appends, the writer removes
        self._spare: deque[Block] = deque()
        self._opened = 0  # bytes; written by the loop only
        self._settled = 0  # bytes; written by the writer only

    def __len__(self) -> int:
        return sum(block.count - block.done for block in list(self._blocks))

    def seal(self) -> None:
        """Have the next row begin a block."""
        if self.current is not None:
            self._opened -= self.current.seal()
        self.current = None

    def open(self, kind: Kind) -> Block | None:
        """Begin a block of a kind; None where the buffer is full."""
        before = self.current
        grown = before.capacity * 4 if before is not None and before.kind == kind else FIRST_ROWS
        capacity = min(grown, max(BLOCK_BYTES // max(kind.row_bytes, 1), FEWEST_ROWS))
        if self._held() + capacity * kind.row_bytes > self.limit:
            return None
        block = self._spare_of(kind, capacity) or Block(kind, capacity)
        if before is not None:
            self._opened -= before.seal()
        self._opened += block.charge
        # First this: the writer takes an empty block in the queue that nobody fills for one that is done with.
        self.current = block
        self._blocks.append(block)
        return block

    @property
    def is_filling_up(self) -> bool:
        """Whether half of the room is taken."""
        return self._held() > self.limit // 2

    def _held(self) -> int:
        """Memory of the blocks with rows that wait."""
        before = self.current
        written = before is None or before.done == before.count
        return self._opened - self._settled - (before.charge if before is not None and written else 0)

    def _spare_of(self, kind: Kind, capacity: int) -> Block | None:
        for _ in range(len(self._spare)):
            block = self._spare.popleft()
            # Of the same stage and not but of one that is equal: to begin a stage anew begins another segment.
            if block.kind == kind and block.kind.stage is kind.stage and block.capacity == capacity:
                return block
        return None

    def drop(self, step: int) -> None:
        """Count a row that there was no room for."""
        if self.dropped == self._told:
            self._first_dropped = step
        self._last_dropped = step
        self.dropped += 1

    def waiting(self) -> list[Waiting]:
        """The rows that wait, the oldest first."""
        found = [Waiting(block, block.done, block.count) for block in list(self._blocks)]
        return [each for each in found if each.first < each.last]

    def settle(self, written: list[Waiting]) -> None:
        """Let go of rows that are in the run file for good."""
        for block, _, last in written:
            block.done = last
        while self._blocks and self._blocks[0] is not self.current and self._blocks[0].done == self._blocks[0].count:
            block = self._blocks.popleft()
            self._settled += block.charge
            block.reuse()
            if sum(spare.charge for spare in list(self._spare)) + block.charge <= SPARE_BYTES:
                self._spare.append(block)

    def drops(self) -> tuple[int, int, int]:
        """How many rows were dropped since last asked, and the first and last of their steps."""
        count = self.dropped - self._told
        told = (count, self._first_dropped, self._last_dropped)
        self._told += count
        return told
