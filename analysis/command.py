"""`vaemon analyze`: what the command line says, made into a report. stdout holds only the report.

Imports nothing heavy before it is called, so that `vaemon --help` loads neither numpy nor torch.
"""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vaemon.errors import UsageError
from vaemon.runfile.find import is_run, runs_folder
from vaemon.runfile.selection import names_like
from vaemon.source.far.links import PYTHON, Links

if TYPE_CHECKING:
    from analysis.question import Question
    from analysis.report import Report
    from vaemon.source.protocol import Source


def _complete_name(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    from vaemon.runfile import sweeps

    runs = context.params.get("runs")
    return names_like(begun, runs) + [each for each in sweeps.names(runs_folder(runs)) if each.startswith(begun)]


@click.command("analyze", short_help="Count inactive latents, check the variance law.")
@click.argument("run", required=False, shell_complete=_complete_name)
@click.option("--inactive", is_flag=True, help="Count the inactive latents: E[σ²] at or above --threshold.")
@click.option("--variance-law", is_flag=True, help="Check that E[μ²] + E[σ²] is 1.")
@click.option("--stage", type=click.IntRange(1, 2), metavar="N", default=1, help="The stage to analyze; by default 1.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, min_open=True),
    metavar="X",
    help="From where on a latent is inactive; by default the run's own threshold, mostly 0.8.",
)
@click.option(
    "--as-published",
    is_flag=True,
    help="Use the published code's definitions, E[σ] for E[σ²] and Var(μ) for E[μ²]; needs a checkpoint.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.option(
    "--csv", "as_csv", is_flag=True, help="Print the table as CSV: a row a latent; of a sweep, a row a member."
)
@click.option("--figure", is_flag=True, help="Draw E[σ²] of every latent over the steps, too.")
@click.option("--no-checkpoint", is_flag=True, help="Use the recorded stream alone; needs no torch.")
@click.option(
    "--data", type=click.Path(path_type=Path), metavar="PATH", help="Where the images are, if they were moved since."
)
@click.option(
    "--remote-python",
    metavar="PATH",
    default="",
    envvar=PYTHON,
    help="For HOST:RUN, the Python there that has vaemon; by default the one that recorded the run.",
)
@click.option(
    "--runs",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of runs; by default $VAEMON_RUNS, else runs/.",
)
def analyze(
    run: str | None,
    inactive: bool,
    variance_law: bool,
    stage: int,
    threshold: float | None,
    as_published: bool,
    as_json: bool,
    as_csv: bool,
    figure: bool,
    no_checkpoint: bool,
    data: Path | None,
    runs: Path | None,
    remote_python: str,
) -> None:
    """Say which latents of RUN are used, and whether its posterior matches the prior.

    RUN is a name, a run's folder, or `latest`, which is the default: the run written to last; on another machine,
    HOST:RUN, of which the recorded stream is analyzed. It may be a sweep as well, by its name: then each member is
    analyzed, and mean and standard deviation over the seeds of each setting are reported. Without --inactive or
    --variance-law, both are reported.

    The figures are taken twice: from the recorded stream, over the last full epoch (the last 500 rows where that is
    shorter), and, where the run has a checkpoint, over the whole test set with the network in evaluation mode.
    """
    if as_json + as_csv + figure > 1:
        raise UsageError("--figure draws for people, --json and --csv are for scripts: use one of them")
    if data is not None and no_checkpoint:
        raise UsageError("--data is for the checkpoint's part, which --no-checkpoint leaves out: use one of the two")
    if as_published and no_checkpoint:
        raise UsageError("--as-published needs E[σ], which only a checkpoint gives: leave out --no-checkpoint")
    asked = {"inactive": inactive, "variance_law": variance_law}
    reports = tuple(name for name, wanted in asked.items() if wanted or not any(asked.values()))
    from analysis.question import Question

    question = Question(reports, stage, threshold, as_published, not no_checkpoint, data)
    output = "json" if as_json else "csv" if as_csv else "figure" if figure else "text"
    if not _analyze_sweep(run, runs_folder(runs), question, output):
        _analyze_run(run, runs, remote_python, question, output)


def _analyze_run(run: str | None, runs: Path | None, remote_python: str, question: "Question", output: str) -> None:
    from analysis.question import answer
    from analysis.render import progress
    from vaemon.source.open import open_source

    source = open_source(run, runs, links=Links(remote_python))
    try:
        with progress("encoding the test set") as told:
            report = answer(source, question, told)
        if output in ("json", "csv"):
            _print_for_scripts(report, output)
        else:
            _print_text(report, source if output == "figure" else None)
    finally:
        source.close()


def _analyze_sweep(name: str | None, runs: Path, question: "Question", output: str) -> bool:
    """Analyze a sweep; whether there is one of that name, and no run."""
    from vaemon.runfile import sweeps

    if name is None or not sweeps.is_sweep(name, runs) or is_run(runs / name):
        return False
    if output == "figure":
        raise UsageError(f"--figure draws one run, and {name} is a sweep of several; name one of its members")
    from analysis.render import progress
    from analysis.sweep import csv, render
    from analysis.sweep.ask import answer_all
    from analysis.sweep.report import to_tree

    found = answer_all(sweeps.read(name, runs), runs, question, lambda run: progress(f"{run}: encoding the test set"))
    if output == "json":
        click.echo(json.dumps(to_tree(found), indent=1, allow_nan=False))
    elif output == "csv":
        click.echo(csv.to_csv(found), nl=False)
    else:
        width, colour, ascii_only = _terminal()
        click.echo(render.to_text(found, width, colour, ascii_only), nl=False, color=colour)
    return True


def _terminal() -> tuple[int, bool, bool]:
    """Columns of standard output, whether it takes colours, and whether it takes ASCII only."""
    from analysis.render import PLAIN_WIDTH, fits

    colour = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if colour else PLAIN_WIDTH
    return width, colour, not fits("σ²μ≥±–·─│█▏⣿", sys.stdout.encoding or "ascii")


def _print_for_scripts(report: "Report", output: str) -> None:
    from analysis.csv import to_csv
    from analysis.report import to_json

    for kind, reason in report.missing.items():
        click.echo(f"no figures from the {kind}: {reason}", err=True)
    if output == "csv":
        click.echo(to_csv(report), nl=False)
    else:
        click.echo(json.dumps(to_json(report), indent=1, allow_nan=False))


def _print_text(report: "Report", figure_of: "Source | None") -> None:
    """The figure of the source, where one is given, then the report."""
    from analysis.render import to_ascii, to_text

    width, colour, ascii_only = _terminal()
    if figure_of is not None:
        drawn = _draw(
            report, figure_of, width, colour and "NO_COLOR" not in os.environ, "*" if ascii_only else "braille"
        )
        click.echo(to_ascii(drawn) if ascii_only else drawn, color=colour)
    click.echo(to_text(report, width, colour, ascii_only), nl=False, color=colour)


def _draw(report: "Report", source: "Source", width: int, colour: bool, marker: str) -> str:
    from analysis.figures import HEIGHT, variance_trajectories
    from vaemon.batch import Window

    # Two points a column: braille has two dots across.
    series = source.series("mean_variance", Window(report.stage), points=2 * width)
    states = [str(each) for each in report.parts[0].column("state").values]
    return variance_trajectories(series, states, report.threshold, (width, HEIGHT), colour, marker)
