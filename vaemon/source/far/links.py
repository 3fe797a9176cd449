"""The links to other machines: one to each, however many of its runs are watched. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import partial
from posixpath import basename, dirname
from typing import TYPE_CHECKING

from vaemon.errors import SourceLost, UsageError, nearest
from vaemon.runfile.find import LATEST
from vaemon.runfile.selection import is_pattern
from vaemon.source.far.address import FarAddress, Place
from vaemon.source.far.remote import RemoteDirectory, RemoteSource

if TYPE_CHECKING:
    from vaemon.batch import Listed
    from vaemon.source.far.link import Link

Given = Mapping[str, float] | None

LISTING = 5.0
"""Seconds for which runs are read at the far end, to be listed, before it says what it has."""
PYTHON = "VAEMON_REMOTE_PYTHON"
"""The variable with the interpreter at the far end, where --remote-python is not given."""


class Links:
    """Makes a link when the first run of a machine is opened, and ends it when the last is closed."""

    def __init__(self, python: str = "", *, keeps: bool = False) -> None:
        """Make links.

        Args:
            python: the interpreter at the far end; "": one is found there.
            keeps: whether links are kept, though no run is open, until all are closed.
        """
        self._python = python
        self._keeps = keeps
        self._held: dict[Place, Link] = {}
        self._users: dict[Place, int] = {}

    def source(self, address: FarAddress, thresholds: Given = None, *, exists: bool = False) -> RemoteSource:
        """Open a run; a password may be asked for on the terminal.

        Args:
            address: the run's.
            thresholds: those by which it is to be looked at, by name, where not by its own.
            exists: whether it must be there already; else it is waited for.

        Raises:
            SourceLost: the machine cannot be reached.
            FarEndLacksVaemon: there is no vaemon on it.
            UnknownName, UsageError: there is no such run; or the thresholds make no sense.
        """
        place = address.place
        link, let_go = self._take(*address), partial(self._let_go, place)
        source = RemoteSource(link, address.path or LATEST, thresholds=thresholds, exists=exists, let_go=let_go)
        try:
            # What is asked for wrongly is said before there is a screen; what is lost may come back.
            with suppress(SourceLost):
                source.info()
        except BaseException:
            source.close()
            raise
        return source

    def directory(self, place: Place, folder: str = "", thresholds: Given = None) -> RemoteDirectory:
        """The runs of a folder of a machine; "": where runs are there by default. Raises as `source`."""
        return self._directory(FarAddress(place, f"{folder}/" if folder else ""), folder, thresholds)

    def _directory(self, asked: FarAddress, folder: str, thresholds: Given) -> RemoteDirectory:
        link, let_go = self._take(*asked), partial(self._let_go, asked.place)
        return RemoteDirectory(link, folder, thresholds=thresholds, let_go=let_go)

    def listed(self, asked: FarAddress, thresholds: Given = None) -> list[tuple[FarAddress, Listed]]:
        """The runs of a machine that are meant, each with its address, the newest first.

        Args:
            asked: a folder of runs ("": where runs are there by default), a run's name, or a pattern of names, below a
                folder or not.
            thresholds: as of `source`.

        Raises:
            SourceLost, FarEndLacksVaemon: as of `source`.
        """
        folder, wanted = dirname(asked.path), basename(asked.path)
        if folder and wanted and not is_pattern(wanted) and (whole := self._listed(asked, asked.path, thresholds)):
            return whole
        return [each for each in self._listed(asked, folder, thresholds) if fnmatchcase(each[1].name, wanted or "*")]

    def _listed(self, asked: FarAddress, folder: str, thresholds: Given) -> list[tuple[FarAddress, Listed]]:
        directory = self._directory(asked, folder, thresholds)
        try:
            told, left = directory.runs(LISTING), -1
            while (unread := sum(each.batch is None and not each.reason for each in told)) and unread != left:
                told, left = directory.runs(LISTING), unread  # it goes on with those that it had no time for
        finally:
            directory.close()
        return [
            (FarAddress(asked.place, f"{folder.rstrip('/')}/{each.name}" if folder else each.name), each)
            for each in told
        ]

    def addresses_like(self, pattern: FarAddress) -> list[FarAddress]:
        """The addresses of the runs of a machine that a pattern of names means, the newest first.

        Raises:
            UsageError: there is none; the nearest name is given.
            SourceLost, FarEndLacksVaemon: as of `source`.
        """
        folder, wanted = dirname(pattern.path), basename(pattern.path)
        every = self._listed(pattern, folder, None)
        found = [address for address, each in every if fnmatchcase(each.name, wanted)]
        if not found:
            where, near = pattern.place.address(folder), nearest(wanted.strip("*?[]"), [each.name for _, each in every])
            meant = f" (did you mean {near!r}?)" if near else ""
            raise UsageError(f"no run in {where} has a name like {wanted!r}{meant}; `vaemon ls {where}` lists them")
        return found

    def _take(self, place: Place, path: str) -> Link:
        if place not in self._held:
            from vaemon.source.far.link import Link
            from vaemon.source.far.ssh import FarEnd

            link = Link(FarEnd(place, self._python, path))
            link.connect()
            self._held[place], self._users[place] = link, 0
        self._users[place] += 1
        return self._held[place]

    def _let_go(self, place: Place) -> None:
        self._users[place] -= 1
        if not self._users[place] and not self._keeps and place in self._held:
            self._held.pop(place).close()

    @property
    def are_any(self) -> bool:
        """Whether there are any: whether anything asked for is on another machine."""
        return bool(self._held)

    def close(self) -> None:
        """End all links."""
        for each in self._held.values():  # all of them first, to wait but once for those that do not end by themselves
            each.hang_up()
        while self._held:
            self._held.popitem()[1].close()
