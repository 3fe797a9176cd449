"""One latent, or several together, in a row of words: state and values, now or under the crosshair."""

from collections.abc import Iterator

import numpy as np

from vaemon.batch import Array
from vaemon.latents import LatentState
from vaemon.view.moment import Moment, moment
from vaemon.view.state import RunView, values
from vaemon.view.words import STATE_WORDS, number
from vaemon.watch.render.cells import BLANK, Row, join, said
from vaemon.watch.render.glyphs import STATE
from vaemon.watch.widgets.picture import Picture

WORDY = 90
"""From this width on, the states of several latents are told by word."""


def latent_row(picture: Picture, latent: int, width: int) -> Row:
    """The latent of that index, or nothing where there is none; what does not fit is left out from the right."""
    view = picture.view
    if not 0 <= latent < view.latents:
        return BLANK
    then = moment(view, picture.columns, picture.look.at)
    state = LatentState(int(then.states[latent]))
    facts = _then(then, latent) if then.step is not None else _now(view, latent)
    who = (said(f" z{latent} ", bold=True), said(f"{STATE[state]} {STATE_WORDS[state]}", STATE_WORDS[state]))
    return join([who, *((said(fact, "muted"),) for fact in facts)], said("  "), width)


def strip_row(picture: Picture, name: str, latents: Array, width: int) -> Row:
    """Several latents of a name of their own: how many there are of each state, mean and range of E[σ²]."""
    then = moment(picture.view, picture.columns, picture.look.at)
    parts: list[Row] = [(said(f" {name}", bold=True),)]
    for state in sorted(LatentState, reverse=True):
        count = f"{int(np.count_nonzero(then.states[latents] == state))}"
        word = STATE_WORDS[state]
        parts.append((said(f"{STATE[state]} {count} {word}" if width >= WORDY else f"{STATE[state]}{count}", word),))
    variance = then.variance[latents]
    low, high = (float(bound(variance)) for bound in (np.fmin.reduce, np.fmax.reduce))
    parts.append((said(f"mean {number(float(variance.mean()))}", "muted"),))
    parts.append((said(f"min {number(low)}", "muted"),))
    parts.append((said(f"max {number(high)}", "muted"),))
    return join(parts, said("  " if width >= WORDY else " "), width)


def _now(view: RunView, latent: int) -> Iterator[str]:
    variance, kl = values(view)
    yield f"E[σ²] {number(float(variance[latent]))}"
    if view.woke[latent] >= 0:
        yield f"woke at step {view.woke[latent]:,}"
    elif LatentState(int(view.states[latent])) is not LatentState.ACTIVE:  # an active one is about to wake for good
        yield "asleep"
    if np.isfinite(kl[latent]):
        yield f"KL {number(float(kl[latent]))} nats"


def _then(then: Moment, latent: int) -> Iterator[str]:
    yield f"at step {then.step:,}"
    yield f"E[σ²] {number(float(then.variance[latent]))}"
    if np.isfinite(then.kl[latent]):
        yield f"KL {number(float(then.kl[latent]))} nats"
