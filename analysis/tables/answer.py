"""From what the command line says of tables and figures to what is printed or written."""

import json
import shlex
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from analysis.tables.build import build
from analysis.tables.choice import only
from analysis.tables.members import RECIPE, members
from analysis.tables.shape import Table
from analysis.tables.text import to_text
from analysis.tables.written import to_csv, to_json
from analysis.terminal import Form
from vaemon.source.far.address import FarAddress
from vaemon.source.far.links import Links
from vaemon.source.open import open_several
from vaemon.source.protocol import Source


@dataclass(frozen=True, slots=True)
class Asked:
    """The runs, as they were named."""

    addresses: tuple[str, ...]
    runs: Path | None
    """The folder of runs; None: the usual one."""
    links: Links
    only: str | None = None
    """A condition that they must meet."""

    @contextmanager
    def opened(self) -> Iterator[list[tuple[str, Source]]]:
        """The sources of the runs, each with a name that tells it from the others; of the latest where none is named.

        Raises:
            UnknownName, UsageError: there is no such run.
            SourceLost, FarEndLacksVaemon: another machine does not answer, or has no vaemon.
        """
        with ExitStack() as held:
            sources = open_several(self.addresses, self.runs, links=self.links)
            for _, source in sources:
                held.callback(source.close)
            yield sources

    def command(self, options: str) -> str:
        """`vaemon analyze` of those of these runs that are on this machine."""
        here = [each for each in self.addresses if FarAddress.parse(each) is None]
        where = [] if self.runs is None else ["--runs", str(self.runs)]
        return " ".join(filter(None, ("vaemon analyze", shlex.join([*here, *where]), options)))


def table_of(asked: Asked, number: int) -> Table:
    """One of the paper's tables, of the runs that are meant.

    Raises:
        VaemonError: there are no such runs, or nothing of them to fill it with.
    """
    with asked.opened() as sources:
        return build(number, only(members(sources), asked.only))


def as_text(table: Table, asked: Asked, how: Form) -> str:
    """The table for people; its last line says how to get what it lacks."""
    return to_text(table, lacking(table.lacking, asked), *how)


def as_json(table: Table) -> str:
    """The table for scripts."""
    return json.dumps(to_json(table), indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def as_csv(table: Table) -> str:
    """The table for spreadsheets."""
    return to_csv(table)


def lacking(columns: Sequence[str], asked: Asked) -> str:
    """How to get what is lacking; empty where nothing is."""
    if not columns:
        return ""
    named = " and ".join([", ".join(columns[:-1])] * (len(columns) > 1) + [columns[-1]])
    return f"{named} not computed of all runs yet: {asked.command(f'--fid --recipe {RECIPE}')}"
