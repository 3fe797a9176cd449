"""`vaemon analyze`: what the command line says, made into a report. stdout holds only the report.

Imports nothing heavy before it is called, so that `vaemon --help` loads neither numpy nor torch.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analysis.tables.options import tabulating
from vaemon.errors import UsageError
from vaemon.runfile.selection import names_like
from vaemon.source.far.links import PYTHON, Links

if TYPE_CHECKING:
    from analysis.report import Report


@click.command("analyze", short_help="Count inactive latents, check the variance law.")
@click.argument("run", nargs=-1, shell_complete=lambda context, _, begun: names_like(begun, context.params.get("runs")))
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
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, of a --table.")
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
@tabulating
def analyze(
    run: tuple[str, ...],
    inactive: bool,
    variance_law: bool,
    stage: int,
    threshold: float | None,
    as_published: bool,
    as_json: bool,
    as_csv: bool,
    no_checkpoint: bool,
    data: Path | None,
    runs: Path | None,
    remote_python: str,
) -> None:
    """Say which latents of RUN are used, and whether its posterior matches the prior.

    RUN is a name, a run's folder, or `latest`, which is the default: the run written to last; on another machine,
    HOST:RUN, of which the recorded stream is analyzed. Without --inactive or
    --variance-law, both are reported.

    The figures are taken twice: from the recorded stream, over the last full epoch (the last 500 rows where that is
    shorter), and, where the run has a checkpoint, over the whole test set with the network in evaluation mode.
    """
    if len(run) > 1:
        raise UsageError("name one run, or what is wanted of several: --table N, or --figure 2")
    if as_csv:
        raise UsageError("--csv is for a --table: say which")
    if data is not None and no_checkpoint:
        raise UsageError("--data is for the checkpoint's part, which --no-checkpoint leaves out: use one of the two")
    if as_published and no_checkpoint:
        raise UsageError("--as-published needs E[σ], which only a checkpoint gives: leave out --no-checkpoint")
    asked = {"inactive": inactive, "variance_law": variance_law}
    reports = tuple(name for name, wanted in asked.items() if wanted or not any(asked.values()))
    from analysis.question import Question, answer
    from analysis.render import progress
    from vaemon.source.open import open_source

    question = Question(reports, stage, threshold, as_published, not no_checkpoint, data)
    source = open_source(run[0] if run else None, runs, links=Links(remote_python))
    try:
        with progress("encoding the test set") as told:
            report = answer(source, question, told)
        if as_json:
            _print_json(report)
        else:
            _print_text(report)
    finally:
        source.close()


def _print_json(report: "Report") -> None:
    from analysis.report import to_json

    for kind, reason in report.missing.items():
        click.echo(f"no figures from the {kind}: {reason}", err=True)
    click.echo(json.dumps(to_json(report), indent=1, allow_nan=False))


def _print_text(report: "Report") -> None:
    from analysis.render import PLAIN_WIDTH, fits, to_text

    colour = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if colour else PLAIN_WIDTH
    ascii_only = not fits("σ²μ≥–·─│█▏⣿", sys.stdout.encoding or "ascii")
    click.echo(to_text(report, width, colour, ascii_only), nl=False, color=colour)
