"""The signals that ask a training to stop, and what is left to do after each. Knows no torch."""

import os
import select
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType
from typing import Any

WORDS: dict[int, str] = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}
"""How each is called. The last is a terminal's that is gone, as when a connection breaks."""

SOON, STUCK = 0.1, 2.0
"""Seconds after a second signal in which Python acts on it, and after which it is taken to be stuck."""


@contextmanager
def ended_by_ctrl_c() -> Iterator[None]:
    """Have Ctrl-C end the process at once, while it waits in a call of C and has nothing to lose."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        yield
        return
    former = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)


@contextmanager
def as_ctrl_c(*numbers: signal.Signals) -> Iterator[None]:
    """Have other signals raise KeyboardInterrupt, as Ctrl-C does; one that is ignored, as under nohup, stays so."""
    with ExitStack() as after:
        if threading.current_thread() is threading.main_thread():
            for number in numbers:
                if signal.getsignal(number) != signal.SIG_IGN:
                    after.callback(signal.signal, number, signal.signal(number, signal.default_int_handler))
        yield


@contextmanager
def caught_signals() -> Iterator[list[int]]:
    """The signals that asked to stop, in a list that fills; a second one of the same kind acts as if uncaught.

    It ends the process where Python cannot act on it, as while it waits for another process that hangs. SIGHUP stays
    ignored where it is, as under nohup.
    """
    caught: list[int] = []
    former: dict[int, Any] = {}
    terminals = [number for number in (1, 2) if os.isatty(number)]

    def catch(number: int, frame: FrameType | None) -> None:
        caught.append(number)
        _silence(terminals)
        if caught.count(number) > 1:
            _act_as_uncaught(number, frame, former[number])

    with ExitStack() as after:
        if threading.current_thread() is threading.main_thread():
            for number in WORDS:
                if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                    former[number] = signal.signal(number, catch)
                    after.callback(signal.signal, number, former[number])
            after.enter_context(_watched(caught))
        yield caught


def _act_as_uncaught(number: int, frame: FrameType | None, former: Any) -> None:
    if callable(former):
        former(number, frame)
    elif former == signal.SIG_DFL:
        signal.signal(number, former)
        os.kill(os.getpid(), number)


@contextmanager
def _watched(caught: list[int]) -> Iterator[None]:
    """A thread that hears of signals from the system itself, while the main one may be stuck in a call of C."""
    ends, heard = os.pipe()
    os.set_blocking(heard, False)
    former = signal.set_wakeup_fd(heard, warn_on_full_buffer=False)
    watcher = threading.Thread(target=_watch, args=(ends, caught), name="signals", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(former)
        os.close(heard)
        watcher.join()
        os.close(ends)


def _watch(ends: int, caught: list[int]) -> None:
    """Until the other end of the pipe is closed: end the process where a second signal is not acted on."""
    heard: Counter[int] = Counter()
    while byte := os.read(ends, 1):
        number = byte[0]
        heard[number] += 1
        if number in WORDS and heard[number] > 1:
            time.sleep(SOON)
            _insist(number, heard[number], caught)
            heard[number] = caught.count(number)
            if select.select([ends], [], [], 0)[0]:
                os.read(ends, 4096)  # those of its own


def _insist(number: int, wanted: int, caught: list[int]) -> None:
    """Signal anew until Python has acted as often as it is wanted to, for it sees one in several that come together."""
    while (acted := caught.count(number)) < wanted:
        os.kill(os.getpid(), number)
        time.sleep(STUCK)
        if caught.count(number) == acted:
            told = f"vaemon: {WORDS[number]} again: ended at once; --resume goes on from the last checkpoint\n"
            with suppress(OSError):
                os.write(2, told.encode())
            os._exit(128 + number)


def _silence(terminals: list[int]) -> None:
    """Have what is printed to a terminal that is gone go nowhere: it would fail, before the last checkpoint."""
    for number in terminals:
        if not os.isatty(number):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, number)
            os.close(nowhere)
