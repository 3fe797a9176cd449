"""`vaemon replay`: a run that is over, played as if it were live."""

import click

from vaemon.commands.completion import complete_run
from vaemon.commands.pictures import CHOICES, HELP
from vaemon.commands.thresholds import judging
from vaemon.commands.watch import THEMES, can_draw, light_of, show
from vaemon.errors import UsageError
from vaemon.source.far.links import Links
from vaemon.source.far.reaching import reaching


@click.command()
@click.argument("run", required=False, shell_complete=complete_run)
@click.option("--runs", metavar="DIR", help="The folder of runs; default $VAEMON_RUNS, else ./runs.")
@click.option(
    "--speed",
    type=click.FloatRange(0.01, 1e7),
    metavar="TIMES",
    help="Seconds of the run in a second: 60 plays an hour in a minute; by default the run takes about 75 s.",
)
@click.option("--from", "first_step", type=click.IntRange(0), default=0, metavar="STEP", help="Where to begin.")
@reaching
@judging
@click.option("--hz", type=click.FloatRange(0.2, 10.0), help="Frames a second; default 4, over ssh 1.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII characters only.")
@click.option("--theme", type=click.Choice(THEMES), default="auto", help="Colours for a dark or a light background.")
@click.option("--pictures", type=click.Choice(CHOICES), default="auto", help=HELP)
def replay(
    run: str | None,
    runs: str | None,
    links: Links,
    speed: float | None,
    first_step: int,
    hz: float | None,
    ascii_only: bool,
    theme: str,
    pictures: str,
    thresholds: dict[str, float],
) -> None:
    """Play RUN again as if it were live; without a name, the latest run. HOST:RUN is on another machine.

    Space holds it, `,` and `.` wind it back and on a little, `<` and `>` far, `(` and `)` halve and double its speed. A
    break in the training, as over a night, is cut short.
    """
    from vaemon.commands.sentry import Sentry
    from vaemon.playback import Playback
    from vaemon.source.open import open_directory, open_source, title_of
    from vaemon.source.replay import ReplaySource

    source = open_source(run, runs, thresholds, links)
    if not can_draw():
        source.close()
        raise UsageError("a replay needs a terminal; `vaemon watch RUN --once` tells how a run ended as text")
    playback = Playback(speed, first_step)
    show(
        ReplaySource(source, playback),
        Sentry(),
        directory=open_directory(runs, thresholds, (run,) if run else (), links),
        hz=hz,
        ascii_only=ascii_only,
        light=light_of(theme),
        pictures=pictures,
        playback=playback,
        title=title_of(run),
    )
