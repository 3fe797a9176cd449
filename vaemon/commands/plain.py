"""Prints a run without a screen: one frame, or update after update; as text or as JSON."""

import sys
import time

import click

from vaemon.commands.alerting import complain
from vaemon.commands.sentry import Sentry
from vaemon.headless.follow import PATIENCE, Update, now_of, updates
from vaemon.headless.record import as_json
from vaemon.headless.text import frame, line, news
from vaemon.source.protocol import Source
from vaemon.view.signs import written
from vaemon.view.status import status

HZ = 1.0
"""Questions a second, by default."""


def print_once(
    source: Source, sentry: Sentry, *, json: bool, hz: float | None, patience: float | None, ascii_only: bool
) -> None:
    """One frame: at once, or, where something is waited for, when there is nothing more to wait for."""
    if sentry.waits:
        for last in updates(source, sentry, hz=hz or HZ, patience=patience or PATIENCE):
            _ring(last)
    else:
        view, now = now_of(source), time.time()
        last = Update(view, view, sentry.see(view, status(view, now)), now)
        _ring(last)
    view = last.seen.view
    _say(as_json(view, last.now, last.seen.alerts) if json else frame(view, last.now), ascii_only)


def print_updates(
    source: Source, sentry: Sentry, *, json: bool, hz: float | None, patience: float | None, ascii_only: bool
) -> None:
    """A line for each update, and one for each new event; or a JSON object in a line for each update."""
    for update in updates(source, sentry, hz=hz or HZ, patience=patience or PATIENCE):
        if not update.new:
            continue
        if json:
            _say(as_json(update.view, update.now, update.seen.alerts), ascii_only)
        else:
            _say("\n".join([line(update.view, update.now), *news(update.before, update.view)]), ascii_only)
        _ring(update)


def _say(text: str, ascii_only: bool) -> None:
    click.echo(written(text, getattr(sys.stdout, "encoding", None), ascii_only=ascii_only))


def _ring(update: Update) -> None:
    complain(update.seen.troubles)
    terminals = [stream for stream in (sys.stderr, sys.stdout) if stream is not None and stream.isatty()]
    if update.seen.escapes and terminals:
        terminals[0].write(update.seen.escapes)
        terminals[0].flush()
