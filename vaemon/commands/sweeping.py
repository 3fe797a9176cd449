"""How a sweep fares: its members as their runs tell, and mean and deviation over the seeds of each setting.

Read as any run is, so that it works while they train. Figures are the first stage's, smoothed over some 25 steps.
"""

import json
import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from vaemon.batch import Want
from vaemon.errors import SourceLost, UsageError
from vaemon.headless.record import strict
from vaemon.runfile import sweeps
from vaemon.view.signs import safe
from vaemon.view.summary import summary
from vaemon.view.whole import whole

FIGURES = ("mse", "kl", "variance_law", "inactive")
HEADINGS = ("mse", "KL", "variance law", "inactive")

COUNTED = ("running", "finished")
"""Members that figures are taken over: one that broke off says nothing of where the others got."""


def show_sweep(name: str, runs: Path, as_json: bool) -> None:
    """Print the table of a sweep, or all that is known of it as JSON.

    Raises:
        UnknownName: there is none of that name.
        RunFileError: its file is damaged.
    """
    settings, lines = [], []
    for setting, members in sweeps.read(name, runs).by_setting():
        of_setting = [_line(member, runs) for member in members]
        settings.append({"setting": setting, **_over_seeds(of_setting)})
        lines += of_setting
    if as_json:
        click.echo(json.dumps(strict({"settings": settings, "members": lines}), indent=1, allow_nan=False))
        return
    _print_table(settings)
    for line in lines:
        if line["state"] in ("failed", "crashed", "stopped"):
            why = f": {line['reason']}" if line["reason"] else ""
            said = f"{line['run']} {line['state']}{why}; `vaemon sweep --rerun {line['run']}` goes on with it"
            click.echo(safe(said))


def _line(member: sweeps.Member, runs: Path) -> dict[str, Any]:
    from vaemon.runfile.find import is_run
    from vaemon.source.local import LocalSource

    line: dict[str, Any] = {
        "run": member.run,
        "setting": member.setting,
        "state": member.state,
        "reason": member.reason,
        "step": 0,
    }
    if not is_run(runs / member.run):
        return line
    source = LocalSource(runs / member.run)
    try:
        view = whole(source.poll, Want((), columns=0, stage=1))
    except (SourceLost, UsageError, OSError) as error:
        return {**line, "state": "unreadable", "reason": str(error)}
    finally:
        source.close()
    assert view.info is not None
    # What the sweep has noted of its end is no older than what the run could note of it.
    if member.state in ("waiting", "submitted") or view.info.state.over:
        line |= {"state": str(view.info.state), "reason": view.info.reason or member.reason}
    if view.latest is None:
        return line
    smoothed = {name: float(view.latest.smoothed[name]) for name in FIGURES[:3] if name in view.latest.smoothed}
    inactive = summary(view).inactive
    return {**line, "step": view.latest.step, **smoothed, **({} if inactive is None else {"inactive": inactive})}


def _over_seeds(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Counts, and (mean, standard deviation) of each figure; the latter None of fewer than two."""
    found: dict[str, Any] = {
        "members": len(lines),
        "finished": sum(line["state"] == "finished" for line in lines),
    }
    for name in FIGURES:
        values = [line[name] for line in lines if name in line and line["state"] in COUNTED]
        mean = statistics.fmean(values) if values else None
        found[name] = [mean, _deviation(values) if len(values) > 1 else None]
    return found


def _deviation(values: Sequence[float]) -> float:
    """The standard deviation of a sample; NaN where a value is not finite, of which `statistics` makes none."""
    return statistics.stdev(values) if all(map(math.isfinite, values)) else math.nan


def _print_table(settings: Sequence[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("setting", overflow="fold")
    for heading in ("finished", *HEADINGS):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in settings:
        figures = [_words(*each[name]) for name in FIGURES]
        table.add_row(safe(each["setting"]) or "all", f"{each['finished']}/{each['members']}", *figures)
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = 200
    console.print(table)


def _words(mean: float | None, deviation: float | None) -> str:
    """A mean and its deviation: "0.0213 ± 0.0004"."""
    if mean is None:
        return ""
    return f"{mean:.4g}" + (f" ± {deviation:.2g}" if deviation is not None else "")
