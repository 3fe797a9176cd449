"""`vaemon analyze RUN --renormalize`: its options, and its report as text.

Imports nothing heavy before it is called, as analysis/command.py.
"""

import functools
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaemon.errors import UsageError, VaemonError

if TYPE_CHECKING:
    from analysis.generate.renormalisation import Renormalisation
    from analysis.generate.report import Found

_ALONE = ("inactive", "variance_law", "figure", "no_checkpoint", "threshold")
"""Options of other reports, or of all but this one."""


def renormalizing(command: Callable[..., None]) -> Callable[..., None]:
    """Give `vaemon analyze` the options of this report, and answer where it is asked for."""

    @functools.wraps(command)
    def answered(*args: Any, renormalize: bool, target: str | None, **options: Any) -> None:
        if not renormalize:
            if target is not None:
                raise UsageError("--target is what --renormalize aims at: say both")
            command(*args, **options)
            return
        if others := [name for name in _ALONE if options.get(name)]:
            raise UsageError(f"--renormalize is a report of its own: leave out --{others[0].replace('_', '-')}")
        if target is not None and options["as_published"]:
            raise UsageError("--as-published has a target of its own: leave out --target")
        kind = "published" if options["as_published"] else target or "1"
        _report(options["run"], options["runs"], options["data"], kind, options["as_json"])

    for option in reversed(_OPTIONS):
        answered = option(answered)
    return answered


_OPTIONS = (
    click.option(
        "--renormalize",
        is_flag=True,
        help="Stretch the second stage's latents to the variance they lack; kept for `vaemon sample --renormalize`.",
    ),
    click.option(
        "--target",
        type=click.Choice(("1", "law")),
        help="With --renormalize: a variance of 1, the default, or each latent's own E[μ²] + E[σ²].",
    ),
)


def run_folder(run: str | None, runs: Path | None) -> Path:
    """The folder of a run of this machine that has checkpoints.

    Raises:
        UnknownName, UsageError: there is no such run here.
        VaemonError: it lies on another machine, or has no checkpoint.
    """
    from vaemon.runfile.find import find_run, runs_folder
    from vaemon.source.far.address import FarAddress

    if run is not None and FarAddress.parse(run) is not None:
        raise VaemonError(f"{run} lies on another machine, and its networks are not fetched from there; ask there")
    folder = find_run(run, runs_folder(runs))
    if not (folder / "checkpoints").is_dir():
        raise VaemonError(f"run {folder.name!r} has no checkpoint; `vaemon train` saves one, a recorder alone does not")
    return folder.absolute()


def _report(run: str | None, runs: Path | None, data: Path | None, kind: str, as_json: bool) -> None:
    folder = run_folder(run, runs)

    from analysis.generate.renormalisation import fit, fit_as_published, save
    from analysis.generate.report import examine, to_json
    from analysis.generate.trained import Trained
    from analysis.render import progress

    trained = Trained(folder, data)
    with progress("encoding the test set") as told:
        if kind == "published":
            new: Renormalisation = fit_as_published(trained, told)
        else:
            new = fit(trained, "law" if kind == "law" else "1", told)
    try:
        path = str(save(folder, new))
    except VaemonError as error:  # a run of somebody else's may still be looked at
        path = ""
        click.echo(str(error), err=True)
    found = examine(trained, new, path)
    if as_json:
        click.echo(json.dumps(to_json(found), indent=1, allow_nan=False))
    else:
        _print(found)


def _print(found: "Found") -> None:
    from analysis.render import PLAIN_WIDTH, fits, to_ascii

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else PLAIN_WIDTH
    text = to_text(found, width)
    if found.path:
        text += f"\nKept in {found.path}; `vaemon sample {found.run} --renormalize` applies it.\n"
    click.echo(text if fits("σ²μ±√─", sys.stdout.encoding or "ascii") else to_ascii(text.replace("±", "+-")), nl=False)


def to_text(found: "Found", width: int) -> str:
    """The report: a table of latents, the least variance first, then what it comes to.

    Args:
        found: the report.
        width: columns that a line may take.
    """
    import io

    from rich.console import Console

    console = Console(file=io.StringIO(), width=width, highlight=False, emoji=False, markup=False)
    with console.capture() as captured:
        console.print(f"{found.run} · second stage · renormalised {found.found.name}")
        console.print(
            f"steps {found.found.steps[0]:,} and {found.found.steps[1]:,} · fitted to 10,000 samples, "
            "tried on 10,000 others\n"
        )
        console.print(_table(found))
        for line in _summary(found):
            console.print(line)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def _table(found: "Found") -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for label in ("latent", "Var before", "target", "factor", "Var after"):
        table.add_column(label, justify="right")
    for i in found.before.argsort(kind="stable"):
        values = (found.before[i], found.target[i], found.factor[i], found.variance[i])
        table.add_row(str(i), *(f"{each:.3f}" for each in values))
    return table


def _summary(found: "Found") -> list[str]:
    from analysis.generate.renormalisation import AsPublished
    from analysis.measures.renormalisation import PUBLISHED_RULE

    lines = [
        "",
        f"mean variance          {found.before.mean():.3f} before, {found.variance.mean():.3f} after",
        f"variance lacking       {found.shortfall.mean():+.3f} in the mean, at most {found.shortfall.max():+.3f}",
        f"factor                 {found.factors.mean():.4f} ± {found.factors.std():.4f} over "
        + (f"{len(found.factors)} batches of 100" if isinstance(found.found, AsPublished) else "the latents"),
    ]
    if isinstance(found.found, AsPublished):
        sign, outcome = (">", "renormalised") if found.found.fires else ("≤", "left as they are")
        lines += [
            f"the published rule     (mean Var[μ] - mean Var[ẑ]) / mse(μ, ẑ) = {found.found.loss:.3f} {sign} "
            f"{PUBLISHED_RULE:g}: {outcome}",
            f"target deviation       √ of the mean of Var[μ] + E[σ] = {found.found.target:.4f}",
        ]
    if still := int((found.before == 0).sum()):
        lines.append(f"{still} latents do not vary at all, and are left as they are")
    return lines
