"""The commit records of a segment: how much of it is there, and can be trusted."""

from typing import Any, NamedTuple

import numpy.typing as npt

from vaemon.runfile.schema import is_whole

Array = npt.NDArray[Any]


class Commit(NamedTuple):
    """A commit record, looked at closely."""

    first_row: int
    first_event: int
    rows: int
    """Rows of the segment up to here."""
    events: int
    whole: bool
    """Whether the record itself is."""
    rows_good: bool
    events_good: bool


def totals_before(commits: Array, first: int) -> tuple[int, int]:
    """Rows and events up to commit number `first`, its own left out."""
    return (int(commits["rows"][first - 1]), int(commits["events"][first - 1])) if first else (0, 0)


def last_whole(commits: Any) -> tuple[int, int]:
    """Rows and events up to the newest record that is whole; of a dataset, only the records looked at are read."""
    # The newest record may have been torn by a power cut; one before it tells then.
    for at in range(len(commits) - 1, -1, -1):
        record = commits[at]
        if is_whole(record):
            return int(record["rows"]), int(record["events"])
    return 0, 0
