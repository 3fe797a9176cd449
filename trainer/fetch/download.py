"""One file over HTTPS: resumed where it was cut, checked, and only then given its name."""

import fcntl
import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from trainer.fetch.catalogue import File
from vaemon.errors import NotFetched
from vaemon.version import __version__

SCHEMES = ("https",)
"""What an address, and one that it leads on to, may begin with."""
TRIES = 3
"""Of each mirror; each goes on where the one before was cut."""
PAUSE = 1.0
"""Seconds before the second try; twice as many before the third."""
TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as cut."""
BLOCK = 2**18

Told = Callable[[int], None]
"""Takes how many bytes are there."""


class Unreachable(NotFetched):
    """No mirror gave the file."""


class _Cut(Exception):
    """A connection that ended early; another try may go on from there."""


class _Refused(Exception):
    """A mirror that will not do, however often it is asked."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirection to an address of another kind."""

    def redirect_request(self, request: Any, file: Any, code: Any, message: Any, headers: Any, address: str) -> Any:
        _refuse_open(address)
        return super().redirect_request(request, file, code, message, headers, address)


def fetch(file: File, mirrors: Sequence[str], folder: Path, told: Told) -> bool:
    """Fetch a file into a folder, unless it is there already.

    What is there of an earlier try, NAME.part, is gone on with.

    Args:
        file: what.
        mirrors: addresses below which it lies.
        folder: where to; it must exist.
        told: shown how far it is.

    Returns:
        Whether anything had to be fetched.

    Raises:
        Unreachable: no mirror gave it.
        NotFetched: another file of that name is there, which is left as it is; or another process is fetching it.
        OSError: it cannot be written.
    """
    target = folder / file.name
    if target.exists():
        verify(file, target)
        return False
    reasons = []
    with (folder / f"{file.name}.part").open("ab") as part:
        _lock(part, target)
        for mirror in mirrors:
            try:
                _from_mirror(file, mirror + file.name, part, told)
            except (_Refused, _Cut) as error:
                reasons.append(f"{mirror}{file.name}: {error}")
                continue
            os.fsync(part.fileno())
            os.replace(part.name, target)
            return True
        there = os.fstat(part.fileno()).st_size
        if not there:
            os.unlink(part.name)
    later = f"; {there:,} bytes are kept, and the same command goes on from there" if there else ""
    raise Unreachable(f"{file.name} could not be fetched{later}\n  " + "\n  ".join(reasons))


def verify(file: File, path: Path) -> None:
    """Raise NotFetched where a file is not the one published."""
    if _sum(file, path) != file.checksum:
        raise NotFetched(
            f"{path} is there, but is not {file.name} as published (its {file.checksum.partition(':')[0]} differs): "
            "move it away and fetch it again, or give another folder with --to"
        )


def _lock(part: IO[bytes], target: Path) -> None:
    try:
        fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise NotFetched(f"another process is fetching {target}; wait for it") from None


def _from_mirror(file: File, address: str, part: IO[bytes], told: Told) -> None:
    """Fetch all of it from one mirror; _Refused or _Cut where that fails."""
    _refuse_open(address)
    resumed = os.fstat(part.fileno()).st_size > 0
    _tried(file, address, part, told)
    if resumed and not _is_whole(file, part):
        part.truncate(0)  # what was there before may have been of another file
        _tried(file, address, part, told)
    if not _is_whole(file, part):
        part.truncate(0)
        raise _Refused(f"gave another file than the one published (its {file.checksum.partition(':')[0]} differs)")


def _is_whole(file: File, part: IO[bytes]) -> bool:
    return _sum(file, Path(part.name)) == file.checksum


def _tried(file: File, address: str, part: IO[bytes], told: Told) -> None:
    """Fetch it in as many tries as may be; _Refused or _Cut where none of them comes to its end."""
    for attempt in range(TRIES):
        time.sleep(PAUSE * attempt)
        try:
            _go_on(file, address, part, told)
            return
        except urllib.error.HTTPError as error:
            if error.code < 500:
                raise _Refused(f"{error.code} {error.reason}") from error
            cut = f"{error.code} {error.reason}"
        except urllib.error.URLError as error:
            cut = str(error.reason)
        except (_Cut, http.client.HTTPException) as error:
            cut = str(error) or type(error).__name__
    raise _Cut(cut)


def _go_on(file: File, address: str, part: IO[bytes], told: Told) -> None:
    there = os.fstat(part.fileno()).st_size
    if there > file.size:
        part.truncate(0)
        there = 0
    if there == file.size:
        return
    headers = {"User-Agent": f"vaemon/{__version__}", "Accept-Encoding": "identity"}
    if there:
        headers["Range"] = f"bytes={there}-"
    opener = urllib.request.build_opener(_Redirects)
    with opener.open(urllib.request.Request(address, headers=headers), timeout=TIMEOUT) as answer:
        if not (answer.status == 206 and _begins_at(answer.headers.get("Content-Range", ""), there)):
            part.truncate(0)  # the mirror knows no ranges: from the beginning
            there = 0
        told(there)
        while block := _read(answer):
            there += len(block)
            if there > file.size:
                part.truncate(0)
                raise _Refused(f"gives more than the {file.size:,} bytes published")
            part.write(block)
            part.flush()
            told(there)
    if there < file.size:
        raise _Cut(f"the connection was cut after {there:,} of {file.size:,} bytes")


def _read(answer: IO[bytes]) -> bytes:
    try:
        return answer.read(BLOCK)
    except OSError as error:  # told apart from that of a disk that cannot be written
        raise _Cut(str(error) or type(error).__name__) from error


def _begins_at(content_range: str, start: int) -> bool:
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", content_range.strip())
    return found is not None and int(found[1]) == start


def _refuse_open(address: str) -> None:
    if address.partition(":")[0].lower() not in SCHEMES:
        raise _Refused(f"{address} is not {SCHEMES[0]}")


def _sum(file: File, path: Path) -> str:
    algorithm = file.checksum.partition(":")[0]
    found = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as content:
        while block := content.read(2**22):
            found.update(block)
    return f"{algorithm}:{found.hexdigest()}"
