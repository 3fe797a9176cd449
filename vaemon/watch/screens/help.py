"""The help: the keys, made from their table, and what the signs and colours mean."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen

from vaemon.latents import LatentState
from vaemon.thresholds import DEFAULT, Thresholds
from vaemon.view.status import SIGNS, Kind
from vaemon.view.words import STATE_WORDS
from vaemon.watch.render.cells import BLANK, Ink, Row, Span, said
from vaemon.watch.render.glyphs import STATE
from vaemon.watch.render.wall import legend
from vaemon.watch.screens.bindings import APP_KEYS, RUN_KEYS, told
from vaemon.watch.widgets.header import COLOURS
from vaemon.watch.widgets.lines import LinesWidget
from vaemon.watch.widgets.pen import Pen

KIND_WORDS = {
    Kind.WAITING: "nothing has been recorded yet",
    Kind.RUNNING: "rows are coming",
    Kind.ALARM: "its latents fail as a whole: the posterior has collapsed, or the prior is ignored",
    Kind.UNRECORDED: "rows are coming, but some could not be recorded",
    Kind.STALLED: "it runs, but no row has come for long",
    Kind.FINISHED: "it ended as planned",
    Kind.STOPPED: "a person ended it",
    Kind.FAILED: "it ended by an error, which is told",
    Kind.CRASHED: "the writer is gone without a word",
    Kind.REPLAY: "it is over, and is told as if it happened now",
    Kind.LOST: "the place it is read from does not answer; the data are as old as told",
}
"""What each state of a run means."""

KEY = Ink("accent", bold=True)


class HelpScreen(Screen[None]):
    """All keys and signs; any of esc, ?, enter leads back."""

    DEFAULT_CSS = """
    HelpScreen VerticalScroll { height: 1fr; scrollbar-size-vertical: 0; }
    HelpScreen #foot { height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,enter,space", "back", "back to the run"),
        Binding("k", "scroll(-1)", "up"),
        Binding("j", "scroll(1)", "down"),
    ]

    def __init__(self, pen: Pen, at: Thresholds = DEFAULT) -> None:
        """Draw with `pen`; `at` are the thresholds in force."""
        super().__init__()
        self._at = at
        self._pen = pen
        self._list = VerticalScroll()

    def compose(self) -> ComposeResult:
        """One list, scrolled where it is too long, and how to leave it."""
        with self._list:
            yield LinesWidget(self._pen, id="text")
        yield LinesWidget(self._pen, id="foot")

    def on_mount(self) -> None:
        """Write the list."""
        self.styles.background = self._pen.palette["ground"]
        rows = help_rows(shaded=self._pen.shaded, at=self._at)
        text = self.query_one("#text", LinesWidget)
        text.styles.height = len(rows)
        text.publish(rows)
        foot = (("esc", "back"), ("↑ ↓", "scroll"), ("q", "quit"))
        keys = [Span(part, ink) for key, word in foot for part, ink in ((f" {key} ", KEY), (f"{word} ", Ink("muted")))]
        self.query_one("#foot", LinesWidget).publish([tuple(keys)])
        self._list.focus()

    def action_back(self) -> None:
        """Leave."""
        self.dismiss()

    def action_scroll(self, by: int) -> None:
        """Scroll by a row."""
        self._list.scroll_relative(y=by, animate=False)


def help_rows(*, shaded: bool, at: Thresholds) -> list[Row]:
    """What the help says, of latents that are judged by these thresholds."""
    keys = [((said(f"{key:>16}", "accent", bold=True),), what) for key, what in told((*RUN_KEYS, *APP_KEYS))]
    states = [
        ((said(f"{STATE[s]:>4} ", STATE_WORDS[s]), said(STATE_WORDS[s])), text) for s, text in state_words(at).items()
    ]
    kinds = [((said(f"{SIGNS[k]:>4} ", COLOURS[k]), said(k)), text) for k, text in KIND_WORDS.items()]
    colours = (said(f"{'':>5}", "muted"), *legend(16, shaded=shaded), said("  awake to asleep; × not finite", "muted"))
    remarks = [
        "Two latents in one row: the left number is the upper strip.",
        "Folded, a strip is the mean of several latents, #17-32 their places in the order; ●5: five of them active.",
        f"inactive is the paper's count, E[σ²] ≥ {at.inactive:g}; it overlaps limbo and collapsed.",
        f"units (AU) are Burda's active units, Var(μ) > {at.unit:g}: latents whose mean moves with the data.",
    ]
    return [
        BLANK,
        *_part("keys", keys, 19),
        *_part("a run is", kinds, 19),
        *_part("a latent is", states, 19),
        colours,
        *((said(f"{'':>5}{remark}", "muted"),) for remark in remarks),
    ]


def state_words(at: Thresholds) -> dict[LatentState, str]:
    """What each state of a latent means, by these thresholds."""
    return {
        LatentState.ACTIVE: f"E[σ²] below {at.wake:g}, or awake and not yet above {at.doze:g}",
        LatentState.WAKING: f"below {at.doze:g}, on its way",
        LatentState.LIMBO: "in between: it may still wake",
        LatentState.COLLAPSED: f"from {at.collapsed:g} on with a KL below {at.collapsed_kl:g}: the prior itself",
    }


def _part(title: str, lines: Iterable[tuple[Row, str]], indent: int) -> Sequence[Row]:
    rows: list[Row] = [(said(f" {title}", bold=True),)]
    for head, text in lines:
        gap = indent - sum(len(span.text) for span in head)
        rows.append((*head, said(" " * max(gap, 1)), said(text, "muted")))
    return [*rows, BLANK]
