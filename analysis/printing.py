"""What was found, to stdout: as text, JSON or CSV."""

import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from analysis.compare import joined_to_text
from analysis.joined import Joined, join_groups, joined_to_json
from analysis.render import to_text
from analysis.report import Report
from analysis.rest import rest
from analysis.several import Answered
from analysis.tabular import to_csv
from analysis.terminal import form

Groups = Mapping[Path, str]
"""Of the folders of runs that belong to a sweep, the sweep and what they are set to."""


def print_json(found: Sequence[Answered], groups: Groups) -> None:
    """All reports, and of several runs what they give together; what is missing is told on stderr."""
    reports = _reports(found)
    for report in reports:
        for kind, reason in report.missing.items():
            click.echo(f"no figures from the {kind} of {report.run}, stage {report.stage}: {reason}", err=True)
    click.echo(json.dumps(joined_to_json(reports, _together(found, groups)), indent=1, allow_nan=False))


def print_csv(found: Sequence[Answered], groups: Groups) -> None:
    """Every value of every report, and of several runs what they give together."""
    click.echo(to_csv(_reports(found), _together(found, groups)), nl=False)


def print_text(found: Sequence[Answered], groups: Groups) -> None:
    """Each report of one run, of several one table a group; and a line that names what was not asked for.

    Args:
        found: what came of each run.
        groups: of which group it is.
    """
    reports, joined = _reports(found), _together(found, groups)
    how = form("σ²μεδ±≥–·─│█▏⣿")
    if joined:
        click.echo(joined_to_text(joined, *how), nl=False, color=how.is_terminal)
    for i, report in enumerate([] if joined else reports):
        if i:
            click.echo()
        click.echo(to_text(report, *how), nl=False, color=how.is_terminal)
    if left := rest(reports):
        click.echo(f"\n{textwrap.fill(left, how.width, break_on_hyphens=False)}")


def _together(found: Sequence[Answered], groups: Groups) -> list[Joined]:
    """The reports of several runs by group; nothing of a run that was asked for alone."""
    return join_groups(_reports(found), groups) if len(found) > 1 or groups else []


def _reports(found: Sequence[Answered]) -> list[Report]:
    return [report for each in found for report in each.reports]
