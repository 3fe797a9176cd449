"""`vaemon watch`: open a source, hand it to the dashboard."""

import os
import sys

import click

from vaemon.commands.completion import complete_run
from vaemon.playback import Playback
from vaemon.source.protocol import Source

THEMES = ("auto", "dark", "light")


@click.command()
@click.argument("run", required=False, shell_complete=complete_run)
@click.option("--runs", metavar="DIR", help="The folder of runs; default $VAEMON_RUNS, else ./runs.")
@click.option("--once", is_flag=True, help="Print one frame as text and leave; so, too, where there is no terminal.")
@click.option("--until", type=click.Choice(["finished"]), help="Leave when the run is over.")
@click.option("--hz", type=click.FloatRange(0.2, 10.0), help="Frames a second; default 2, over ssh 1.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII characters only.")
@click.option("--theme", type=click.Choice(THEMES), default="auto", help="Colours for a dark or a light background.")
def watch(
    run: str | None, runs: str | None, once: bool, until: str | None, hz: float | None, ascii_only: bool, theme: str
) -> None:
    """Open the dashboard of RUN: a run's name, a path to its folder, or `latest`, as without it.

    A run that has not begun yet is waited for.
    """
    from vaemon.source.open import await_source

    show(await_source(run, runs), once=once, until=until, hz=hz, ascii_only=ascii_only, light=light_of(theme))


def light_of(theme: str) -> bool | None:
    """Whether a theme is for a light background; None where the terminal is to tell."""
    return None if theme == "auto" else theme == "light"


def show(
    source: Source,
    *,
    once: bool = False,
    until: str | None = None,
    hz: float | None = None,
    ascii_only: bool = False,
    linger: float = 0.0,
    light: bool | None = None,
    playback: Playback | None = None,
) -> None:
    """The dashboard where there is a terminal that can show it, else one frame as text."""
    try:
        if once or not can_draw():
            from vaemon.headless import frame

            click.echo(frame(source))
            return
        # One thread is enough for what a screen computes, and starting more costs time.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        from vaemon.watch.app import watch as open_dashboard
        from vaemon.watch.memory import Memory

        open_dashboard(
            source,
            hz=hz,
            ascii=ascii_only,
            until=until,
            linger=linger,
            light=light,
            playback=playback,
            memory=Memory.of_user(),
        )
    finally:
        source.close()


def can_draw() -> bool:
    """Whether the dashboard can be drawn: both ends are a terminal that knows how to move its cursor."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
