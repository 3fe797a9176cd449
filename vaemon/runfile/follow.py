"""Reading a run as it grows: each question costs what is new since the one before."""

from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from vaemon.errors import UnknownName

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
        self._rows = 0
        self._written = 0  # segments, as far as they have been seen
        self.stage = 0
        """The stage that the newest answer is of; 0 before any."""
        self.rewound_to: int | None = None
        """Set where the newest answer replaces rows given before: those of the stage after this step are void."""

    def read(self) -> dict[str, Array]:
        """The rows since the last call; their arrays are empty where there are none.

        Raises:
            UnknownName: the stage has no such channel.
            RunFileError: a file cannot be read now.
        """
        self._run.refresh()
        self.rewound_to = None
        rows = self._run.stage(self._asked)
        if rows is None:
            return {}
        unknown = [name for name in self._channels if name not in rows.channels]
        if unknown:
            raise UnknownName("channel", unknown[0], rows.channels)
        if rows.info.number != self.stage:
            self.stage, self._rows = rows.info.number, 0
        newer = {segment for segment in rows.segments if segment.number >= self._written}
        start = min(self._rows, rows.kept(newer))
        if start < self._rows:
            self.rewound_to = min(segment.layout.first_step for segment in newer) - 1
        self._rows, self._written = len(rows), self._run.segments[-1].number + 1
        return rows.read(start, self._rows, self._channels)
