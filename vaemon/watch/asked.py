"""What a person wants to see of a run, and how the answers to it are put together as the run grows."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from vaemon.batch import Columns, Excerpt, Want
from vaemon.decimate import width_for
from vaemon.errors import SourceLost
from vaemon.view.fold import join
from vaemon.view.state import CHART_CHANNELS, LATENT_CHANNELS, WALL_CHANNELS, Portrait, RunView

COLUMNS = Want(()).columns
GLANCE = Want((), columns=0)
"""The question for the newest stage, when another is shown."""
OWN_SCALARS = 24
"""So many scalars of a training's own are drawn, at most."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a source, as far as a person puts it."""

    stage: int | None = None
    """None: the newest."""
    window: tuple[int, int] | None = None
    """First row and the one after the last that are to be seen closely; None: the whole stage is seen."""
    latent: int | None = None
    """One latent that is to be seen closely."""
    end: int | None = None
    """As if the stage had only so many rows."""
    images: bool = False
    """Whether the sets of images are to be listed."""

    @property
    def want(self) -> Want:
        """The question for the whole of the stage."""
        channels = (*WALL_CHANNELS, *CHART_CHANNELS)
        return Want(channels, stage=self.stage, end=self.end, scalars=OWN_SCALARS, coarse=True)


def look_closer(view: RunView, asked: Asked, ask: Callable[[Excerpt], Columns]) -> RunView:
    """The view with what was asked to be seen closely, of which only what is new is asked for."""
    if not view.rows:
        return view
    first, last = asked.window or (0, view.rows)
    width = width_for(max(last - first, 1), COLUMNS)
    # Never beyond the last whole column: of a replay the source has rows that have not been yet.
    end = max(min(last, view.rows) // width * width, first)
    channels = (*WALL_CHANNELS, *CHART_CHANNELS)
    stage = view.info.stage(view.stage) if view.info is not None else None
    ask = _checking(ask, stage.latents if stage is not None else view.latents)
    wide = Excerpt(view.stage, first, end, channels, width=width, scalars=OWN_SCALARS, coarse=True)
    near = _grown(view.near, wide, ask) if asked.window is not None else None
    portrait = None
    if asked.latent is not None and asked.latent < view.latents:
        held = view.portrait if view.portrait is not None and view.portrait.latent == asked.latent else None
        one = replace(wide, channels=LATENT_CHANNELS, latent=asked.latent, scalars=0)
        columns = _grown(held.columns if held else None, one, ask)
        portrait = held if held and columns is held.columns else Portrait(asked.latent, columns)
    if near is view.near and portrait is view.portrait:
        return view
    return replace(view, near=near, portrait=portrait)


def _checking(ask: Callable[[Excerpt], Columns], latents: int) -> Callable[[Excerpt], Columns]:
    """Asks, and takes only what has so many latents: what comes over a wire may be of anything."""

    def asking(asked: Excerpt) -> Columns:
        columns = ask(asked)
        most = 2 if asked.latent is None else 1
        if any(each.ndim > most or each.shape[1:] not in ((), (latents,)) for each in columns.mean.values()):
            raise SourceLost("an answer has another number of latents than its stage")
        return columns

    return asking


def _grown(held: Columns | None, asked: Excerpt, ask: Callable[[Excerpt], Columns]) -> Columns:
    """What is held of a range, with what has come since; asked anew where another range is held."""
    begin = asked.first // asked.width * asked.width
    if held is None or not len(held) or held.first * held.width != begin or held.width > asked.width:
        return ask(asked)
    if held.rows > asked.last:  # a replay was wound back
        return held.cut(begin, asked.last // held.width * held.width)
    if asked.last // asked.width * asked.width <= held.rows:
        return held
    return join(held, ask(replace(asked, first=held.rows // asked.width * asked.width)))
