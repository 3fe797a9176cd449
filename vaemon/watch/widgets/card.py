"""What is known of one latent, in words."""

from collections.abc import Iterator, Sequence

import numpy as np

from vaemon.batch import Array
from vaemon.latents import LatentState
from vaemon.view.chronicle import chronicle
from vaemon.view.state import values
from vaemon.view.words import STATE_WORDS, number
from vaemon.watch.render.cells import BLANK, Row, join, length, said
from vaemon.watch.render.glyphs import STATE
from vaemon.watch.widgets.gestures import ChosenLatent
from vaemon.watch.widgets.lines import Panel
from vaemon.watch.widgets.marks import OTHER, SIGNS
from vaemon.watch.widgets.picture import Picture

STRIP = 4
"""Up to so many rows, the card is a strip below the charts."""
_GAP = said("   ")


class LatentCard(Panel):
    """State, rank, values and events of the chosen latent."""

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """As many facts as fit; the events last."""
        latent = picture.chosen
        if not 0 <= latent < picture.view.latents:
            return [(said(" no latent", "muted"),)]
        who, facts = _who(picture, latent), list(_facts(picture, latent))
        events = _events(picture, latent, 9 if height > STRIP else 0)
        if height > STRIP:
            return [who, BLANK, *(_listed(*fact) for fact in facts), BLANK, *events][:height]
        told = [_told(*fact) for fact in facts]
        first = join([who, *told], _GAP, width)
        rest = told[_taken(who, told, width) :]
        second = join([(said(" "), *rest[0]), *rest[1:]], _GAP, width) if rest else BLANK
        return [first, second, join(list(events), _GAP, width)][:height]

    def move(self, by: int) -> None:
        """Ask for the latent `by` places further down the list."""
        if (latent := self.picture.further(by)) >= 0:
            self.post_message(ChosenLatent(latent))


def _who(picture: Picture, latent: int) -> Row:
    state = LatentState(int(picture.view.states[latent]))
    word = STATE_WORDS[state]
    pinned = (said("  ◆ pinned", "good"),) if latent in picture.look.pins else ()
    return (said(f" z{latent} ", bold=True), said(f"{STATE[state]} {word}", word, bold=True), *pinned)


def _facts(picture: Picture, latent: int) -> Iterator[tuple[str, str, str]]:
    """Name, value and remark of each."""
    view = picture.view
    variance, kl = values(view)
    yield "E[σ²]", number(float(variance[latent])), _rank(variance, latent)
    if np.isfinite(kl[latent]):
        yield "KL", f"{number(float(kl[latent]))} nats", _rank(-kl, latent)
    smoothed = view.latest.smoothed if view.latest is not None else {}
    if "mean_mu" in smoothed and "mu_squared" in smoothed:
        mean, square = float(smoothed["mean_mu"][latent]), float(smoothed["mu_squared"][latent])
        yield "E[μ]", number(mean), "prior: 0"
        yield "E[μ²]", number(square), ""
        yield "law", number(square + float(variance[latent])), "prior: 1"
    woke = int(view.woke[latent])
    yield "woke", f"step {woke:,}" if woke >= 0 else "not yet", _wake_rank(view.woke, latent)


def _listed(name: str, value: str, remark: str) -> Row:
    return (said(f" {name:<6} ", "muted"), said(f"{value:<12}", bold=True), said(f" {remark}", "muted"))


def _told(name: str, value: str, remark: str) -> Row:
    return (said(f"{name} ", "muted"), said(value, bold=True), *((said(f" {remark}", "muted"),) if remark else ()))


def _taken(who: Row, told: Sequence[Row], width: int) -> int:
    """How many of the facts stand beside the name in one row."""
    return next((n for n in range(len(told), 0, -1) if length(join([who, *told[:n]], _GAP, 10**6)) <= width), 0)


def _rank(values: Array, latent: int) -> str:
    if not np.isfinite(values[latent]):
        return ""
    return f"rank {int((values < values[latent]).sum()) + 1} of {len(values)}"


def _wake_rank(woke: Array, latent: int) -> str:
    if woke[latent] < 0:
        return f"{int((woke >= 0).sum())} of {len(woke)} are awake"
    return f"number {int(((woke >= 0) & (woke < woke[latent])).sum()) + 1} of {int((woke >= 0).sum())}"


def _events(picture: Picture, latent: int, digits: int) -> Iterator[Row]:
    stage = picture.view.stage
    own = [each for each in picture.view.events if each.latent == latent and each.stage == stage]
    yield (said(" its events", bold=True), said(f"  {len(own)}" if own else "  none yet", "muted"))
    for line in chronicle(own):
        sign, colour = SIGNS.get(line.kind, OTHER)
        yield (said(f" {line.step:>{digits},}  ", "muted"), said(f"{sign} ", colour), said(line.text))
