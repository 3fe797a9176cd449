"""What was found, to stdout: as text, JSON or CSV."""

import json
import shutil
import sys
import textwrap
from collections.abc import Collection, Sequence

import click

from analysis.compare import joined_to_text
from analysis.joined import join, joined_to_json
from analysis.render import PLAIN_WIDTH, fits, to_text
from analysis.report import Report
from analysis.rest import rest
from analysis.several import Answered
from analysis.tabular import to_csv


def print_json(found: Sequence[Answered]) -> None:
    """All reports, and of several runs what they give together; what is missing is told on stderr."""
    reports = _reports(found)
    for report in reports:
        for kind, reason in report.missing.items():
            click.echo(f"no figures from the {kind} of {report.run}, stage {report.stage}: {reason}", err=True)
    click.echo(json.dumps(joined_to_json(reports, join(reports) if len(found) > 1 else []), indent=1, allow_nan=False))


def print_csv(found: Sequence[Answered]) -> None:
    """Every value of every report."""
    click.echo(to_csv(_reports(found)), nl=False)


def print_text(found: Sequence[Answered], left_out: Collection[str]) -> None:
    """Each report of one run, of several one table; and a line that names what was not asked for.

    Args:
        found: what came of each run.
        left_out: names of the options that were not given.
    """
    reports, several = _reports(found), len(found) > 1
    colour = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if colour else PLAIN_WIDTH
    ascii_only = not fits("σ²μεδ±≥–·─│█▏⣿", sys.stdout.encoding or "ascii")
    if several:
        click.echo(joined_to_text(join(reports), width, colour, ascii_only), nl=False, color=colour)
    for i, report in enumerate([] if several else reports):
        if i:
            click.echo()
        click.echo(to_text(report, width, colour, ascii_only), nl=False, color=colour)
    if left := rest(reports, left_out):
        click.echo(f"\n{textwrap.fill(left, width, break_on_hyphens=False)}")


def _reports(found: Sequence[Answered]) -> list[Report]:
    return [report for each in found for report in each.reports]
