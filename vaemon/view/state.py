"""What a screen shows of one run, as one value. NumPy and dataclasses only."""

from dataclasses import dataclass, field, replace

import numpy as np

from vaemon.batch import Array, Columns, Cursor, Event, ImageSet, Latest, RunInfo
from vaemon.latents import Failure
from vaemon.thresholds import DEFAULT, Thresholds

WALL_CHANNELS = ("mean_variance", "latent_kl")
CHART_CHANNELS = ("gamma", "mse", "kl", "variance_law", "loss", "lr")
LATENT_CHANNELS = ("mean_variance", "latent_kl", "mean_mu", "mu_squared")


@dataclass(frozen=True, eq=False, slots=True)
class Portrait:
    """One latent seen closely."""

    latent: int
    columns: Columns
    """`LATENT_CHANNELS` as scalars, with low and high, over the rows in sight."""


@dataclass(frozen=True, eq=False, slots=True)
class RunView:
    """A run as far as it has been read. A new one is made by `fold`; none is ever changed."""

    info: RunInfo | None = None
    """None until a source has answered."""
    cursor: Cursor = field(default_factory=Cursor)
    stage: int = 0
    """The stage shown; 0 before any row."""
    rows: int = 0
    columns: Columns = field(default_factory=Columns)
    """Every finished column of the stage, `columns.first == 0`."""
    latest: Latest | None = None
    events: tuple[Event, ...] = ()
    """Of all stages, in the order they were recorded."""
    rate: float = 0.0
    """Steps a second."""
    pause: float = 0.0
    """The longest time between two rows of late, seconds; 0 where it cannot be told."""
    states: Array = field(default_factory=lambda: np.zeros(0, np.int8))
    """`LatentState` of each latent, (k,)."""
    woke: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    """Step at which each latent that is awake last woke, -1 for the sleepers, (k,)."""
    inactive: int = 0
    """The paper's count: latents with smoothed E[σ²] >= 0.8."""
    units: Array = field(default_factory=lambda: np.zeros(0, bool))
    """Which latents are Burda's active units, (k,); empty where E[μ] or E[μ²] is not recorded."""
    failure: Failure = Failure.NONE
    """How the latents of the stage fail as a whole, by the newest event that tells."""
    alarm: str = ""
    """The failure in words, with its present counts; empty while there is none."""
    lost: str = ""
    """Why the source does not answer; empty while it does. What is shown is then the last good state."""
    heard: float = 0.0
    """When the newest row came, by the reader's clock (`fold.heard`); 0 before any."""
    loading: bool = False
    """Whether older rows are still being read."""
    near: Columns | None = None
    """The rows of the stage that were asked to be seen closely."""
    portrait: Portrait | None = None
    """The latent that was asked for."""
    ahead: "RunView | None" = None
    """The newest stage, without columns, while an older one is shown."""
    images: tuple[ImageSet, ...] = ()
    """The sets of images that there are, once they were asked for."""

    @property
    def thresholds(self) -> Thresholds:
        """Those by which the latents are judged."""
        return self.info.thresholds if self.info is not None else DEFAULT

    @property
    def latents(self) -> int:
        """How many latents the stage has."""
        return len(self.states)

    @property
    def active_units(self) -> int | None:
        """Burda's count: latents with Var[μ] > 0.01, of the smoothed moments; None where they are not recorded."""
        return int(np.count_nonzero(self.units)) if len(self.units) else None


def values(view: RunView) -> tuple[Array, Array]:
    """Smoothed E[σ²] and KL of each latent, each of shape (k,), NaN where unknown."""
    unknown = np.full(view.latents, np.nan)
    known = view.latest.smoothed if view.latest is not None and view.latents else {}
    return known.get("mean_variance", unknown), known.get("latent_kl", unknown)


def looked_into(held: RunView, newer: RunView) -> RunView:
    """A view that stands still, with what a newer one of the same rows has of it closely."""
    if (held.stage, held.cursor.segments) != (newer.stage, newer.cursor.segments):
        return held
    portrait = newer.portrait
    if portrait is not None:
        portrait = replace(portrait, columns=_until(portrait.columns, held.rows))
    near = _until(newer.near, held.rows) if newer.near is not None else None
    step = held.latest.step if held.latest is not None else 0
    images = tuple(each for each in newer.images if (each.stage, each.step) <= (held.stage, step))
    return replace(held, near=near, portrait=portrait, images=images)


def _until(columns: Columns, rows: int) -> Columns:
    return columns.cut(columns.first * columns.width, rows // columns.width * columns.width)
