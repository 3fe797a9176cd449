"""One connection to an agent, from its hello to its end; for what may be made anew after that, see `link`."""

import os
import select
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress

from vaemon.errors import SourceLost, VaemonError
from vaemon.source.far.ssh import LAST_LINES
from vaemon.wire.clean import clean
from vaemon.wire.codec import pack, unpack
from vaemon.wire.frames import LONGEST_ANSWER, CutOff, FrameReader, FrameWriter, WireError
from vaemon.wire.questions import Answer, Asked, Question

PARTING = 0.5
"""Seconds that the program has for its end before it is killed."""
QUIET = 0.3
"""Seconds without a word on its standard error after which those before are shown; its last ones are in the error."""
_CHUNK = 1 << 16
_LINES = 20

Failure = Callable[[int | None, str], VaemonError]


class Connection:
    """A program that speaks with an agent on its standard input and output. Its methods are safe from any thread."""

    def __init__(self, command: Sequence[str], *, asks: bool, failure: Failure) -> None:
        """Start it.

        Args:
            command: the program and its arguments.
            asks: whether it may use the terminal to ask for something; what it says there is shown until the hello.
            failure: makes an error of an exit code (None: it still ran) and the last lines of its standard error.

        Raises:
            VaemonError: it cannot be started.
        """
        self.heard = time.monotonic()
        """When a byte last came."""
        self.over = False
        self.why: VaemonError = SourceLost("the link was closed")
        """Why it ended."""
        self.received = self.sent = 0
        """Bytes so far."""
        self._failure = failure
        self._shows = asks
        self._met = threading.Event()
        self._waiting: dict[int, Future[Answer]] = {}
        self._turn = threading.Lock()
        self._told: deque[str] = deque(maxlen=_LINES)
        try:
            # Without a session of its own it could ask on our terminal, in the midst of a screen.
            self._program = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=not asks,
            )
        except OSError as error:
            raise SourceLost(f"cannot start {command[0]}: {error.strerror}") from error
        self._writer = FrameWriter(self._write)
        self._listener = threading.Thread(target=self._hear_errors, daemon=True)
        self._listener.start()
        threading.Thread(target=self._receive, daemon=True).start()

    def meet(self, seconds: float | None) -> None:
        """Wait for the hello, so long at most.

        Raises:
            VaemonError: there is none, and why.
        """
        if not self._met.wait(seconds):
            self.end(self._failure(None, self._last_lines()))
        if self.over:
            raise anew(self.why)
        self._shows = False

    def ask(self, number: int, question: Question) -> "Future[Answer]":
        """Send a question; the answer comes in time, or SourceLost."""
        answer: Future[Answer] = Future()
        frame = pack(Asked(number, question))
        with self._turn:
            if self.over:
                raise anew(self.why)
            self._waiting[number] = answer
        with suppress(OSError, ValueError):  # it ended in the meantime; who reads from it learns why, and tells
            self._writer.send(frame)
        return answer

    def end(self, why: VaemonError) -> None:
        """End it, for that reason; whoever waits is told. Safe to call twice."""
        with self._turn:
            if self.over:
                return
            self.over, self.why = True, why
            waiting, self._waiting = self._waiting, {}
        self._met.set()
        for each in waiting.values():
            each.set_exception(why)
        threading.Thread(target=self._part, daemon=True).start()

    def close(self) -> None:
        """End it, and wait until the program has gone."""
        self.end(SourceLost("the link was closed"))
        with suppress(subprocess.TimeoutExpired):
            self._program.wait(2 * PARTING)

    def _part(self) -> None:
        assert self._program.stdin is not None
        with suppress(OSError):
            self._program.stdin.close()  # to an agent, this is the end
        try:
            self._program.wait(PARTING)
        except subprocess.TimeoutExpired:
            self._program.kill()
            self._program.wait()

    def _write(self, data: bytes) -> None:
        assert self._program.stdin is not None
        rest = memoryview(data)
        while rest:
            count = self._program.stdin.write(rest) or 0
            self.sent += count
            rest = rest[count:]

    def _read(self, most: int) -> bytes:
        assert self._program.stdout is not None
        data = os.read(self._program.stdout.fileno(), most)
        self.heard = time.monotonic()
        self.received += len(data)
        return data

    def _receive(self) -> None:
        """The reading thread, until the end."""
        assert self._program.stdout is not None
        reader = FrameReader(self._read, LONGEST_ANSWER)
        try:
            reader.meet()
            self._writer.greet()
            self._met.set()
            for frame in reader:
                if frame:
                    self._hand_over(unpack(frame, Answer))
            why = self._ended()
        except (EOFError, CutOff, OSError, ValueError):
            why = self._ended()
        except WireError as error:
            why = SourceLost(str(error))
        self.end(why)
        self._program.stdout.close()

    def _hand_over(self, answer: Answer) -> None:
        with self._turn:
            waiting = self._waiting.pop(answer.number, None)
        if waiting is not None:
            waiting.set_result(answer)

    def _ended(self) -> VaemonError:
        try:
            code = self._program.wait(PARTING)
        except subprocess.TimeoutExpired:
            code = None
        self._listener.join(PARTING)  # its last words may still be on their way
        return self._failure(code, self._last_lines())

    def _last_lines(self) -> str:
        return "\n".join(self._told)

    def _hear_errors(self) -> None:
        """The thread that reads its standard error, until the end."""
        assert self._program.stderr is not None
        held = unshown = b""
        with suppress(OSError, ValueError), self._program.stderr as stderr:
            ready = select.poll()
            ready.register(stderr, select.POLLIN)
            while True:
                if unshown and not ready.poll(QUIET * 1000):
                    self._show(unshown)
                    unshown = b""
                if not (got := os.read(stderr.fileno(), _CHUNK)):
                    break
                unshown = (unshown + got)[-_CHUNK:] if self._shows else b""
                *lines, held = (held + got).split(b"\n")
                held = held[-_CHUNK:]
                self._told.extend(_text(line) for line in lines if line.strip())
        if held.strip():
            self._told.append(_text(held))
        if len(unshown.splitlines()) > LAST_LINES:  # more than an error tells: that a host has another key, say
            self._show(unshown)

    def _show(self, told: bytes) -> None:
        # A greeting, or the wish that a key be touched; once the hello is there, a screen may be, too.
        if not self._shows or (self._met.is_set() and not self.over):
            return
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.write("".join(f"{_text(line)}\n" for line in told.splitlines() if line.strip()))
            sys.stderr.flush()


def anew(why: VaemonError) -> VaemonError:
    """An error to be raised once more: its traceback would grow each time."""
    return why.with_traceback(None)


def _text(line: bytes) -> str:
    return clean(line[-2000:].decode(errors="replace").strip())
