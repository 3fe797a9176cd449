"""What may go wrong, as a tree; the exit code stands on the class.

VaemonError                 1   something failed; the message says what, where, and what to do next
├── UsageError              2   the question was wrong: unknown name, bad option, bad value
│   ├── UnknownName         2   a preset, key or run that does not exist; names the nearest one that does
│   ├── BadRunName          2   a run name that cannot be a folder's name
│   ├── RunExists           2   a new run under a name already taken
│   └── DataNotFound        2   --data is missing, empty, or not what the preset needs
├── RunLocked               1   another process is writing this run
├── RunFileError            1   a run's file cannot be read or written
│   └── NewerFormat         1   it was written by a newer vaemon
├── NotFetched              1   a dataset cannot be fetched, or what is there is not what was published
├── BadLoss                 1   the loss went to NaN or infinity; training stopped
├── OutOfMemory             1   a device's memory does not hold what is to be trained
├── RankLost                1   one of several processes that work together is gone
├── SourceLost              1   the place a run is read from does not answer
│   └── NeedsPerson         1   it would, if somebody typed a password or looked at a host key
└── FarEndLacksVaemon       3   the machine a run is on has no vaemon to tell of it
"""

import difflib
from collections.abc import Iterable


class VaemonError(Exception):
    """Something failed; the message is shown to the user as it stands."""

    exit_code = 1


class UsageError(VaemonError):
    """The question was wrong: an unknown name, a bad option, a bad value."""

    exit_code = 2


class UnknownName(UsageError):
    """A preset, key or run that does not exist."""

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "", near: str | None = None) -> None:
        """Name what was asked for, and the nearest of what is known.

        Args:
            kind: what was looked for: "preset", "config key", "run".
            name: what was asked for.
            known: every name that would have been right.
            hint: a closing sentence; by default the known names are listed.
            near: what was meant, where more than the likeness of letters tells.
        """
        names = sorted(known)
        near = near or nearest(name, names)
        text = f"unknown {kind} {name!r}"
        if near:
            text += f" (did you mean {near!r}?)"
        if hint:
            text += f"; {hint}"
        elif names:
            text += f"; known: {', '.join(names[:20])}{', …' if len(names) > 20 else ''}"
        super().__init__(text)


class BadRunName(UsageError):
    """A run name that cannot be a folder's name."""


class RunExists(UsageError):
    """A new run was asked for under a name already taken."""


class DataNotFound(UsageError):
    """--data is missing, empty, or not what the preset needs."""


class RunLocked(VaemonError):
    """Another process is writing this run."""


class RunFileError(VaemonError):
    """A run's file cannot be read or written."""


class NewerFormat(RunFileError):
    """A run's file was written by a newer vaemon: nothing is wrong with it, and nothing of it may be mended here."""

    def __init__(self, path: object, found: int, known: int) -> None:
        super().__init__(
            f"{path} has format {found}, and this vaemon reads {known}: it was written by a newer one; "
            "pip install --upgrade vaemon"
        )


class NotFetched(VaemonError):
    """A dataset cannot be fetched, or what is there is not what was published."""


class BadLoss(VaemonError):
    """The loss went to NaN or infinity; training stopped, everything before it is recorded."""


class OutOfMemory(VaemonError):
    """A device's memory does not hold what is to be trained."""


class RankLost(VaemonError):
    """One of several processes that work together is gone, and with it its share of the work."""


class SourceLost(VaemonError):
    """The place a run is read from does not answer."""


class NeedsPerson(SourceLost):
    """The place a run is read from would answer, if somebody typed a password, or looked at a host key."""


class FarEndLacksVaemon(VaemonError):
    """The machine a run is on has no vaemon to tell of it."""

    exit_code = 3


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None where nothing is like it."""
    by_lower = {each.lower(): each for each in known}
    found = difflib.get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None
