"""`vaemon watch`: open the sources, hand them to the dashboard, or to those who print."""

import codecs
import gc
import locale
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from vaemon.commands.alerting import alerting, complain, make_sentry
from vaemon.commands.completion import complete_run
from vaemon.commands.pictures import CHOICES, HELP, draws_pictures
from vaemon.commands.thresholds import judging
from vaemon.errors import UsageError
from vaemon.source.far.links import Links
from vaemon.source.far.reaching import reaching
from vaemon.source.protocol import Directory, Source

if TYPE_CHECKING:
    from vaemon.commands.sentry import Sentry

FAR_HZ = 1.0
"""Questions a second to another machine."""
FAR_PATIENCE = 3600.0
"""Seconds without an answer from another machine until a run that is printed is given up: links come back."""
THEMES = ("auto", "dark", "light")


@click.command()
@click.argument("run", nargs=-1, shell_complete=complete_run)
@click.option("--runs", metavar="DIR", help="The folder of runs; default $VAEMON_RUNS, else ./runs.")
@click.option("--once", is_flag=True, help="Print one frame as text and leave; so, too, where there is no terminal.")
@click.option("--follow", "--plain", is_flag=True, help="Print a line of text for each update until the run is over.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object; with --follow, a line for each update.")
@reaching
@judging
@alerting
@click.option(
    "--hz",
    type=click.FloatRange(0.2, 10.0),
    help="Looks at the run a second; default 2, every other one for news alone; over ssh 1, without a screen 1.",
)
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII characters only.")
@click.option("--theme", type=click.Choice(THEMES), default="auto", help="Colours for a dark or a light background.")
@click.option("--pictures", type=click.Choice(CHOICES), default="auto", help=HELP)
def watch(
    run: tuple[str, ...],
    runs: str | None,
    links: Links,
    once: bool,
    follow: bool,
    as_json: bool,
    hz: float | None,
    ascii_only: bool,
    theme: str,
    pictures: str,
    thresholds: dict[str, float],
    sentry: "Sentry | None",
) -> int:
    """Open the dashboard of RUN: a run's name, a path to its folder, or `latest`, as without it.

    On another machine it is HOST:RUN or USER@HOST:PATH: your own ssh reaches it, and what is drawn is drawn here.

    Several of them, or a pattern ('cifar*', in quotes), are compared. A run that has not begun yet is waited for.
    """
    from vaemon.source.open import await_all, open_directory

    if once and follow:
        raise UsageError("--once and --follow contradict each other; leave one out")
    (title, source), *others = await_all(run, runs, thresholds, links)
    directory = open_directory(runs, thresholds, run, links)
    return show(
        source,
        sentry,
        others=others,
        directory=directory,
        manner="follow" if follow else "once" if once or as_json else None,
        json=as_json,
        hz=hz or (FAR_HZ if links.are_any else None),
        patience=FAR_PATIENCE if links.are_any else None,
        ascii_only=ascii_only,
        light=light_of(theme),
        pictures=pictures,
        title=title,
    )


def light_of(theme: str) -> bool | None:
    """Whether a theme is for a light background; None where the terminal is to tell."""
    return None if theme == "auto" else theme == "light"


def show(
    source: Source,
    sentry: "Sentry | None",
    *,
    others: Sequence[tuple[str, Source]] = (),
    directory: Directory | None = None,
    manner: str | None = None,
    json: bool = False,
    hz: float | None = None,
    patience: float | None = None,
    ascii_only: bool = False,
    title: str = "",
    pictures: str = "auto",
    **options: Any,
) -> int:
    """The dashboard where there is a terminal that can show it, else text.

    Args:
        source: the run; closed in the end.
        sentry: looks at every view, and one like it at each of the other runs'; None: nobody does.
        others: further runs, each with its name; closed in the end.
        directory: where more runs are; closed in the end.
        manner: "once" or "follow", without a screen; None: the dashboard, or, where it cannot be drawn, a line for each
            update where there is something to alert of, else one frame.
        json: JSON in place of text.
        hz: frames a second.
        patience: seconds that a run which is printed may not answer before it is given up; None: few.
        ascii_only: nothing but ASCII.
        title: the run's name until it tells its own; of several, one that tells it from the others.
        pictures: how the dashboard draws samples, one of `pictures.CHOICES`.
        options: those of the dashboard: `linger`, `light`, `playback`.

    Returns:
        The exit code: of several runs, the largest.

    Raises:
        UsageError: several runs are to be followed without a screen.
    """
    draws = manner is None and can_draw()
    options["true_pictures"] = lambda: draws_pictures(pictures, os.environ)
    sentry = sentry if sentry is not None or draws else make_sentry()
    sources, sentries = [source, *(each for _, each in others)], _one_each(sentry, 1 + len(others))
    try:
        if draws:
            _draw(source, sentries, others=others, directory=directory, hz=hz, ascii=ascii_only, title=title, **options)
        else:
            _say_why_text(manner)
            _print(sources, sentries, manner, json=json, hz=hz, patience=patience, ascii_only=ascii_only)
    finally:
        for each in (*sources, *([directory] if directory is not None else [])):
            each.close()  # type: ignore[attr-defined]
        complain(sentry.close() if sentry is not None else ())
    return max((each.code for each in sentries), default=0)


def _one_each(sentry: "Sentry | None", runs: int) -> "list[Sentry]":
    return [sentry, *(sentry.another() for _ in range(runs - 1))] if sentry is not None else []


def _draw(source: Source, sentries: "Sequence[Sentry]", *, ascii: bool, **options: Any) -> None:
    # One thread is enough for what a screen computes, and starting more costs time.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Textual believes these more than the terminal, which knows its size, also when it has another one.
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    # While everything is loaded there is nothing to collect; it is looked for again once the screen is there.
    gc.disable()
    from vaemon.watch.app import watch as open_dashboard

    looking = [each for each in sentries if each.waits or each.watches]
    in_ascii = ascii or not knows_unicode()
    open_dashboard(source, lookouts=looking, ascii=in_ascii, **options)


def _print(
    sources: Sequence[Source],
    sentries: "Sequence[Sentry]",
    manner: str | None,
    *,
    json: bool,
    hz: float | None,
    patience: float | None,
    ascii_only: bool,
) -> None:
    from vaemon.commands import plain

    follows = manner == "follow" or (manner is None and sentries[0].watches)
    if follows and len(sources) > 1:
        raise UsageError("without a screen, one run is followed at a time; name one, or add --once")
    prints = plain.print_updates if follows else plain.print_once
    for source, sentry in zip(sources, sentries, strict=True):
        prints(source, sentry, json=json, hz=hz, patience=patience, ascii_only=ascii_only)


def _say_why_text(manner: str | None) -> None:
    """Tell who came by ssh, and perhaps expected a dashboard, why there is none."""
    if manner is None and "SSH_CONNECTION" in os.environ and "SSH_TTY" not in os.environ:
        click.echo(
            "vaemon: this ssh session has no terminal, so this is text; `ssh -t HOST vaemon watch RUN` has one, and "
            "`vaemon watch HOST:RUN` on your own machine needs none there",
            err=True,
        )


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
