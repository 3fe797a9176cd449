"""A run that has been, told as if it happened now."""

from dataclasses import replace

from vaemon.batch import Array, Batch, Columns, Cursor, Excerpt, ImageSet, RunInfo, Series, Want, Window
from vaemon.playback import Moment, Playback
from vaemon.runstate import RunState
from vaemon.source.protocol import Source

EVERYTHING = 1 << 62
"""More than there is of anything."""
GRAIN = 4096
"""Moments of a stage that are told apart, at least; between them rows are taken to come evenly."""


class ReplaySource:
    """Tells of a run only what has been at the present moment of its playback."""

    def __init__(self, source: Source, playback: Playback) -> None:
        """Replay what `source` tells. Both are closed together."""
        self._source = source
        self._playback = playback

    def info(self) -> RunInfo:
        """Who the run is, as it was at the moment. Raises SourceLost."""
        info = self._source.info()
        return _then(info, self._moment(info))

    def poll(self, since: Cursor, want: Want) -> Batch:
        """What is new since `since`, as it was at the moment. Raises SourceLost."""
        info = self._source.info()
        if not info.stages:
            return Batch(info, since)
        moment = self._moment(info)
        # Wound back, there is no later stage yet.
        stage = moment.stage if want.stage is None else min(want.stage, moment.stage)
        # At the end there are rows that fill no column of the playback; of a stage before this one, all have been.
        end = moment.rows if stage == moment.stage and not moment.over else None
        if end is not None and since.stage == stage and since.rows > end:
            since = Cursor()  # Wound back: columns as narrow as there can be now.
        batch = self._source.poll(since, replace(want, stage=stage, end=end))
        if stage < moment.stage and not moment.over:
            newest = self._newest(moment)
            told = tuple(each for each in batch.events if (each.stage, each.step) <= newest)
            # Next time all are told anew: those held back now have their places among those that the cursor counts.
            batch = replace(batch, events=told, cursor=replace(batch.cursor, events=EVERYTHING))
        return replace(batch, info=_then(batch.info, moment))

    def excerpt(self, asked: Excerpt) -> Columns:
        """A range of rows. Raises SourceLost."""
        return self._source.excerpt(asked)

    def series(self, channel: str, window: Window, points: int) -> Series:
        """One channel over a window, to the end of the run. Raises UnknownName, SourceLost."""
        return self._source.series(channel, window, points)

    def images(self) -> tuple[ImageSet, ...]:
        """The sets of images that had been recorded by the moment. Raises SourceLost."""
        sets = self._source.images()
        moment = self._moment(self._source.info())
        if moment.over or not sets:
            return sets
        newest = self._newest(moment)
        return tuple(each for each in sets if (each.stage, each.step) <= newest)

    def image(self, which: ImageSet) -> Array:
        """The images of a set. Raises SourceLost."""
        return self._source.image(which)

    def reach(self) -> None:
        """Make anew what leads to the run. Raises SourceLost."""
        self._source.reach()

    def hang_up(self) -> None:
        """Wait no longer for an answer."""
        self._source.hang_up()

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _newest(self, moment: Moment) -> tuple[int, int]:
        """Stage and step of the newest row at a moment."""
        row = self._source.excerpt(Excerpt(moment.stage, moment.rows - 1, moment.rows, ()))
        return moment.stage, int(row.step[-1]) if len(row) else 0

    def _moment(self, info: RunInfo) -> Moment:
        if not self._playback.loaded:
            stages = sorted(each.number for each in info.stages)
            asked = [Excerpt(number, 0, EVERYTHING, (), columns=GRAIN) for number in stages]
            self._playback.load([(each.stage, self._source.excerpt(each)) for each in asked])
        return self._playback.moment()


def _then(info: RunInfo, moment: Moment) -> RunInfo:
    begun = tuple(stage for stage in info.stages if stage.number <= moment.stage)
    if moment.over:
        return replace(info, stages=begun)
    return replace(info, stages=begun, state=RunState.RUNNING, reason="")
