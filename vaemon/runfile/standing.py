"""The events of a run that still count, gathered from its segments as these grow."""

from collections.abc import Sequence

from vaemon.batch import Event
from vaemon.runfile.schema import Layout
from vaemon.runfile.segment import SegmentReader


class StandingEvents:
    """Asked at each poll: only what the newest segment has since is looked at, as long as no file came or went."""

    def __init__(self) -> None:
        self._segments: tuple[tuple[SegmentReader, bool], ...] = ()  # and whether it has rows, which void others
        self._told: list[tuple[list[Event], int]] = []  # what each had to say, and how much of it was taken
        self._kept: list[Event] = []

    def of(self, segments: Sequence[SegmentReader]) -> list[Event]:
        """The events of a run's segments in the order recorded, those of replaced rows left out.

        The list is this object's own: it grows with the next call. Raises RunFileError.
        """
        here = tuple((segment, len(segment) > 0) for segment in segments)
        told = [segment.events() for segment in segments]
        if here == self._segments and self._only_newest_grew(told):
            self._kept += told[-1][self._told[-1][1] :] if told else []
        else:
            self._kept = _standing(segments, told)
        self._segments, self._told = here, [(each, len(each)) for each in told]
        return self._kept

    def _only_newest_grew(self, told: Sequence[list[Event]]) -> bool:
        same = all(each is before for each, (before, _) in zip(told, self._told, strict=True))
        return same and all(len(each) == count for each, (_, count) in zip(told[:-1], self._told, strict=False))


def _standing(segments: Sequence[SegmentReader], told: Sequence[Sequence[Event]]) -> list[Event]:
    kept: list[Event] = []
    for i, events in enumerate(told):
        later = [each.layout for each in segments[i + 1 :] if len(each)]
        kept += [event for event in events if not any(replaces(each, event.stage, event.step) for each in later)]
    return kept


def replaces(layout: Layout, stage: int, step: int) -> bool:
    """Whether a segment of this layout makes void what earlier ones have of a step."""
    return layout.stage.number == stage and layout.first_step <= step
