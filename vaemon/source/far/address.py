"""Addresses on other machines: HOST:RUN, USER@HOST:PATH, ssh://USER@HOST:PORT/PATH. Imports nothing heavy."""

import re
from posixpath import basename, dirname
from typing import NamedTuple, Self
from urllib.parse import quote, unquote

from vaemon.errors import UsageError

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NO_HOST = re.compile(r"""[\s'"`$\\;&<>|(){}\[\]/]""")
"""What no host or user has: ssh hands them on to the shell, where its config has a ProxyCommand or a Match exec."""
_NUMBERED = r"\[[0-9A-Fa-f:.]+(?:%[\w.-]+)?\]"
"""An IPv6 address has colons of its own, hence the brackets; a link's has a zone."""
_SCHEME = "ssh://"
_URL = re.compile(rf"ssh://(?:([^/]*)@)?({_NUMBERED}|[^/:@\[\]]*)(?::(\d*))?(/.*)?", re.DOTALL)
_PLAIN = " !\"$&'()*+,:;<=>@[\\]^`{|}~/"
"""Characters that need no escape in the path of a URL of ours, beside letters and digits of any language."""


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
        whole = f"{quote(user, safe='')}{at}" + whole.removeprefix(f"{user}{at}").replace("%", "%25")
        return f"{_SCHEME}{whole}:{self.port}{_as_url_path(run)}"


class FarAddress(NamedTuple):
    """Where a run is, or a folder of runs."""

    place: Place
    path: str
    """There: a run's name, a path, a pattern; "": where runs are by default."""

    @property
    def folder(self) -> str:
        """The folder that the run is in; "": where runs are by default."""
        return dirname(self.path)

    @property
    def title(self) -> str:
        """What the run is called, as far as its address tells."""
        return f"{self.place.host}:{basename(self.path)}"

    @classmethod
    def parse(cls, address: str) -> Self | None:
        """The parts of an address; None where it is one of this machine.

        As of scp, it is another machine's where a colon comes before the first slash; `./a:b` is a path here. In a URL,
        the path after the host is one from the root, or from the login folder where it begins with `/~/`; a single
        part, as in ssh://host/run42, is a run's name, and `//run42` is at the root.

        Raises:
            UsageError: it names no host, or a host, user or run that another program could take for an option.
        """
        if address.startswith(_SCHEME):
            return cls._of_url(address)
        before, colon, path = _split(address)
        if not colon or "/" in before:
            return None
        return cls(Place(_checked("host", before, address)), _path(path, address))

    @classmethod
    def _of_url(cls, address: str) -> Self:
        parts = _URL.fullmatch(address)
        if parts is None:
            raise UsageError(f"{_shown(address)} is no address; it would be ssh://USER@HOST:PORT/PATH")
        user, host, port, path = (part or "" for part in parts.groups())
        if ":" in user:
            raise UsageError("a password in an address would be seen by everybody; leave it out, ssh asks for it")
        if "?" in address or "#" in address:
            raise UsageError(f"{_shown(address)} has a '?' or '#', which no run can have")
        if port and not (len(port) < 6 and 0 < int(port) < 65536):
            raise UsageError(f"{_shown(address)} has no port that can be; it is a number up to 65535")
        host = _checked("host", host.strip("[]").replace("%25", "%"), address)
        whole = host if parts[1] is None else f"{_checked('user', unquote(user), address)}@{host}"
        return cls(Place(whole, int(port) if port else None), _path(_of_url_path(path), address))


def _as_url_path(run: str) -> str:
    """A run, or a folder of runs, as the path of a URL; a name is a single part, what is below the login folder not."""
    quoted = "".join(c if c.isalnum() or c in _PLAIN else quote(c, errors="surrogateescape") for c in run)
    if run.startswith("/"):
        return quoted if "/" in run.strip("/") and not run.startswith("//") else f"/{quoted}"
    if "/" not in run:
        return f"/{quoted}" if run else ""
    return f"/{quoted}" if run.startswith("~/") else f"/~/{quoted}"


def _of_url_path(path: str) -> str:
    if path.startswith("//"):
        return unquote(path[1:], errors="surrogateescape")
    below = path.removeprefix("/~/")
    if below != path:
        return unquote(below if "/" in below else path[1:], errors="surrogateescape")
    return unquote(path if "/" in path.strip("/") else path.strip("/"), errors="surrogateescape")


def _split(address: str) -> tuple[str, str, str]:
    """What is before the colon that ends the host, that colon, and what is after it."""
    bracket = re.match(rf"([^/:]*@)?{_NUMBERED}(?=:)", address)
    if bracket:
        return bracket.group().replace("[", "").replace("]", ""), ":", address[bracket.end() + 1 :]
    return address.partition(":")


def _checked(what: str, name: str, address: str) -> str:
    user, at, host = name.rpartition("@")
    wrong = [each for each in (*([user] if at else []), host) if not each or each.startswith("-")]
    if wrong or _CONTROL.search(name) or _NO_HOST.search(name):
        why = f"begins with '-': {wrong[0]!r}" if wrong and wrong[0] else "is none"
        raise UsageError(f"the {what} of {_shown(address)} {why}; an address is HOST:RUN or USER@HOST:PATH")
    return name


def _path(path: str, address: str) -> str:
    if _CONTROL.search(path):
        raise UsageError(f"the run of {_shown(address)} has a character that cannot be seen")
    if path.startswith("-"):
        raise UsageError(f"the run of {_shown(address)} begins with '-', as no run does; a path would be ./{path[:40]}")
    return path


def _shown(address: str) -> str:
    return repr(address if len(address) < 80 else f"{address[:80]}…")
