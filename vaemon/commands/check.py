"""`vaemon check`: whether a run's files are as they were written, and mending them."""

import sys
from pathlib import Path

import click

from vaemon.commands.completion import complete_run
from vaemon.errors import RunFileError
from vaemon.view.signs import harmless


@click.command()
@click.argument("run", required=False, shell_complete=complete_run)
@click.option("--repair", is_flag=True, help="Mend what can be mended; what is replaced is kept in the run's damaged/.")
@click.option("--runs", metavar="DIR", help="The folder of runs; default $VAEMON_RUNS, else ./runs.")
def check(run: str | None, repair: bool, runs: str | None) -> None:
    """Verify checksums, lengths, order and pyramid of RUN; without it, of the latest run.

    RUN is a name, or a path to a run's folder. A live run may be checked, but not repaired. Exit code 1 where
    something is wrong.
    """
    from vaemon.runfile import lock
    from vaemon.runfile.find import find_damaged, runs_folder

    folder = find_damaged(run, runs_folder(runs))
    if repair:
        with lock.holding(folder):
            _repair(folder)
    sys.exit(0 if _report(folder, live=lock.holder(folder) is not None) else 1)


def _repair(folder: Path) -> None:
    from vaemon.runfile.repair import repair_run

    try:
        for told in repair_run(folder):
            click.echo(harmless(f"repaired {told}"))
    except (OSError, RuntimeError) as error:
        raise RunFileError(f"{folder} could not be repaired to the end: {error}; nothing was destroyed") from error


def _report(folder: Path, *, live: bool) -> bool:
    """Tell how each file fares; whether nothing is wrong."""
    from vaemon.runfile.check import check_run

    good, mendable = True, False
    for checked in check_run(folder, live=live):
        severe = [finding for finding in checked.findings if not finding.harmless]
        good = good and not severe
        mendable = mendable or any(finding.remedy for finding in checked.findings)
        what = f"{checked.rows:,} rows in {checked.commits:,} commits" if checked.rows else ""
        says = (
            what if severe or checked.findings else f"{what}: checksums, order and pyramid right" if what else "right"
        )
        click.echo(harmless(f"{'✗' if severe else '✓'} {checked.file.name}  {says}".rstrip()))
        for finding in checked.findings:
            click.echo(harmless(f"    {finding.text}"))
    if mendable and not live:
        click.echo(
            harmless(f"`vaemon check {folder.name} --repair` mends what can be mended; nothing is destroyed by it")
        )
    return good
