"""Reading a run as it grows: each question costs what is new since the one before."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vaemon.errors import UnknownName
from vaemon.runfile.patience import patiently
from vaemon.runfile.series import Given, StageRows

if TYPE_CHECKING:
    from vaemon.runfile.read import RunReader

Array = npt.NDArray[Any]


class Follower:
    """New rows of some channels, question after question.

    Example:
        with open_run("run42") as run:
            follower = run.follow("gamma", "mean_variance")
            while not run.info().state.over:
                new = follower.read()                # {"step": (n,), "gamma": (n,), "mean_variance": (n, k)}
                time.sleep(1)
    """

    def __init__(self, run: "RunReader", channels: tuple[str, ...], stage: int | None) -> None:
        self._run = run
        self._channels = tuple(dict.fromkeys(("step", *channels)))
        self._asked = stage
        self._given: dict[int, Given] = {}  # by stage
        self.stage = 0
        """The stage that the newest answer is of; 0 before any."""
        self.rewound_to: int | None = None
        """Set where the newest answer replaces rows given before: those of the stage after this step are void."""

    def read(self) -> dict[str, Array]:
        """The rows of one stage since the last call; their arrays are empty where there are none.

        Once a further stage has begun, what is left of the one before comes first; the next call goes on.

        Raises:
            UnknownName: no stage has such a channel in its rows.
            RunFileError: a file cannot be read now.
        """
        return patiently(self._read)

    def _read(self) -> dict[str, Array]:
        self._run.refresh()
        self.rewound_to = None
        newest = self._run.stage(self._asked)
        if newest is None:
            return {}
        before = self._run.stage(self.stage)
        rows, start, rewound_to = self._unread(newest if before is None else before)
        if start == len(rows) and rewound_to is None and rows is not newest:
            rows, start, rewound_to = self._unread(newest)
        found = self._columns(rows, start)
        self.stage, self.rewound_to = rows.info.number, rewound_to
        self._remember(rows, found)
        return {name: found[name] for name in self._channels}

    def _remember(self, rows: StageRows, found: dict[str, Array]) -> None:
        given = self._given.get(self.stage, Given())
        if len(found["step"]):
            given = Given(len(rows), int(found["step"][-1]), float(found["time"][-1]))
        elif self.rewound_to is not None:
            given = rows.given(len(rows), 0)
        self._given[self.stage] = given._replace(segments=self._run.segments[-1].number + 1)

    def _unread(self, rows: StageRows) -> tuple[StageRows, int, int | None]:
        start, rewound_to = rows.standing(self._given.get(rows.info.number, Given()))
        return rows, start, rewound_to

    def _columns(self, rows: StageRows, start: int) -> dict[str, Array]:
        """The channels and the time from row `start` on; NaN where only another stage has one."""
        lacking = [name for name in self._channels if name not in rows.channels]
        shapes = {name: self._shape(name, rows) for name in lacking}
        names = dict.fromkeys((*self._channels, "time"))
        found = rows.read(start, len(rows), [name for name in names if name not in lacking])
        for name, shape in shapes.items():
            found[name] = np.full((len(rows) - start, *shape), np.nan)
        return found

    def _shape(self, name: str, rows: StageRows) -> tuple[int, ...]:
        """A row's shape in a channel of another stage. Raises UnknownName."""
        stages = [self._run.stage(info.number) for info in self._run.stages]
        for segment in [segment for stage in stages if stage for segment in stage.segments]:
            if name in segment.layout.vectors:
                return (rows.info.latents,)
            if name in segment.layout.scalars:
                return ()
        late = any(name in self._run.channels(info.number) for info in self._run.stages)
        hint = f"{name!r} is not in the rows, for it came up late or seldom: series({name!r}) gives it" if late else ""
        raise UnknownName("channel", name, rows.channels, hint)
