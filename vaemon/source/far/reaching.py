"""The option of the commands that reach runs on other machines, which are of two rooms that do not know each other."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from vaemon.source.far.links import PYTHON, Links

Command = TypeVar("Command", bound=Callable[..., Any])


def _links(context: click.Context, parameter: click.Parameter, python: str) -> Links:
    links = Links(python, keeps=True)
    context.call_on_close(links.close)
    return links


def reaching(command: Command) -> Command:
    """Add --remote-python; the command takes `links`."""
    option = click.option(
        "--remote-python",
        "links",
        metavar="PATH",
        default="",
        envvar=PYTHON,
        callback=_links,
        help="For HOST:RUN, the Python there that has vaemon; by default the one that recorded the run.",
    )
    return option(command)
