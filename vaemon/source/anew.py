"""What is found in the rows of a run by other thresholds than those it was recorded with."""

import time
from dataclasses import dataclass, field

from vaemon.batch import Event
from vaemon.findings import CHANNELS, FOUND, Findings, rows_to_recall
from vaemon.runfile.read import RunReader
from vaemon.runfile.series import Given, StageRows
from vaemon.thresholds import Thresholds


@dataclass
class _Progress:
    """How far a stage has been looked through."""

    findings: Findings
    given: Given
    found: list[Event] = field(default_factory=list)


class Anew:
    """Looks through the rows of a run, from the first on and then as they come; used by one reader of it."""

    def __init__(self, at: Thresholds) -> None:
        self.at = at
        self._stages: dict[int, _Progress] = {}

    def events(self, run: RunReader, deadline: float) -> tuple[list[Event], bool]:
        """Every event of the run, those found in rows found by these thresholds; and whether there are rows to look at.

        Args:
            run: always the same one.
            deadline: when to stop, by `time.monotonic`; at least one block of rows is looked at.
        """
        more = False
        for info in run.stages:
            rows = run.stage(info.number)
            if rows is not None and info.latents and "mean_variance" in rows.channels:
                more = more or self._look(rows, deadline)
        told = [event for event in run.events() if event.kind not in FOUND]
        found = [event for progress in self._stages.values() for event in progress.found]
        # Damage belongs to no stage and is told last.
        return sorted(told + found, key=lambda event: (event.stage or 2**31, event.step)), more

    def _look(self, rows: StageRows, deadline: float) -> bool:
        progress = self._standing(rows)
        count = len(rows)
        for first, last in rows.blocks(progress.given.rows, count):
            progress.found += progress.findings.update(rows.read(first, last, CHANNELS))
            progress.given = rows.given(last, rows.segments[-1].number + 1)
            if time.monotonic() > deadline:
                return last < count
        return False

    def _standing(self, rows: StageRows) -> _Progress:
        """What has been looked through and still stands: a run that goes on may replace rows."""
        number, latents = rows.info.number, rows.info.latents
        progress = self._stages.get(number)
        if progress is None or progress.findings.latents != latents:
            progress = self._stages[number] = _Progress(Findings(number, latents, self.at), Given(0, 0, 0.0, 0))
        kept, void_after = rows.standing(progress.given)
        segments = rows.segments[-1].number + 1
        if kept == progress.given.rows:
            progress.given = progress.given._replace(segments=segments)
            return progress
        step = int(rows.read(kept, kept + 1, ("step",))["step"][0]) if kept < len(rows) else (void_after or 0) + 1
        found = [event for event in progress.found if event.step < step]
        findings = Findings(number, latents, self.at, kept)
        if kept:
            findings.recall(found, step, rows.read(max(kept - rows_to_recall(self.at, kept), 0), kept, CHANNELS))
        progress = self._stages[number] = _Progress(findings, rows.given(kept, segments), found)
        return progress
