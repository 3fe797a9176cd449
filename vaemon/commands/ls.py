"""`vaemon ls`: the runs, the newest first."""

import json
import time
from typing import Any

import click

from vaemon.batch import Cursor, Want
from vaemon.errors import SourceLost
from vaemon.latents import LatentState
from vaemon.view.state import RunView
from vaemon.view.words import age, rate


@click.command()
@click.option("--runs", metavar="DIR", help="The folder of runs; default $VAEMON_RUNS, else ./runs.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for scripts.")
def ls(runs: str | None, as_json: bool) -> None:
    """List the runs, the newest first: state, stage, step, rate, active and inactive latents, age."""
    from vaemon.runfile.find import runs_folder
    from vaemon.source.open import open_all
    from vaemon.view.fold import fold

    lines = []
    for name, source in open_all(runs):
        try:
            lines.append(_line(fold(RunView(), source.poll(Cursor(), Want((), columns=0)))))
        except SourceLost as error:
            lines.append({"name": name, "state": "unreadable", "reason": str(error)})
        finally:
            source.close()
    if as_json:
        click.echo(json.dumps(lines, indent=1))
    elif lines:
        _print_table(lines)
    else:
        click.echo(f"no runs in {runs_folder(runs).absolute()}; `vaemon demo` makes one", err=True)


def _line(view: RunView) -> dict[str, Any]:
    assert view.info is not None
    stage = view.info.stage(view.stage)
    latest = view.latest
    return {
        "name": view.info.name,
        "state": str(view.info.state),
        "reason": view.info.reason,
        "stage": view.stage,
        "step": latest.step if latest else 0,
        "total_steps": stage.total_steps if stage else None,
        "epoch": latest.epoch if latest else 0,
        "rate": round(view.rate, 2),
        "latents": view.latents,
        "active": int((view.states == LatentState.ACTIVE).sum()),
        "inactive": view.inactive,
        "newest": latest.time if latest else view.info.created,
    }


def _print_table(lines: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    running = any(line["state"] == "running" for line in lines)
    table.add_column("run", overflow="fold")
    table.add_column("state")
    for heading in ("stage", "step", *(["rate"] if running else []), "active", "inactive", "newest row"):
        table.add_column(heading, justify="right")
    now = time.time()
    for line in lines:
        if line["state"] == "unreadable":
            table.add_row(line["name"], f"unreadable: {line['reason']}")
            continue
        steps = f"{line['step']:,}" + (f"/{line['total_steps']:,}" if line["total_steps"] else "")
        speed = [rate(line["rate"]) if line["state"] == "running" else ""] if running else []
        counts = [f"{line[name]}/{line['latents']}" if line["latents"] else "" for name in ("active", "inactive")]
        table.add_row(
            line["name"], line["state"], str(line["stage"] or ""), steps, *speed, *counts, age(now - line["newest"])
        )
    Console(highlight=False).print(table)
