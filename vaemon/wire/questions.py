"""What can be asked of an agent, and what it answers: the calls of `source.protocol` as values."""

from collections.abc import Mapping

import msgspec

from vaemon.batch import Cursor, Excerpt, ImageSet, Want, Window


class Run(msgspec.Struct, frozen=True, array_like=True):
    """Which run is asked: the agent opens it when it first hears of it."""

    address: str
    """A run's name, a path to its folder, or `latest`."""
    thresholds: Mapping[str, float] = {}
    """Those by which it is to be looked at, by name, where not by its own."""
    exists: bool = False
    """Whether it must be there already; else it is waited for."""


class _OfRun(msgspec.Struct, frozen=True):
    run: Run


class Info(_OfRun, frozen=True, tag=True):
    """`Source.info`."""


class Poll(_OfRun, frozen=True, tag=True):
    """`Source.poll`."""

    since: Cursor
    want: Want


class Part(_OfRun, frozen=True, tag=True):
    """`Source.excerpt`."""

    excerpt: Excerpt


class Line(_OfRun, frozen=True, tag=True):
    """`Source.series`."""

    channel: str
    window: Window
    points: int


class Sets(_OfRun, frozen=True, tag=True):
    """`Source.images`."""


class Image(_OfRun, frozen=True, tag=True):
    """`Source.image`."""

    which: ImageSet


class Runs(msgspec.Struct, frozen=True, tag=True):
    """`Directory.runs`."""

    folder: str
    """Where the runs are; "": where runs are by default."""
    seconds: float
    thresholds: Mapping[str, float] = {}


Question = Info | Poll | Part | Line | Sets | Image | Runs


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """A question on its way."""

    number: int
    """The answer has the same."""
    question: Question


class Refusal(msgspec.Struct, frozen=True, array_like=True):
    """Why there is no answer."""

    kind: str
    """The name of a class of `vaemon.errors`."""
    text: str


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """An answer on its way; one of the last two is there."""

    number: int
    value: msgspec.Raw = msgspec.Raw(b"\xc0")
    """What the question's kind has for an answer."""
    refusal: Refusal | None = None
