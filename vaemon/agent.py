"""The far end of a wire: answers what a screen elsewhere asks about the runs of this machine.

Reads run folders, writes nothing, opens no port; lives as long as its standard input, which ssh holds.
"""

import os
import select
import signal
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import msgspec

from vaemon.errors import SourceLost, VaemonError
from vaemon.source.open import await_source, open_directory, open_source
from vaemon.source.protocol import Directory, Source
from vaemon.wire import questions as ask
from vaemon.wire.coarse import coarse_columns, coarsened
from vaemon.wire.codec import pack, unpack
from vaemon.wire.frames import LONGEST_ANSWER, LONGEST_QUESTION, FrameReader, FrameWriter, WireError
from vaemon.wire.weight import check_weight

MOST_OPEN = 64
"""Runs that are held open; of more, the one asked longest ago is let go."""
BEAT = 2.0
"""Seconds between two heartbeats, while an answer is being made."""
LONGEST_SILENCE = 900.0
"""Seconds without a question after which nobody is taken to be there: a lost link may leave its end open for hours."""

_TOO_LARGE = "the answer is too large to be sent: {}; ask for less of it, by channels, steps or points"


class Agent:
    """Answers questions, one after the other."""

    def __init__(self) -> None:
        self._sources: OrderedDict[bytes, Source] = OrderedDict()
        self._directories: dict[bytes, Directory] = {}

    def answer(self, question: ask.Question) -> Any:
        """What the source or the directory says. Raises VaemonError."""
        if isinstance(question, ask.Runs):
            return tuple(self._directory(question).runs(question.seconds))
        source = self._source(question.run)
        match question:
            case ask.Info():
                return source.info()
            case ask.Poll(since=since, want=want):
                batch = source.poll(since, want)
                return coarsened(batch) if want.coarse else batch
            case ask.Part(excerpt=excerpt):
                columns = source.excerpt(excerpt)
                return coarse_columns(columns) if excerpt.coarse else columns
            case ask.Line(channel=channel, window=window, points=points):
                return source.series(channel, window, points)
            case ask.Sets():
                return source.images()
            case ask.Image(which=which):
                return source.image(which)

    def _source(self, run: ask.Run) -> Source:
        key = pack(run)
        if key not in self._sources:
            opened = open_source if run.exists else await_source
            self._sources[key] = opened(run.address, None, run.thresholds)
        self._sources.move_to_end(key)
        if len(self._sources) > MOST_OPEN:
            self._sources.popitem(last=False)[1].close()
        return self._sources[key]

    def _directory(self, question: ask.Runs) -> Directory:
        key = pack((question.folder, question.thresholds))
        if key not in self._directories:
            self._directories[key] = open_directory(question.folder or None, question.thresholds)
        return self._directories[key]

    def close(self) -> None:
        """Close all that was opened."""
        for source in self._sources.values():
            source.close()
        for directory in self._directories.values():
            directory.close()


def serve(read: Callable[[int], bytes], write: Callable[[bytes], object]) -> None:
    """Answer whoever asks until the stream of questions ends.

    Args:
        read: as of `FrameReader`.
        write: takes all the bytes it is given.

    Raises:
        WireError: what came is no question of this protocol.
    """
    writer, agent = FrameWriter(write), Agent()
    writer.greet()
    reader = FrameReader(read, LONGEST_QUESTION)
    try:
        reader.meet()
        for frame in reader:
            if frame:
                asked = unpack(frame, ask.Asked, cleaned=False)
                with _heartbeat(writer):
                    answer = _answered(agent, asked)
                writer.send(answer)
    except EOFError:
        pass  # whoever started this has gone before saying who it is
    finally:
        agent.close()


def _answered(agent: Agent, asked: ask.Asked) -> bytes:
    try:
        value = pack(agent.answer(asked.question))
        check_weight(value)
        answer = pack(ask.Answer(asked.number, msgspec.Raw(value)))
        if len(answer) <= LONGEST_ANSWER:
            return answer
        refusal = ask.Refusal(SourceLost.__name__, _TOO_LARGE.format(f"{len(answer):,} bytes"))
    except WireError as error:
        refusal = ask.Refusal(SourceLost.__name__, _TOO_LARGE.format(error))
    except VaemonError as error:
        refusal = ask.Refusal(type(error).__name__, str(error))
    except Exception as error:  # whatever is wrong with one run, the others are still to be seen
        refusal = ask.Refusal(SourceLost.__name__, f"{type(error).__name__}: {error}")
    return pack(ask.Answer(asked.number, refusal=refusal))


@contextmanager
def _heartbeat(writer: FrameWriter) -> Iterator[None]:
    done = threading.Event()

    def beat() -> None:
        with suppress(OSError):
            while not done.wait(BEAT):
                writer.beat()

    pulse = threading.Thread(target=beat, daemon=True)
    pulse.start()
    try:
        yield
    finally:
        done.set()
        pulse.join()


def main() -> None:
    """Serve standard input and output, on which nothing but frames is written. Returns when there is no more to do."""
    out = os.dup(1)
    os.dup2(2, 1)  # what anything prints goes where it does no harm
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C at the near end is meant for that end

    def read(most: int) -> bytes:
        ready, _, _ = select.select([0], [], [], LONGEST_SILENCE)
        return os.read(0, most) if ready else b""

    def write(data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(out, rest) :]

    try:
        serve(read, write)
    except WireError as error:
        sys.stderr.write(f"vaemon agent: {error}\n")
    except (BrokenPipeError, ConnectionError):
        pass
