"""The option by which a run is looked at by other thresholds than its own."""

from collections.abc import Iterable
from dataclasses import fields

import click

from vaemon.errors import UnknownName, UsageError
from vaemon.thresholds import DEFAULT, NAMES, Thresholds

judging = click.option(
    "--threshold",
    "thresholds",
    metavar="NAME=VALUE",
    multiple=True,
    callback=lambda context, option, given: parse_thresholds(given),
    help="Judge latents by another threshold than the run's own: "
    + ", ".join(f"{each.name} ({getattr(DEFAULT, each.name):g})" for each in fields(Thresholds))
    + ". May be repeated.",
)
"""Gives a command `thresholds`, by name; the events of a run are then found anew in its rows."""


def parse_thresholds(given: Iterable[str]) -> dict[str, float]:
    """Thresholds by name, as they are written: "wake=0.25".

    Raises:
        UnknownName: there is no such threshold.
        UsageError: it is not written so.
    """
    return dict(_parsed(each) for each in given)


def _parsed(text: str) -> tuple[str, float]:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals:
        raise UsageError(f"--threshold takes NAME=VALUE, as in wake=0.25, not {text!r}")
    if name not in NAMES:
        raise UnknownName("threshold", name, NAMES)
    try:
        return name, float(value)
    except ValueError as error:
        raise UsageError(f"--threshold {name} takes a number, not {value!r}") from error
