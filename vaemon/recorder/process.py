"""What befalls the recorders of a process from outside: SIGTERM, a fork."""

import os
import signal
import threading
from types import FrameType
from typing import Protocol


class OpenRecorder(Protocol):
    """What is to be told."""

    def close(self, outcome: str, reason: str) -> None:
        """Write what waits and end the run."""
        ...

    def leave_to_parent(self) -> None:
        """Take nothing from now on: this is a forked child, and the thread that writes is its parent's."""
        ...


_open: set[OpenRecorder] = set()


def opened(recorder: OpenRecorder) -> None:
    """The recorder is to be closed on SIGTERM, where that would else just end the process."""
    _open.add(recorder)
    if _in_main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _on_sigterm)


def closed(recorder: OpenRecorder) -> None:
    """It need not be any more."""
    _open.discard(recorder)
    if _in_main_thread() and not _open and signal.getsignal(signal.SIGTERM) is _on_sigterm:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _on_sigterm(number: int, frame: FrameType | None) -> None:
    for recorder in list(_open):
        recorder.close("stopped", "SIGTERM")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)


def _in_child() -> None:
    for recorder in _open:
        recorder.leave_to_parent()
    _open.clear()


os.register_at_fork(after_in_child=_in_child)
