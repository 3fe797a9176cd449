"""The Python that runs this, to be started once more for a part of vaemon."""

import sys
from pathlib import Path

_OWN = Path(__file__).resolve().parents[1]
"""Where vaemon is installed; or its checkout."""


def command(module: str, *words: str) -> list[str]:
    """The command that runs a module of ours in a process of its own.

    Of the working folder, which may be anyone's, nothing is imported for it (-P): `python -m` would look there first.
    Only where vaemon itself lies there, in its own checkout, it may.
    """
    return [sys.executable, *([] if _is_here() else ["-P"]), "-m", module, *words]


def _is_here() -> bool:
    try:
        return Path.cwd() == _OWN
    except OSError:  # it was removed
        return False
