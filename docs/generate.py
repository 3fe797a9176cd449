"""Write what the pages under docs/, or in another folder that is given, take from the code: `make docs-generate`.

A page has places marked `<!-- generated: NAME -->` … `<!-- end of NAME -->`; what stands between is made anew.
"""

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import click

from vaemon.channels import CHANNELS
from vaemon.cli import COMMANDS
from vaemon.cli import vaemon as command_line
from vaemon.errors import VaemonError
from vaemon.latents import LatentState
from vaemon.thresholds import DEFAULT, NAMES
from vaemon.view.signs import to_ascii
from vaemon.view.status import SIGNS as STATUS_SIGNS
from vaemon.view.words import STATE_WORDS
from vaemon.watch.names import VIEW_NAMES
from vaemon.watch.render.glyphs import STATE
from vaemon.watch.screens.bindings import APP_KEYS, RUN_KEYS, told
from vaemon.watch.screens.help import KIND_WORDS, state_words
from vaemon.watch.widgets.header import COLOURS
from vaemon.watch.widgets.marks import SIGNS as EVENT_SIGNS

DOCS = Path(__file__).parent
HELP_WIDTH = 100
"""Columns of the help texts."""
COLOUR_WORDS = {
    "accent": "blue",
    "active": "yellow",
    "bad": "red",
    "collapsed": "grey",
    "good": "green",
    "limbo": "purple",
    "muted": "grey",
    "waking": "orange",
    "warn": "amber",
}
"""What people call the colours of the palettes."""
_PLACE = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end of \2 -->)", re.DOTALL)


def commands() -> str:
    """The help of every command that is for people, and the general one."""
    shown = [name for name, place in COMMANDS.items() if place.help]
    parts = [f"```text\n{_help(command_line, 'vaemon')}\n```"]
    for name in shown:
        command = command_line.get_command(click.Context(command_line), name)
        assert command is not None
        texts = [_help(command, f"vaemon {name}")]
        if isinstance(command, click.Group):
            texts += [_help(each, f"vaemon {name} {under}") for under, each in command.commands.items()]
        parts.append(f"## vaemon {name}\n\n" + "\n\n".join(f"```text\n{text}\n```" for text in texts))
    return "\n\n".join(parts)


def _help(command: click.Command, name: str) -> str:
    context = click.Context(command, info_name=name, terminal_width=HELP_WIDTH, max_content_width=HELP_WIDTH)
    context.help_option_names = ["-h", "--help"]
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


def channels() -> str:
    """Name, symbol, unit and meaning of each channel."""
    rows = [
        (f"`{each.name}`", each.symbol, each.unit, "(k,)" if each.kind == "latent" else "", each.sentence)
        for each in CHANNELS.values()
    ]
    return _table(("name", "symbol", "unit", "shape", "what it is"), rows)


def thresholds() -> str:
    """Name and default of each threshold."""
    return _table(("threshold", "default"), [(f"`{name}`", f"{getattr(DEFAULT, name):g}") for name in NAMES])


def keys() -> str:
    """The keys of the dashboard, those of a group together."""
    rows = [(" ".join(f"`{key}`" for key in _keys(written)), what) for written, what in told((*RUN_KEYS, *APP_KEYS))]
    return _table(("key", "what it does"), rows)


def _keys(written: str) -> list[str]:
    return [key for part in written.split("  ") for key in part.split()]


def views() -> str:
    """The numbers and names of the views."""
    return _table(("key", "view"), [(f"`{number}`", name) for number, name in VIEW_NAMES.items()])


def latents() -> str:
    """Signs, names and meaning of the states of a latent."""
    meant = state_words(DEFAULT)
    names = {each: STATE_WORDS[each] for each in sorted(LatentState, reverse=True)}
    rows = [(_sign(STATE[each]), name, COLOUR_WORDS[name], meant[each]) for each, name in names.items()]
    return _table(("sign", "a latent is", "colour", "when"), rows)


def states() -> str:
    """Signs, names and meaning of the states of a run."""
    rows = [
        (_sign(STATUS_SIGNS[kind]), str(kind), COLOUR_WORDS[COLOURS[kind]], meant) for kind, meant in KIND_WORDS.items()
    ]
    return _table(("sign", "a run is", "colour", "that means"), rows)


def events() -> str:
    """Signs and colours of the kinds of events."""
    rows = [(_sign(sign), f"`{kind}`", COLOUR_WORDS[colour]) for kind, (sign, colour) in EVENT_SIGNS.items()]
    return _table(("sign", "kind", "colour"), rows)


def exit_codes() -> str:
    """Each error with its exit code, as a tree's depth tells."""
    rows = [(str(each.exit_code), f"`{each.__name__}`", _sentence(each)) for each in _tree(VaemonError)]
    return _table(("exit code", "error", "what it means"), rows)


def _tree(error: type[VaemonError]) -> Iterable[type[VaemonError]]:
    yield error
    for each in error.__subclasses__():
        if each.__module__ == error.__module__:
            yield from _tree(each)


def _sentence(error: type[VaemonError]) -> str:
    return (error.__doc__ or "").strip().splitlines()[0].rstrip(".")


def _sign(sign: str) -> str:
    return f"`{sign}`" if to_ascii(sign) == sign else f"`{sign}` (ASCII: `{to_ascii(sign)}`)"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


MADE: dict[str, Callable[[], str]] = {
    "commands": commands,
    "channels": channels,
    "thresholds": thresholds,
    "keys": keys,
    "views": views,
    "latents": latents,
    "states": states,
    "events": events,
    "exit-codes": exit_codes,
}
"""What is generated, by the names of its places."""


def generated(page: str) -> str:
    """The text of a page with its places made anew. Raises KeyError for a name that nothing makes."""
    return _PLACE.sub(lambda match: f"{match[1]}\n{MADE[match[2]]()}\n\n{match[3]}", page)


def main(folder: Path = DOCS) -> None:
    """Rewrite the pages that are out of date, and name them."""
    for page in sorted(folder.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        if (new := generated(text)) != text:
            page.write_text(new, encoding="utf-8")
            print(page)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
