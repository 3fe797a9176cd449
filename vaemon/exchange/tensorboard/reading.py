"""Event files, read once from beginning to end: what they hold, sorted by what becomes of it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from vaemon.batch import Event as RunEvent
from vaemon.exchange.pictures import Pictures as PictureFolder
from vaemon.exchange.spool import Spool
from vaemon.exchange.tally import MOST_KINDS, Tally
from vaemon.exchange.tensorboard import own
from vaemon.exchange.tensorboard.histograms import FIGURES
from vaemon.exchange.tensorboard.messages import SESSION_START, Event
from vaemon.exchange.tensorboard.records import read_records
from vaemon.exchange.tensorboard.values import Distribution, Pictures, Settings, Text, Value, read_value
from vaemon.exchange.tensorboard.weight import check_weight

LAST_STEP = 2**62
"""Steps are below it."""
LATEST = 1e11
"""Seconds since 1970, the year 5138: what is later is no time."""
MOST_EVENTS = 1_000_000
MOST_SETTINGS = 10_000
MOST_TAGS = 8192
"""Of a stage: each takes memory, and room in every row."""
LONGEST_TAG = 1024
"""Bytes."""
MOST_RESTARTS = 1000
"""After each, what there is has to be looked through."""
MOST_UNFOLDED = 64
UNFOLDED_ANYWAY = 16 << 20
"""Times, and bytes, that the tensors of a file may be larger than it: one number may stand for all of a tensor."""
_SHOWN = tuple(each.encode() for each in own.SHOWN)
AT_ONCE = 1 << 20
"""Bytes after which progress is told."""


class Reading:
    """What the event files of a stage hold."""

    def __init__(self, stage: int, spool: Spool, pictures: PictureFolder) -> None:
        """Begin with nothing; numbers go to a spool, images to the run's folder."""
        self.stage = stage
        self.spool = spool
        self.pictures = pictures
        self.settings: dict[str, Any] = {}
        """Hyperparameters."""
        self.events: list[RunEvent] = []
        """Those of vaemon's own, and texts as notes."""
        self.own: Mapping[str, Any] = {}
        """What vaemon told of the run, if it wrote the file."""
        self.told: list[str] = []
        """What is wrong with the files, of the first that have something."""
        self._files_damaged = 0
        self.first_time = float("inf")
        self.last_time = 0.0
        self._plugins: dict[bytes, str] = {}
        self._odd = Tally()
        self._read = 0  # bytes
        self._unfolded = 0  # bytes
        self._restarts = 0

    def read(self, files: Sequence[Path], progress: Callable[[int], object]) -> None:
        """Read files, in the order they were written; of a step that several have, the last counts.

        Args:
            files: event files.
            progress: told how many bytes were read since it was last told.

        Raises:
            VaemonError: one cannot be read at all.
        """
        for path in files:
            end = done = 0
            for data, end in read_records(path, lambda said, path=path: self._damaged(f"{path.name}: {said}")):  # type: ignore[misc]
                self._read += len(data)
                self._take(data)
                if end - done >= AT_ONCE:
                    progress(end - done)
                    done = end
            progress(end - done)

    def summary(self) -> list[str]:
        """What was left out, and why."""
        more = [f"and {self._files_damaged - MOST_KINDS:,} more"] if self._files_damaged > MOST_KINDS else []
        return [*self.told, *more, *self._odd.told(), *self.pictures.told()]

    def _damaged(self, said: str) -> None:
        self._files_damaged += 1
        if len(self.told) < MOST_KINDS:
            self.told.append(said)

    def _take(self, data: bytes) -> None:
        try:
            check_weight(data, Event.DESCRIPTOR)
            event = Event.FromString(data)
        except (DecodeError, ValueError):
            self._odd.add("records are no events, or have more parts than any; they are left out")
            return
        if event.session_log.status == SESSION_START:
            self._purge(event.step)
        time = event.wall_time if 0 <= event.wall_time < LATEST else 0.0
        for value in event.summary.value:
            try:
                self._take_value(value, event.step, time)
            except (ValueError, OverflowError, DecodeError) as error:
                self._odd.add(f"values could not be read ({str(error)[:80]})")

    def _purge(self, step: int) -> None:
        # What an interrupted process wrote after the checkpoint that the next one begins with.
        self._restarts += 1
        if self._restarts > MOST_RESTARTS:
            self._odd.add(f"restarts beyond the first {MOST_RESTARTS:,} make nothing void")
            return
        self.spool.purge(step)
        self.pictures.purge(step)
        self.events = [each for each in self.events if each.step < step]

    def _take_value(self, value: Any, step: int, time: float) -> None:
        tag = value.tag
        if len(tag) > LONGEST_TAG:
            self._odd.add(f"values have tags longer than {LONGEST_TAG:,} bytes; they are left out")
            return
        if self.own and tag.startswith(_SHOWN):
            return
        plugin = self._plugin(value, tag)
        found = read_value(value, plugin)
        if found is None:
            self._odd.add(f"values of {plugin[:40] or 'no'} plugin are of a kind that is not imported")
            return
        if isinstance(found, Settings):
            self._keep_settings(found)
            return
        if not 0 <= step < LAST_STEP:
            self._odd.add("values have negative steps; they are left out")
            return
        if time < self.first_time:
            self.first_time = time
        if time > self.last_time:
            self.last_time = time
        name = tag.decode(errors="replace")
        if isinstance(found, float):  # nearly all are
            self._add(name, step, time, found)
        else:
            self._keep(name, step, time, found)

    def _plugin(self, value: Any, tag: bytes) -> str:
        # Only the first value of a tag need say it.
        if value.HasField("metadata") and len(self._plugins) < MOST_TAGS:
            self._plugins.setdefault(tag, value.metadata.plugin_data.plugin_name.decode(errors="replace"))
        return self._plugins.get(tag, "")

    def _keep(self, tag: str, step: int, time: float, found: Value) -> None:
        if isinstance(found, Text):
            self._keep_text(tag, step, time, found)
        elif isinstance(found, Pictures):
            self.pictures.take(self.stage, step, tag, found.encoded)
        elif isinstance(found, Distribution):
            for figure, number in zip(FIGURES, found.figures.tolist(), strict=True):
                self._add(f"{tag}.{figure}", step, time, number)
        elif not isinstance(found, Settings):
            self._add(tag, step, time, found)

    def _add(self, tag: str, step: int, time: float, value: Any) -> None:
        if tag not in self.spool and len(self.spool) >= MOST_TAGS:
            self._odd.add(f"values are of other tags than the first {MOST_TAGS:,}; they are left out")
        elif not isinstance(value, float) and not self._has_room(value.nbytes):
            self._odd.add("tensors are far larger than what their file holds; they are left out")
        elif not self.spool.add(tag, step, time, value):
            self._odd.add(f"values of {tag[:60]!r} have another shape than its first; they are left out")

    def _has_room(self, size: int) -> bool:
        has = self._unfolded + size <= MOST_UNFOLDED * self._read + UNFOLDED_ANYWAY
        self._unfolded += size if has else 0
        return has

    def _keep_settings(self, found: Settings) -> None:
        for key, value in found.values.items():
            if key in self.settings or len(self.settings) < MOST_SETTINGS:
                self.settings[key] = value
            else:
                self._odd.add(f"hyperparameters beyond the first {MOST_SETTINGS:,} are left out")

    def _keep_text(self, tag: str, step: int, time: float, found: Text) -> None:
        if tag == own.RUN:
            self.own = own.read_run(found)
            return
        if len(self.events) >= MOST_EVENTS:
            self._odd.add(f"texts beyond the first {MOST_EVENTS:,}")
            return
        event = own.read_event(found, step, time, self.stage) if tag == own.EVENTS else None
        if event is None:
            event = RunEvent(step, time, self.stage, "note", text=f"{tag}: {' '.join(found.texts)}"[: own.LONGEST_TEXT])
        self.events.append(event)
