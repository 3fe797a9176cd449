"""`vaemon analyze`: what the command line says, made into reports. stdout holds only these.

Imports nothing heavy before it is called, so that `vaemon --help` loads neither numpy nor torch.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analysis.alone import one_form
from analysis.distances import measuring
from analysis.renormalize import renormalizing
from analysis.tables.options import tabulating
from vaemon.errors import UsageError
from vaemon.runfile.find import runs_folder
from vaemon.runfile.selection import names_like
from vaemon.source.far.links import Links
from vaemon.source.far.reaching import reaching
from vaemon.view.signs import harmless

if TYPE_CHECKING:
    from analysis.question import Question
    from analysis.several import Answered
    from vaemon.source.protocol import Source


def _complete_name(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    from vaemon.runfile import sweeps

    runs = context.params.get("runs")
    return names_like(begun, runs) + [each for each in sweeps.names(runs_folder(runs)) if each.startswith(begun)]


@click.command("analyze", short_help="Count inactive latents, check the variance law.")
@click.argument("run", nargs=-1, shell_complete=_complete_name)
@click.option("--inactive", is_flag=True, help="Count the inactive latents, by the paper's rule and by others.")
@click.option(
    "--variance-law", is_flag=True, help="Check that E[μ²] + E[σ²] is 1, and the aggregate posterior the prior."
)
@click.option(
    "--stage", type=click.IntRange(1, 2), metavar="N", help="The stage to analyze; by default all that were trained."
)
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    metavar="NAME=X",
    help="Judge latents by another threshold than the run's own: inactive (0.8; also X alone), unit (0.01), wake, doze "
    "and others as of `vaemon watch`; epsilon (0.01 nats) and delta (0.01) of (ε, δ)-collapse; near (0.1) and spread "
    "(0.1) of active and passive variables. May be repeated.",
)
@click.option(
    "--as-published",
    is_flag=True,
    help="Use the published code's definitions, E[σ] for E[σ²] and Var(μ) for E[μ²]; needs a checkpoint, or arrays.",
)
@click.option(
    "--posterior",
    "posteriors",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Analyze arrays, of any model: an .npz with `mean` and one of `variance`, `log_variance`, `std`, each "
    "(samples, latents). May be repeated.",
)
@click.option(
    "--fail-if",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help="Exit code 4 where it holds of a run, or cannot be told: 'inactive>30', 'mean>1.2 or mean<0.8', by the names "
    "of the figures in --json; 'stage2.stream.kl<1' says of which stage and origin. May be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, a line a value.")
@click.option("--no-checkpoint", is_flag=True, help="Use the recorded stream alone; needs no torch.")
@click.option(
    "--data", type=click.Path(path_type=Path), metavar="PATH", help="Where the images are, if they were moved since."
)
@reaching
@click.option(
    "--runs",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of runs; by default $VAEMON_RUNS, else runs/.",
)
@click.pass_context
@tabulating
@measuring
@renormalizing
def analyze(
    context: click.Context,
    run: tuple[str, ...],
    inactive: bool,
    variance_law: bool,
    stage: int | None,
    thresholds: tuple[str, ...],
    as_published: bool,
    posteriors: tuple[Path, ...],
    conditions: tuple[str, ...],
    as_json: bool,
    as_csv: bool,
    no_checkpoint: bool,
    data: Path | None,
    runs: Path | None,
    links: Links,
) -> None:
    """Say which latents of RUN are used, and whether its posterior matches the prior.

    RUN is a name, a run's folder, or `latest`, which is the default: the run written to last; on another machine,
    HOST:RUN, of which the recorded stream is analyzed. Of several, or a pattern ('cifar*', in quotes), each figure is
    told with its mean and deviation over the runs; of a sweep, by its name, over the seeds of each setting. Without
    --inactive or --variance-law, both are reported.

    The figures are taken twice: from the recorded stream, over the last full epoch (the last 500 rows where that is
    shorter), and, where the run has a checkpoint, over the whole test set with the network in evaluation mode.

    Exit codes: 0 ok, 1 a run could not be analyzed, 2 usage, 4 --fail-if.
    """
    _refuse_contradictions(as_json, as_csv, no_checkpoint, data, as_published)
    from analysis import failing, printing
    from analysis.sweeps import swept

    parsed = failing.parse(conditions)
    asked = {name for name, wanted in (("inactive", inactive), ("variance_law", variance_law)) if wanted}
    question = _question(asked, failing.reports_named(parsed), thresholds, as_published, not no_checkpoint, data)
    with ExitStack() as opened:
        sources = _open(run, runs, question, posteriors, links, opened)
        found = _answers(sources, posteriors, question, stage)
        groups, waiting = swept(run, runs_folder(runs))
        for name in waiting:
            click.echo(harmless(f"vaemon: {name}: it has not begun"), err=True)
        if as_json:
            printing.print_json(found, groups)
        elif as_csv:
            printing.print_csv(found, groups)
        else:
            printing.print_text(found, groups)
    failed = [why for each in found if each.reports for why in failing.failures(each.reports, parsed)]
    for why in failed:
        click.echo(harmless(f"vaemon: {why}"), err=True)
    context.exit(4 if failed else 1 if any(each.failures for each in found) else 0)


def _question(
    asked: set[str],
    named: set[str],
    thresholds: Sequence[str],
    as_published: bool,
    checkpoint: bool,
    data: Path | None,
) -> "Question":
    """What is asked of every run: the reports asked for, by default all, and those whose figures are `named`."""
    from analysis.catalogue import REPORTS
    from analysis.question import Question
    from analysis.rules import parse_thresholds

    reports = tuple(name for name in REPORTS if not asked or name in asked | named)
    question = Question(
        reports,
        thresholds=parse_thresholds(thresholds),
        as_published=as_published,
        checkpoint=checkpoint,
        data=data,
    )
    question.check()
    return question


def _refuse_contradictions(
    as_json: bool, as_csv: bool, no_checkpoint: bool, data: Path | None, as_published: bool
) -> None:
    one_form(as_json, as_csv)
    if data is not None and no_checkpoint:
        raise UsageError("--data is for the checkpoint's part, which --no-checkpoint leaves out: use one of the two")
    if as_published and no_checkpoint:
        raise UsageError("--as-published needs E[σ], which only a checkpoint gives: leave out --no-checkpoint")


def _open(
    run: Sequence[str],
    runs: Path | None,
    question: "Question",
    posteriors: Sequence[Path],
    links: Links,
    opened: ExitStack,
) -> "list[tuple[str, Source]]":
    """The runs asked for, closed by `opened`; none where only arrays are."""
    from vaemon.source.open import open_several
    from vaemon.thresholds import NAMES

    if not run and posteriors:
        return []
    own = {name: value for name, value in question.thresholds.items() if name in NAMES}
    sources = open_several(run, runs, own, links)
    for _, source in sources:
        opened.callback(source.close)
    return sources


def _answers(
    sources: "Sequence[tuple[str, Source]]", posteriors: Sequence[Path], question: "Question", stage: int | None
) -> "list[Answered]":
    """What came of each, or, where nothing came of any, the reason of the first; others' reasons are told on stderr."""
    from analysis.render import progress
    from analysis.several import answer_each

    with progress("encoding the test set") as told:
        found = list(answer_each(sources, posteriors, question, stage, told))
    if not any(each.reports for each in found):
        raise found[0].failures[0]
    for each in found:
        for failure in each.failures:
            click.echo(harmless(f"vaemon: {each.name}: {failure}"), err=True)
    return found
