"""How a person looked at each run last, kept between two sessions in one small file."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeGuard

from vaemon.view.order import Order
from vaemon.watch.render.axis import TimeAxis
from vaemon.watch.render.smooth import WEIGHTS
from vaemon.watch.widgets.picture import Look

MOST = 200
"""Runs that are remembered."""
DIGITS = 10
"""No stage has a number of so many."""


class Memory:
    """A file that may be missing, unreadable or not writable: then nothing is remembered."""

    def __init__(self, path: Path) -> None:
        """Remember in `path`."""
        self._path = path
        self._known = self._read()

    @classmethod
    def of_user(cls) -> "Memory":
        """The file of this user: $XDG_STATE_HOME/vaemon/views.json, else ~/.local/state/vaemon/views.json."""
        state = os.environ.get("XDG_STATE_HOME", "")
        home = os.path.expanduser("~")
        # A user without a home has no file, and is not remembered.
        folder = Path(state) if os.path.isabs(state) else Path(os.devnull if home == "~" else home) / ".local" / "state"
        return cls(folder / "vaemon" / "views.json")

    def recall(self, run: str) -> Mapping[str, Any]:
        """What is known of a run, by its address; empty where nothing is."""
        found = self._known.get(_whole(run))
        return found if isinstance(found, dict) else {}

    def remember(self, run: str, told: Mapping[str, Any]) -> None:
        """Keep what is told of a run, and forget the one that was looked at longest ago."""
        run = _whole(run)
        # Another dashboard may have written since.
        self._known = {key: each for key, each in self._read().items() if key != run} | {run: dict(told)}
        self._known = dict(list(self._known.items())[-MOST:])
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
            try:
                draft.write_text(json.dumps(self._known, indent=1), encoding="utf-8")
                draft.replace(self._path)
            finally:
                draft.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any]:
        with suppress(OSError, ValueError, RecursionError):
            found = json.loads(self._path.read_text(encoding="utf-8"))
            if isinstance(found, dict):
                return found
        return {}


def _whole(run: str) -> str:
    """An address that means the same run wherever one stands: a path as a whole one, host:path as it is."""
    return run if ":" in run.split("/", 1)[0] else os.path.abspath(run)


def look_to_dict(look: Look, view: int) -> dict[str, Any]:
    """What is worth remembering of how a run is looked at."""
    return {
        "view": view,
        "order": str(look.order),
        "axis": str(look.axis),
        "log_time": look.log_time,
        "log": look.log,
        "weight": look.weight,
        "folded": look.folded,
        "pinned": {str(stage): sorted(pins) for stage, pins in look.pinned.items() if pins},
        "stage": look.stage,
        "latent": look.latent,
    }


def dict_to_look(told: Mapping[str, Any]) -> Look:
    """The look that was remembered; what is missing or of the wrong kind is as at first."""
    pinned, stage, latent = told.get("pinned"), told.get("stage"), told.get("latent")
    return Look(
        order=next((each for each in Order if each == told.get("order")), Look().order),
        axis=next((each for each in TimeAxis if each == told.get("axis")), Look().axis),
        log_time=told.get("log_time") is True,
        log=told.get("log") is True,
        weight=next((each for each in WEIGHTS if each == told.get("weight")), Look().weight),
        folded=told.get("folded") is True,
        stage=stage if _is_count(stage) else 0,
        pinned={
            int(number): frozenset(each for each in pins if _is_count(each))
            for number, pins in (pinned.items() if isinstance(pinned, dict) else ())
            if number.isdecimal() and len(number) < DIGITS and isinstance(pins, list)
        },
        latent=latent if _is_count(latent) else None,
    )


def _is_count(told: object) -> TypeGuard[int]:
    return type(told) is int and told >= 0
