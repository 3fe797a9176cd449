"""The top of the screen: who the run is and how it fares, its progress, the counts of its latents."""

from collections.abc import Sequence
from functools import partial

from vaemon.view.state import RunView
from vaemon.view.status import SIGNS, Kind
from vaemon.view.words import (
    STATE_WORDS,
    counts,
    duration,
    epochs,
    eta,
    inactive_words,
    number,
    rate,
    steps,
    undefined,
    units_count,
    units_words,
)
from vaemon.watch.render.cells import Row, Span, fit, join, length, said, spread
from vaemon.watch.render.glyphs import STATE
from vaemon.watch.widgets.lines import Panel
from vaemon.watch.widgets.picture import Picture

COLOURS = {
    Kind.OPENING: "muted",
    Kind.WAITING: "accent",
    Kind.RUNNING: "good",
    Kind.ALARM: "bad",
    Kind.UNRECORDED: "warn",
    Kind.STALLED: "warn",
    Kind.FINISHED: "accent",
    Kind.STOPPED: "warn",
    Kind.FAILED: "bad",
    Kind.CRASHED: "bad",
    Kind.LOST: "warn",
    Kind.REPLAY: "accent",
}
"""The colour of each state; never the only sign of it."""
NO_LATENTS = "no latents recorded: recorder.log(step, mean=…, variance=…) records them"
OF_POSTERIORS = "KL to N(0, I), variance law, states of latents"

_GAP = said("  ")


class Header(Panel):
    """Run, state, stage, epoch, step, rate, time left, age of the newest row."""

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """One row; what does not fit is left out from the right."""
        who = _who(self.pen.ellipsis(picture.name, max(width // 3, 8)), picture)
        aside = _aside(picture, "last row " if width >= 100 else "")
        room = width - length(who) - len(_GAP.text) - (length(aside) + 2 if aside else 0)
        facts = join([(said(fact),) for fact in _facts(picture)], _GAP, max(room, 0))
        if not facts and picture.status.live and not (picture.look.paused or picture.looks_back):
            # On a narrow screen the step says more than the age of the newest row.
            aside = ()
            facts = join([(said(fact),) for fact in _facts(picture)], _GAP, width - length(who) - len(_GAP.text))
        left = (*who, _GAP, *facts) if facts else who
        return [spread(left, aside, width)]


def _who(name: str, picture: Picture) -> Row:
    colour = COLOURS[picture.status.kind]
    state = said(f"{picture.status.sign} {picture.status.words}", colour, bold=True)
    return (said(f" {name}  " if name else " ", bold=True), state)


def _facts(picture: Picture) -> list[str]:
    view = picture.view
    if view.latest is None or view.info is None:
        return []
    stage = view.info.stage(view.stage)
    facts = [steps(stage, view.latest.step), epochs(stage, view.latest.epoch), f"stage {view.stage}"]
    if picture.status.live and view.ahead is None:
        left = eta(view.latest.step, stage.total_steps if stage else None, view.rate)
        return [*facts, *([f"{left} left"] if left else []), *([rate(view.rate)] if rate(view.rate) else [])]
    if picture.over and len(view.columns):
        return [*facts, f"took {duration(view.latest.time - float(view.columns.time[0]))}"]
    return facts


def _aside(picture: Picture, last_row: str) -> Row:
    """What stands at the right end: that the picture is not the newest, or how old it is."""
    view = picture.view
    if picture.look.paused:
        behind = (picture.newest.rows if picture.newest else view.rows) - view.rows
        more = f", {behind:,} rows behind" if behind > 0 else ""
        return (said(f"‖ paused{more} ", "warn", bold=True),)
    if view.loading:
        return (said(f"reading {100 * view.columns.rows // max(view.rows, 1)} % ", "accent"),)
    if picture.looks_back:
        return (said("looking back ", "warn", bold=True),)
    if picture.playing is not None:
        return (said(f"{100 * picture.playing.share:.0f} % of the run ", "muted"),)
    told = picture.status.kind in (Kind.STALLED, Kind.LOST)  # Those words have the age in them.
    return (said(f"{last_row}{picture.status.age} ", "muted"),) if picture.status.age and not told else ()


class Progress(Panel):
    """A hairline that fills while the stage goes on."""

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """One row: done in strong, to come in faint."""
        view = picture.view
        stage = view.info.stage(view.stage) if view.info is not None else None
        total = stage.total_steps if stage is not None else None
        share = min(view.latest.step / total, 1.0) if view.latest is not None and total else 0.0
        done = round(share * width)
        return [tuple(span for span in (said("━" * done, "accent"), said("─" * (width - done), "faint")) if span.text)]


class Counts(Panel):
    """How many latents are in each state; the paper's count of the inactive and Burda's active units beside them."""

    def depends(self, picture: Picture) -> object:
        """The counts, of which most ticks bring no other."""
        view = picture.view
        none = undefined(view.info, "mean_variance")
        return view.latents, view.states.tobytes(), view.inactive, view.active_units, view.thresholds, none

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """One row, in words where they fit, else in signs."""
        view = picture.view
        if not view.latents:
            why = undefined(view.info, "mean_variance")
            return [fit((said(f" {f'{OF_POSTERIORS}: {why}' if why else NO_LATENTS}", "muted"),), width)]
        long = (f"{inactive_words(view)}: ", f"{units_words(view)}: ")
        forms = (
            partial(_spelt, view, "  ", long),
            partial(_spelt, view, " ", long),
            partial(_spelt, view, " ", ("inactive ", "active units ")),
            partial(_spelt, view, " ", ("inactive ", "units ")),
            partial(_short, view, " ", ("inactive ", "units ")),
        )
        shortest = _short(view, "", (f"≥{view.thresholds.inactive:g} ", "AU "))
        return [next((row for row in (form() for form in forms) if length(row) <= width), fit(shortest, width))]


def _spelt(view: RunView, gap: str, words: tuple[str, str]) -> Row:
    spans: list[Span] = []
    for state, count in counts(view):
        word = STATE_WORDS[state]
        before = f"{gap} " if spans else " "
        spans += [said(f"{before}{STATE[state]} ", word), said(f"{count}", bold=True), said(f" {word}")]
    return (*spans, *_beside(view, f"{gap}│{gap}", words))


def _short(view: RunView, gap: str, words: tuple[str, str]) -> Row:
    spans: list[Span] = []
    for state, count in counts(view):
        spans += [said(f"{gap}{STATE[state]}", STATE_WORDS[state]), said(f"{count}", bold=True)]
    return (*spans, *_beside(view, f"{gap}│{gap}", words))


def _beside(view: RunView, rule: str, words: tuple[str, str]) -> Row:
    """The two counts that overlap the states."""
    spans: list[Span] = []
    for word, count in zip(words, (str(view.inactive), units_count(view)), strict=True):
        spans += [said(rule, "faint"), said(word, "muted"), said(count, bold=True)]
    return tuple(spans)


class Figures(Panel):
    """The newest values of the charts in one row, for a screen that has no room for charts."""

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """One row; what does not fit is left out from the right."""
        latest = picture.view.latest
        known = latest.smoothed if latest is not None else {}
        parts = [
            (said(f" {sign} ", "muted"), said(number(float(known[name])), bold=True))
            for name, sign in (("gamma", "γ"), ("mse", "MSE"), ("kl", "KL"), ("variance_law", "VL"))
            if name in known
        ]
        return [join(parts, said(""), width)]


class Banner(Panel):
    """Why a run is not as planned."""

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """The reason, cut to the width."""
        kind = Kind.ALARM if picture.status.alarm else picture.status.kind
        text = self.pen.ellipsis(f" {SIGNS[kind]} {picture.status.reason}", width)
        return [(said(text, COLOURS[kind]),)] if picture.status.reason else [()]
