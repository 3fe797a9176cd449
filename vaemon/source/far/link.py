"""A link to the agent of a machine, for all runs there: made when it is first needed, and anew when it breaks."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import wait
from itertools import count
from typing import Any, TypeVar

from vaemon import errors
from vaemon.errors import NeedsPerson, SourceLost, VaemonError
from vaemon.source.far.connection import Connection, anew
from vaemon.source.far.ssh import FarEnd
from vaemon.wire.codec import unpack
from vaemon.wire.frames import WireError
from vaemon.wire.questions import Answer, Question, Refusal
from vaemon.wire.shapes import check
from vaemon.wire.weight import check_weight

Value = TypeVar("Value")

SILENCE = 10.0
"""Seconds without a byte, with an answer due, after which a link is dead: an agent at work sends heartbeats."""
AFTER_SLEEP = 3.0
"""As `SILENCE`, where this machine has slept in between: the far end has most likely given up."""
ATTEMPT = 20.0
"""Seconds that an attempt without a person may take."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds between two attempts, doubled from one to the next, less a random part: many screens come back at once."""
LONGEST_ALONE = 300.0
"""As `LONGEST_PAUSE`, where a person is needed: who knocks all night without a key may be shut out."""
_SLICE = 0.25


class Link:
    """Asks the agent of a machine. Its methods are safe from any thread."""

    def __init__(self, far: FarEnd, *, pause: Callable[[], float] = lambda: random.uniform(0.5, 1.0)) -> None:
        """Ask what is started by `far`; nothing is started yet.

        Args:
            far: the machine, and how it is reached.
            pause: the share of a pause that is waited.
        """
        self.far = far
        self._pause = pause
        self._numbers = count(1)
        self._connection: Connection | None = None
        self._attempt: Connection | None = None
        """The connection that is being made, of which nothing can be asked yet; or the one made last."""
        self._making = threading.Lock()
        self._failures = 0
        self._not_before = 0.0
        self._why: VaemonError = SourceLost("the link was closed")
        self._closed = False

    def connect(self) -> None:
        """Make the link, whatever was before; a password may be asked for on the terminal.

        Raises:
            VaemonError: it cannot be made, and why.
        """
        for each in (self._attempt, self._connection):
            if each is not None:
                each.end(SourceLost("the link is being made anew"))
        with self._making:
            self._connect(asks=True)

    def ask(self, question: Question, kind: type[Value]) -> Value:
        """The answer, which is of that kind.

        Raises:
            SourceLost: the link is lost.
            VaemonError: what the far end says in place of an answer.
        """
        connection, number = self._standing(), next(self._numbers)
        answer = self._awaited(connection, number, question)
        if answer.refusal is not None:
            raise _refused(answer.refusal)
        try:
            check_weight(memoryview(answer.value))
            value = unpack(answer.value, kind)
            check(value)
            return value
        except WireError as error:
            connection.end(SourceLost(str(error)))
            raise SourceLost(str(error)) from error

    def hang_up(self) -> None:
        """End the link for good; whoever waits for an answer is told at once."""
        self._closed = True
        for each in (self._attempt, self._connection):
            if each is not None:
                each.end(SourceLost("the link was closed"))

    def close(self) -> None:
        """Hang up, and wait until what was started has gone."""
        self.hang_up()
        for each in (self._attempt, self._connection):
            if each is not None:
                each.close()

    @property
    def traffic(self) -> tuple[int, int]:
        """Bytes received and sent over the connection that stands, as they came out of ssh and went into it."""
        standing = self._connection
        return (standing.received, standing.sent) if standing is not None else (0, 0)

    def _standing(self) -> Connection:
        """The connection; one is made where there is none, and it is time."""
        standing = self._connection
        if standing is not None and not standing.over:
            return standing
        with self._making:
            standing = self._connection
            if standing is not None and not standing.over:
                return standing
            if standing is not None and self._failures == 0:
                self._pause_after(standing.why)
                raise anew(self._why)
            if time.monotonic() < self._not_before:
                raise anew(self._why)
            return self._connect(asks=False)

    def _connect(self, *, asks: bool) -> Connection:
        self._refuse_if_closed()
        far = self.far
        try:
            attempt = self._attempt = Connection(
                far.command(asks=asks), asks=asks, failure=lambda code, told: far.failure(code, told, asks=asks)
            )
            self._refuse_if_closed()  # in the meantime
            attempt.meet(None if asks else ATTEMPT)
        except VaemonError as error:
            if self._attempt is not None:
                self._attempt.end(error)
            self._pause_after(error)
            raise
        except BaseException:  # a person has had enough
            if self._attempt is not None:
                self._attempt.close()
            raise
        self._connection, self._failures = attempt, 0
        return attempt

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise SourceLost("the link was closed")

    def _pause_after(self, why: VaemonError) -> None:
        self._why = why
        longest = LONGEST_ALONE if isinstance(why, NeedsPerson) else LONGEST_PAUSE
        self._not_before = time.monotonic() + self._pause() * min(FIRST_PAUSE * 2.0**self._failures, longest)
        self._failures = min(self._failures + 1, 16)

    def _awaited(self, connection: Connection, number: int, question: Question) -> Answer:
        answer = connection.ask(number, question)
        asked, slept, longest = time.monotonic(), _asleep(), SILENCE
        while not wait([answer], _SLICE).done:
            if _asleep() - slept > 5.0:
                asked, slept, longest = time.monotonic(), _asleep(), AFTER_SLEEP
            if time.monotonic() - max(asked, connection.heard) > longest:
                connection.end(SourceLost(f"{self.far.place.host} has not answered for {longest:.0f} s"))
        return answer.result()


def _asleep() -> float:
    """A clock that leaps by as long as this machine has slept."""
    return time.time() - time.monotonic()


def _refused(refusal: Refusal) -> VaemonError:
    """The error that the far end met with."""
    found: Any = getattr(errors, refusal.kind, SourceLost)
    if not (isinstance(found, type) and issubclass(found, VaemonError)):
        found = SourceLost
    # Those that make their text of several parts have done so at the far end.
    error: VaemonError = found.__new__(found)
    error.args = (refusal.text,)
    return error
