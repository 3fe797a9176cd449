"""The signals that ask a training to stop, and what is left to do after each. Knows no torch."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

WORDS: dict[int, str] = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}
"""How each is called. The last is a terminal's that is gone, as when a connection breaks."""


@contextmanager
def caught_signals() -> Iterator[list[int]]:
    """The signals that asked to stop, in a list that fills; a second one of the same kind acts as if uncaught.

    SIGHUP stays ignored where it is, as under nohup.
    """
    caught: list[int] = []
    former: dict[int, Any] = {}
    terminals = [number for number in (1, 2) if os.isatty(number)]

    def catch(number: int, frame: FrameType | None) -> None:
        caught.append(number)
        signal.signal(number, former[number])
        _silence(terminals)

    if threading.current_thread() is threading.main_thread():
        for number in WORDS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                former[number] = signal.signal(number, catch)
    try:
        yield caught
    finally:
        for each, handler in former.items():
            signal.signal(each, handler)


def _silence(terminals: list[int]) -> None:
    """Have what is printed to a terminal that is gone go nowhere: it would fail, before the last checkpoint."""
    for number in terminals:
        if not os.isatty(number):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, number)
            os.close(nowhere)
