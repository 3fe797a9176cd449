"""`vaemon doctor`: whether recording and watching work here, and what to do where they do not."""

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import click

from vaemon.diagnosis import Diagnosis, Level

SIGNS = {Level.OK: "✓", Level.WARNING: "▲", Level.FAILURE: "✗"}
WIDTH = 12
"""Of the names."""


@click.command()
@click.option("--runs", metavar="DIR", help="The folder of runs; default $VAEMON_RUNS, else ./runs.")
@click.option("--gpu", is_flag=True, help="Ask torch for its GPUs, too, which takes some seconds.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for scripts.")
@click.pass_context
def doctor(context: click.Context, runs: str | None, gpu: bool, as_json: bool) -> int:
    """Examine this machine: versions, the folder of runs, the terminal, GPUs, caches.

    A short run is recorded in the folder of runs, read by another process meanwhile, and removed. Each line is
    ✓ (well), ▲ (works less well than it could) or ✗ (does not work), the latter two with what to do next. The exit
    code is 1 where anything does not work, else 0.
    """
    found = []
    for each in _examine(context.obj, runs, gpu):
        found.append(each)
        if not as_json:
            _say(each)
    failed = any(each.level is Level.FAILURE for each in found)
    if as_json:
        click.echo(json.dumps({"ok": not failed, "found": [_as_json(each) for each in found]}, indent=1))
    return int(failed)


def _examine(roof: Any, runs: str | None, gpu: bool) -> Iterator[Diagnosis]:
    from vaemon.commands.doctor import devices, storage, terminal, versions
    from vaemon.runfile.find import runs_folder

    yield from versions.examine()
    yield from storage.examine(runs_folder(runs))
    yield from terminal.examine(os.environ)
    yield from devices.examine(ask_torch=gpu)
    yield from roof.examine_caches()


def _say(found: Diagnosis) -> None:
    from vaemon.view.signs import safe, written

    lines = [f"{SIGNS[found.level]} {found.what:{WIDTH}}  {safe(found.text)}"]
    if found.advice:
        lines.append(f"  {'':{WIDTH}}  → {safe(found.advice)}")
    for line in lines:
        click.echo(written(line, getattr(sys.stdout, "encoding", None)))


def _as_json(found: Diagnosis) -> dict[str, Any]:
    return {
        "what": found.what,
        "level": str(found.level),
        "text": found.text,
        "advice": found.advice or None,
        "facts": dict(found.facts),
    }
