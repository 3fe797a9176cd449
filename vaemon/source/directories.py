"""Several places of runs as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vaemon.errors import SourceLost

if TYPE_CHECKING:
    from vaemon.batch import Listed
    from vaemon.source.protocol import Directory, Source


class Directories:
    """Lists the runs of all that answer."""

    def __init__(self, directories: Sequence[Directory]) -> None:
        self._directories = directories
        self._where: dict[str, Directory] = {}

    def runs(self, seconds: float) -> tuple[Listed, ...]:
        """Every run, the one written to last first. Raises SourceLost where no place answers."""
        listed: list[Listed] = []
        lost: list[SourceLost] = []
        for directory in self._directories:
            try:
                told = directory.runs(seconds / len(self._directories))
            except SourceLost as error:
                lost.append(error)
                continue
            self._where |= dict.fromkeys((each.address for each in told), directory)
            listed += told
        if lost and len(lost) == len(self._directories):
            raise lost[0]
        return tuple(sorted(listed, key=lambda each: -each.changed))

    def open(self, address: str) -> Source:
        """The source of a run that was listed."""
        return self._where[address].open(address)

    def close(self) -> None:
        """Close them all."""
        for each in self._directories:
            each.close()
