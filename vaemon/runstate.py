"""What the writer of a run is doing, in a word. Needs no numpy: a command line may be completed with it."""

from enum import StrEnum


class RunState(StrEnum):
    """What the writer of a run is doing, as far as its lock and its last word tell."""

    WAITING = "waiting"
    """Nothing has been recorded yet."""
    RUNNING = "running"
    """A live process holds the run."""
    FINISHED = "finished"
    """It ended as planned."""
    STOPPED = "stopped"
    """It was ended by a person: Ctrl-C, SIGTERM."""
    FAILED = "failed"
    """It ended by an error of its own, and said which."""
    CRASHED = "crashed"
    """The writer is gone without a word."""

    @property
    def over(self) -> bool:
        """Whether no more rows are to be expected from this writer."""
        return self not in (RunState.WAITING, RunState.RUNNING)
