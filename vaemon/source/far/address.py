"""Addresses on other machines: HOST:RUN, USER@HOST:PATH, ssh://USER@HOST:PORT/PATH. Imports nothing heavy."""

import re
from posixpath import dirname
from typing import NamedTuple, Self
from urllib.parse import unquote, urlsplit

from vaemon.errors import UsageError

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = "ssh://"


class Place(NamedTuple):
    """A machine, as ssh knows it."""

    host: str
    """A name, an IP address, or an alias of ~/.ssh/config; with USER@ where it was given."""
    port: int | None = None
    """None: what ssh takes it to be."""

    def address(self, run: str) -> str:
        """The address of a run, or a folder of runs, there."""
        user, at, host = self.host.rpartition("@")
        whole = f"{user}{at}[{host}]" if ":" in host else self.host
        if self.port is None:
            return f"{whole}:{run}"
        # The path of a URL begins at the root; what lies below the login folder begins with ~ there.
        path = run if run.startswith("/") or not run else f"/{'~/' * ('/' in run)}{run.removeprefix('~/')}"
        return f"{_SCHEME}{whole}:{self.port}{path}"


class FarAddress(NamedTuple):
    """Where a run is, or a folder of runs."""

    place: Place
    path: str
    """There: a run's name, a path, a pattern; "": where runs are by default."""

    @property
    def folder(self) -> str:
        """The folder that the run is in; "": where runs are by default."""
        return dirname(self.path)

    @classmethod
    def parse(cls, address: str) -> Self | None:
        """The parts of an address; None where it is one of this machine.

        As of scp, it is another machine's where a colon comes before the first slash; `./a:b` is a path here. In a URL,
        the path after the host is one from the root, or from the login folder where it begins with `/~/`; a single
        part, as in ssh://host/run42, is a run's name.

        Raises:
            UsageError: it names no host, or a host, user or run that another program could take for an option.
        """
        if address.startswith(_SCHEME):
            return cls._of_url(address)
        before, colon, path = _split(address)
        if not colon or "/" in before:
            return None
        return cls(
            Place(_checked("host", before.strip("[]") if ":" in before else before, address)), _path(path, address)
        )

    @classmethod
    def _of_url(cls, address: str) -> Self:
        parts = urlsplit(address)
        try:
            port = parts.port
        except ValueError:
            raise UsageError(f"{address!r} has no port that can be; it is a number up to 65535") from None
        if parts.password is not None:
            raise UsageError("a password in an address would be seen by everybody; leave it out, ssh asks for it")
        if parts.query or parts.fragment:
            raise UsageError(f"{address!r} has a '?' or '#', which no run can have")
        user, host = unquote(parts.username or ""), _checked("host", parts.hostname or "", address)
        whole = f"{_checked('user', user, address)}@{host}" if user else host
        path = unquote(parts.path)
        is_name = "/" not in path.strip("/")
        if is_name or path.startswith("/~/"):
            path = path.removeprefix("/~/").strip("/")
        return cls(Place(whole, port), _path(path, address))


def _split(address: str) -> tuple[str, str, str]:
    """What is before the colon that ends the host, that colon, and what is after it."""
    bracket = re.match(r"([^/:@]*@)?\[[0-9A-Fa-f:.]+\](?=:)", address)  # an IPv6 address has colons of its own
    if bracket:
        return bracket.group().replace("[", "").replace("]", ""), ":", address[bracket.end() + 1 :]
    return address.partition(":")


def _checked(what: str, name: str, address: str) -> str:
    user, at, host = name.rpartition("@")
    wrong = [each for each in (*([user] if at else []), host) if not each or each.startswith("-")]
    if wrong or _CONTROL.search(name) or re.search(r"\s", name):
        why = f"begins with '-': {wrong[0]!r}" if wrong and wrong[0] else "is none"
        raise UsageError(f"the {what} of {_shown(address)} {why}; an address is HOST:RUN or USER@HOST:PATH")
    return name


def _path(path: str, address: str) -> str:
    if path.startswith("-"):
        raise UsageError(f"the run of {_shown(address)} begins with '-', as no run does; a path would be ./{path[:40]}")
    if _CONTROL.search(path):
        raise UsageError(f"the run of {_shown(address)} has a character that cannot be seen")
    return path


def _shown(address: str) -> str:
    return repr(address if len(address) < 80 else f"{address[:80]}…")
