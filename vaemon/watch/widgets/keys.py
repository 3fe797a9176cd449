"""The bottom row: the keys that work now, and what they are set to."""

from collections.abc import Sequence

from vaemon.watch.names import BALANCE, COMPARE, EVENTS, HOME, LATENT, RUNS, TRAJECTORIES, VIEW_NAMES
from vaemon.watch.render.axis import TimeAxis
from vaemon.watch.render.cells import Row, join, length, said, spread
from vaemon.watch.widgets.chart import PAGE, charted
from vaemon.watch.widgets.lines import Panel
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture, other_stage

OF_LATENTS = (HOME, TRAJECTORIES, LATENT)
OVER_TIME = (HOME, TRAJECTORIES, BALANCE, LATENT, COMPARE)
WORKS_IN = {
    "order": OF_LATENTS,
    "pin": OF_LATENTS,
    "fold": (HOME,),
    "axis": OVER_TIME,
    "log": OVER_TIME,
    "smooth": OVER_TIME,
    "zoom": OVER_TIME,
    "next": (HOME, BALANCE, LATENT, COMPARE),
    "into": (*OVER_TIME, EVENTS, RUNS),
    "filter": (*OF_LATENTS, EVENTS, RUNS),
}
"""The views in which a key does something; all others do so in each."""


class Keys(Panel):
    """Keys in strong, what they do or are set to after them; what does not fit is left out from the right."""

    def __init__(self, pen: Pen, keys: Sequence[tuple[str, str]]) -> None:
        """Draw with `pen`; the keys as they are written, each with the name of what it does."""
        super().__init__(pen)
        self._keys = keys

    def depends(self, picture: Picture) -> object:
        """The words, which change with what a person does."""
        return picture.number, tuple(_words(picture).values()), picture.notice

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """One row."""
        aside: Row = (said(f" {picture.notice} ", "accent", bold=True),) if picture.notice else ()
        words = _words(picture)
        parts = [
            (said(f" {key} ", "accent", bold=True), said(words.get(name, name), "muted"))
            for key, name in self._keys
            if words.get(name, name) and picture.number in WORKS_IN.get(name, VIEW_NAMES)
        ]
        return [spread(join(parts, said(" "), width - length(aside) - 1), aside, width)]


def _view_words(picture: Picture) -> str:
    name, more = VIEW_NAMES.get(picture.number, ""), len(charted(picture.columns)) - PAGE
    return f"{name}, {BALANCE}: {more} more" if picture.number == BALANCE and more > 0 else name


def _words(picture: Picture) -> dict[str, str]:
    """What the keys with a state say; an empty word leaves the key out."""
    look, other = picture.look, other_stage(picture.view)
    paused = picture.playing.held if picture.playing is not None else look.paused
    return {
        "pause": "go on" if paused else "pause",
        "view": _view_words(picture),
        "run": "next run" if picture.runs else "",
        "zoom": "closer",
        "pin": "unpin" if picture.chosen in look.pins else "pin",
        "fold": "unfold" if look.folded else "fold",
        "stage": f"stage {other}" if other is not None else "",
        "order": f"by {look.order}",
        "axis": ("log " if look.log_time else "")
        + {TimeAxis.STEP: "steps", TimeAxis.EPOCH: "epochs", TimeAxis.TIME: "time"}[look.axis],
        "log": "log" if look.log else "linear",
        "smooth": f"EMA {look.weight:g}" if look.weight else "raw",
        "next": "next panel",
    }
