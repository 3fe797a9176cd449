"""What was left out of strangers' files, counted by kind: however many kinds they make, what is told stays short."""

from collections import Counter

MOST_KINDS = 20
"""Told one by one."""


class Tally:
    """Counts by kind, in words."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._others = 0

    def add(self, what: str) -> None:
        """Count one more of a kind."""
        if what in self._counts or len(self._counts) < MOST_KINDS:
            self._counts[what] += 1
        else:
            self._others += 1

    def told(self) -> list[str]:
        """A sentence for each kind, and one for all that came after the first MOST_KINDS."""
        others = [f"{self._others:,} more were left out, each for a reason of its own"] if self._others else []
        return [f"{count:,} {what}" for what, count in self._counts.items()] + others
