"""The links to other machines: one to each, however many of its runs are watched. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import partial
from posixpath import basename, dirname
from typing import TYPE_CHECKING

from vaemon.errors import SourceLost, UsageError, nearest
from vaemon.source.far.address import FarAddress, Place
from vaemon.source.far.remote import RemoteDirectory, RemoteSource

if TYPE_CHECKING:
    from vaemon.source.far.link import Link

Given = Mapping[str, float] | None

LISTING = 5.0
"""Seconds for which runs are read, at the far end, to find those of a pattern."""
LATEST = "latest"


class Links:
    """Makes a link when the first run of a machine is opened, and ends it when the last is closed."""

    def __init__(self, python: str = "") -> None:
        """Make links with the interpreter `python` at the far end; "": one is found there."""
        self._python = python
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
        link, let_go = self._take(place, address.path, ""), partial(self._let_go, place)
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
        return RemoteDirectory(
            self._take(place, "", folder), folder, thresholds=thresholds, let_go=partial(self._let_go, place)
        )

    def addresses_like(self, pattern: FarAddress) -> list[FarAddress]:
        """The addresses of the runs of a machine that a pattern of names means, the newest first.

        Raises:
            UsageError: there is none; the nearest name is given.
        """
        folder, wanted = dirname(pattern.path), basename(pattern.path)
        directory = self.directory(pattern.place, folder)
        try:
            names = [each.name for each in directory.runs(LISTING)]
        finally:
            directory.close()
        found = [name for name in names if fnmatchcase(name, wanted)]
        if not found:
            where, near = pattern.place.address(folder), nearest(wanted.strip("*?[]"), names)
            meant = f" (did you mean {near!r}?)" if near else ""
            raise UsageError(f"no run in {where} has a name like {wanted!r}{meant}; `vaemon ls {where}` lists them")
        return [FarAddress(pattern.place, f"{folder}/{name}" if folder else name) for name in found]

    def _take(self, place: Place, run: str, runs: str) -> Link:
        if place not in self._held:
            from vaemon.source.far.link import Link
            from vaemon.source.far.ssh import FarEnd

            link = Link(FarEnd(place, self._python, run, runs or dirname(run)))
            link.connect()
            self._held[place], self._users[place] = link, 0
        self._users[place] += 1
        return self._held[place]

    def _let_go(self, place: Place) -> None:
        self._users[place] -= 1
        if not self._users[place]:
            self._held.pop(place).close()
