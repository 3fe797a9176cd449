"""`vaemon watch`: open the sources, hand them to the dashboard."""

import os
import sys
from collections.abc import Sequence

import click

from vaemon.commands.completion import complete_run
from vaemon.source.protocol import Directory, Source


@click.command()
@click.argument("run", nargs=-1, shell_complete=complete_run)
@click.option("--runs", metavar="DIR", help="The folder of runs; default $VAEMON_RUNS, else ./runs.")
@click.option("--once", is_flag=True, help="Print one frame as text and leave; so, too, where there is no terminal.")
@click.option("--until", type=click.Choice(["finished"]), help="Leave when the run is over.")
@click.option("--hz", type=click.FloatRange(0.2, 10.0), help="Frames a second; default 2, over ssh 1.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII characters only.")
def watch(
    run: tuple[str, ...], runs: str | None, once: bool, until: str | None, hz: float | None, ascii_only: bool
) -> None:
    """Open the dashboard of RUN: a run's name, a path to its folder, or `latest`, as without it.

    Several of them, or a pattern ('cifar*', in quotes), are compared. A run that has not begun yet is waited for.
    """
    from vaemon.source.open import await_all, open_directory

    (name, source), *others = await_all(run, runs)
    directory = open_directory(runs)
    show(
        source,
        title=name,
        others=others,
        directory=directory,
        once=once,
        until=until,
        hz=hz,
        ascii_only=ascii_only,
    )


def show(
    source: Source,
    *,
    title: str = "",
    others: Sequence[tuple[str, Source]] = (),
    directory: Directory | None = None,
    once: bool = False,
    until: str | None = None,
    hz: float | None = None,
    ascii_only: bool = False,
    linger: float = 0.0,
) -> None:
    """The dashboard where there is a terminal that can show it, else one frame of each run as text; closes them all."""
    try:
        if once or not can_draw():
            from vaemon.headless import frame

            click.echo("\n\n".join(frame(each) for each in (source, *(each for _, each in others))))
            return
        # One thread is enough for what a screen computes, and starting more costs time.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        from vaemon.watch.app import watch as open_dashboard

        options = {"title": title, "others": others, "directory": directory}
        open_dashboard(source, **options, hz=hz, ascii=ascii_only, until=until, linger=linger)
    finally:
        for each in (source, *(other for _, other in others), *([directory] if directory is not None else [])):
            each.close()


def can_draw() -> bool:
    """Whether the dashboard can be drawn: both ends are a terminal that knows how to move its cursor."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
