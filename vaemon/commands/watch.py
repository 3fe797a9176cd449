"""`vaemon watch`: open a source, hand it to the dashboard, or to those who print."""

import codecs
import gc
import locale
import os
import sys
from typing import TYPE_CHECKING

import click

from vaemon.commands.alerting import alerting, complain, make_sentry
from vaemon.commands.completion import complete_run
from vaemon.commands.thresholds import judging
from vaemon.errors import UsageError
from vaemon.source.protocol import Source

if TYPE_CHECKING:
    from vaemon.commands.sentry import Sentry
    from vaemon.playback import Playback

THEMES = ("auto", "dark", "light")


@click.command()
@click.argument("run", required=False, shell_complete=complete_run)
@click.option("--runs", metavar="DIR", help="The folder of runs; default $VAEMON_RUNS, else ./runs.")
@click.option("--once", is_flag=True, help="Print one frame as text and leave; so, too, where there is no terminal.")
@click.option("--follow", "--plain", is_flag=True, help="Print a line of text for each update until the run is over.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object; with --follow, a line for each update.")
@judging
@alerting
@click.option(
    "--hz", type=click.FloatRange(0.2, 10.0), help="Frames a second; default 2, over ssh 1, without a screen 1."
)
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII characters only.")
@click.option("--theme", type=click.Choice(THEMES), default="auto", help="Colours for a dark or a light background.")
def watch(
    run: str | None,
    runs: str | None,
    once: bool,
    follow: bool,
    as_json: bool,
    hz: float | None,
    ascii_only: bool,
    theme: str,
    thresholds: dict[str, float],
    sentry: "Sentry | None",
) -> int:
    """Open the dashboard of RUN: a run's name, a path to its folder, or `latest`, as without it.

    A run that has not begun yet is waited for.
    """
    from vaemon.source.open import await_source

    if once and follow:
        raise UsageError("--once and --follow contradict each other; leave one out")
    manner = "follow" if follow else "once" if once or as_json else None
    source = await_source(run, runs, thresholds)
    light = light_of(theme)
    title = "" if run in (None, "latest") else os.path.basename(run.rstrip("/"))
    return show(source, sentry, manner=manner, json=as_json, hz=hz, ascii_only=ascii_only, light=light, title=title)


def light_of(theme: str) -> bool | None:
    """Whether a theme is for a light background; None where the terminal is to tell."""
    return None if theme == "auto" else theme == "light"


def show(
    source: Source,
    sentry: "Sentry | None",
    *,
    manner: str | None = None,
    json: bool = False,
    hz: float | None = None,
    ascii_only: bool = False,
    linger: float = 0.0,
    light: bool | None = None,
    playback: "Playback | None" = None,
    title: str = "",
) -> int:
    """The dashboard where there is a terminal that can show it, else text.

    Args:
        source: the run; closed in the end.
        sentry: looks at every view; None: nobody does.
        manner: "once" or "follow", without a screen; None: the dashboard, or, where it cannot be drawn, a line for each
            update where there is something to alert of, else one frame.
        json: JSON in place of text.
        hz: frames a second.
        ascii_only: nothing but ASCII.
        linger: seconds that the dashboard stays when there is nothing more to wait for.
        light: whether the background is light; None where the terminal is to tell.
        playback: what winds the source on and back, where it is a replay.
        title: the run's name until it tells its own.

    Returns:
        The exit code.
    """
    try:
        if manner is None and can_draw():
            # One thread is enough for what a screen computes, and starting more costs time.
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
            # Textual believes these more than the terminal, which knows its size, also when it has another one.
            for name in ("COLUMNS", "LINES"):
                os.environ.pop(name, None)
            # While everything is loaded there is nothing to collect; it is looked for again once the screen is there.
            gc.disable()
            from vaemon.watch.app import watch as open_dashboard

            open_dashboard(
                source,
                hz=hz,
                ascii=ascii_only or not knows_unicode(),
                lookouts=[sentry] if sentry is not None and (sentry.waits or sentry.watches) else [],
                linger=linger,
                light=light,
                playback=playback,
                title=title,
                remembers=True,
            )
        else:
            from vaemon.commands import plain

            sentry = sentry or make_sentry()
            follows = manner == "follow" or (manner is None and sentry.watches)
            prints = plain.print_updates if follows else plain.print_once
            prints(source, sentry, json=json, hz=hz, ascii_only=ascii_only)
    finally:
        source.close()
        complain(sentry.close() if sentry is not None else ())
    return sentry.code if sentry is not None else 0


def can_draw() -> bool:
    """Whether the dashboard can be drawn: all ends are a terminal that knows how to move its cursor."""
    ends = (sys.stdin, sys.stdout, sys.stderr)  # Textual draws on the last.
    moves = (os.environ.get("TERM") or "dumb") not in ("dumb", "unknown")
    return moves and all(end is not None and not end.closed and end.isatty() for end in ends)


def knows_unicode() -> bool:
    """Whether the terminal takes more than ASCII, as far as the locale and $PYTHONIOENCODING tell.

    Where nobody has chosen a locale, Python takes UTF-8 for likely (PEP 538); LC_ALL=C is a choice.
    """
    encodings = (locale.getencoding(), sys.stderr.encoding if sys.stderr is not None else "ascii")
    return all(codecs.lookup(each).name.startswith("utf") for each in encodings)
