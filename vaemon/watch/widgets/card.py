"""What is known of one latent, in words."""

from collections.abc import Iterator, Sequence

import numpy as np

from vaemon.batch import Array
from vaemon.latents import LatentState
from vaemon.view.chronicle import chronicle
from vaemon.view.state import values
from vaemon.view.words import STATE_WORDS, number
from vaemon.watch.render.cells import BLANK, Row, said
from vaemon.watch.render.glyphs import STATE
from vaemon.watch.widgets.gestures import ChosenLatent
from vaemon.watch.widgets.lines import Panel
from vaemon.watch.widgets.marks import OTHER, SIGNS
from vaemon.watch.widgets.picture import Picture


class LatentCard(Panel):
    """State, rank, values and events of the chosen latent."""

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """As many facts as fit; the events last."""
        latent = picture.chosen
        if not 0 <= latent < picture.view.latents:
            return [(said(" no latent", "muted"),)]
        return [*_facts(picture, latent), BLANK, *_events(picture, latent)][:height]

    def move(self, by: int) -> None:
        """Ask for the latent `by` places further down the list."""
        if (latent := self.picture.further(by)) >= 0:
            self.post_message(ChosenLatent(latent))


def _facts(picture: Picture, latent: int) -> Iterator[Row]:
    view = picture.view
    state = LatentState(int(view.states[latent]))
    word = STATE_WORDS[state]
    pinned = (said("  ◆ pinned", "reference"),) if latent in picture.look.pins else ()
    yield (said(f" z{latent} ", bold=True), said(f"{STATE[state]} {word}", word, bold=True), *pinned)
    yield BLANK
    variance, kl = values(view)
    yield _fact("E[σ²]", number(float(variance[latent])), _rank(variance, latent))
    if np.isfinite(kl[latent]):
        yield _fact("KL", f"{number(float(kl[latent]))} nats", _rank(-kl, latent))
    smoothed = view.latest.smoothed if view.latest is not None else {}
    if "mean_mu" in smoothed and "mu_squared" in smoothed:
        mean, square = float(smoothed["mean_mu"][latent]), float(smoothed["mu_squared"][latent])
        yield _fact("E[μ]", number(mean), "prior: 0")
        yield _fact("E[μ²]", number(square), "")
        yield _fact("law", number(square + float(variance[latent])), "E[μ²] + E[σ²], prior: 1")
    woke = int(view.woke[latent])
    yield _fact("woke", f"step {woke:,}" if woke >= 0 else "asleep", _wake_rank(view.woke, latent))


def _fact(name: str, value: str, remark: str) -> Row:
    return (said(f" {name:<6} ", "muted"), said(f"{value:<12}", bold=True), said(f" {remark}", "muted"))


def _rank(values: Array, latent: int) -> str:
    if not np.isfinite(values[latent]):
        return ""
    return f"rank {int((values < values[latent]).sum()) + 1} of {len(values)}"


def _wake_rank(woke: Array, latent: int) -> str:
    if woke[latent] < 0:
        return f"{int((woke >= 0).sum())} of {len(woke)} are awake"
    return f"number {int(((woke >= 0) & (woke < woke[latent])).sum()) + 1} of {int((woke >= 0).sum())}"


def _events(picture: Picture, latent: int) -> Iterator[Row]:
    stage = picture.view.stage
    own = [each for each in picture.view.events if each.latent == latent and each.stage == stage]
    yield (said(" its events", bold=True), said(f"  {len(own)}" if own else "  none yet", "muted"))
    for line in chronicle(own):
        sign, colour = SIGNS.get(line.kind, OTHER)
        yield (said(f" {line.step:>9,}  ", "muted"), said(f"{sign} ", colour), said(line.text))
