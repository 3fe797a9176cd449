"""When a run's checkpoints are written, and what becomes of those that cannot be.

The best of a stage is that of the least test mse: the loss is measured in units of a γ that changes as it trains.
"""

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trainer import checkpoint, ranks
from trainer.config import Config
from trainer.stages import Stage
from trainer.unrecorded import Unrecorded
from vaemon import Recorder
from vaemon.errors import RunFileError


class Saver:
    """Writes the checkpoints of one run. A file system that refuses is told of, and asked again at the next one."""

    def __init__(
        self,
        folder: Path,
        config: Config,
        shape: tuple[int, ...],
        recorder: Recorder | Unrecorded,
        say: Callable[[str], None],
    ) -> None:
        """Save a run.

        Args:
            folder: of the run.
            config: of the run.
            shape: of an image, (H, W, C).
            recorder: is told of each checkpoint.
            say: takes sentences for people.
        """
        self._folder = folder
        self._config = config
        self._shape = shape
        self._recorder = recorder
        self._say = say
        self._owed: dict[int, dict[str, Any]] = {}  # states that are not written, by stage
        self._owed_best: dict[int, dict[str, Any]] = {}  # the same of the best, where a later state is owed, too
        self._void: set[int] = set()  # stages whose checkpoints go with the next of stage 1
        self._refusal = ""

    def __call__(self, stage: Stage) -> None:
        """Write a stage as it stands, and what is owed of the stage before; a failure is told, and not raised."""
        if not ranks.is_first():
            return
        self._owed[stage.number] = stage.state_dict()
        try:
            self._pay()
        except RunFileError as error:
            if 0 < stage.best_step == stage.step:
                self._owed_best[stage.number] = copy.deepcopy(self._owed[stage.number])
            if not self._refusal:
                # A full disk may be emptied; hours of training are worth the wait. Told once, not every minute.
                self._recorder.event("error", str(error), step=stage.step)
                self._say(f"{error}; training goes on")
            self._refusal = str(error)

    def judge(self, stage: Stage, figures: Mapping[str, float]) -> None:
        """Keep a stage as its best, too, where an evaluation of it says that it is."""
        if not figures.get("mse", stage.best) < stage.best:  # nor where it is NaN
            return
        stage.best, stage.best_step = figures["mse"], stage.step
        self(stage)

    def mend(self, stage: Stage) -> None:
        """Make the best what the newest checkpoint says it is, where a kill came between the two."""
        if ranks.is_first() and 0 < stage.best_step == stage.step:
            checkpoint.keep_best(self._folder, stage.number)

    def tidy(self) -> None:
        """Remove what a process that was killed left half written."""
        if ranks.is_first():
            checkpoint.tidy(self._folder)

    def drop_with_next(self, number: int) -> None:
        """Remove the checkpoints of a stage that is to begin anew, when the next of stage 1 is written."""
        self._void.add(number)

    def settle(self) -> None:
        """Write what is still owed, now that training is over.

        Raises:
            RunFileError: it still cannot be written.
        """
        self._pay()

    def _pay(self) -> None:
        for number, state in sorted(self._owed.items()):
            best = self._owed_best.get(number)
            for each in (state,) if best is None or best["best_step"] == state["step"] else (best, state):
                checkpoint.save(self._folder, number, each, self._config, self._shape)
                if 0 < each["best_step"] == each["step"]:
                    checkpoint.keep_best(self._folder, number)
            del self._owed[number]
            self._owed_best.pop(number, None)
            while self._void:
                checkpoint.drop(self._folder, self._void.pop())
            self._recorder.event("checkpoint", f"stage {number}", step=state["step"])
        if self._refusal:
            self._refusal = ""
            self._recorder.event("recovered", "checkpoints are written again")
            self._say("checkpoints are written again")
