"""The parts of docs/benchmarks.md that benchmarks have printed, each between its marks; what stands around is prose.

<!-- measured: fid -->
…
<!-- end of fid -->
"""

import os
import re
from contextlib import suppress
from pathlib import Path

_PART = re.compile(r"^<!-- measured: ([\w-]+) -->\n(.*?)^<!-- end of \1 -->$", re.DOTALL | re.MULTILINE)
_MARK = re.compile(r"^<!-- (?:measured:|end of) .*-->$", re.MULTILINE)


class PageError(Exception):
    """The page and the benchmarks do not fit together; says where and what to do."""


def parts(text: str) -> dict[str, str]:
    """What stands between the marks, by the name in them.

    Raises:
        PageError: a mark has no other half, or a name stands twice.
    """
    found: dict[str, str] = {}
    for match in _PART.finditer(text):
        name, part = match.groups()
        if name in found:
            raise PageError(f"{name} is marked twice: take away one `<!-- measured: {name} -->` and its end")
        found[name] = part
    if lonely := _MARK.search(_PART.sub("", text)) or next(filter(None, map(_MARK.search, found.values())), None):
        raise PageError(
            f"`{lonely[0]}` has no other half: a part is `<!-- measured: NAME -->` … `<!-- end of NAME -->`"
        )
    return found


def check(path: Path, names: list[str]) -> None:
    """See to it that the page has a part for each of the names, and no other.

    Raises:
        PageError: it has not.
    """
    there = parts(_read(path))
    for name in names:
        if name not in there:
            raise PageError(
                f"{path} has no part for {name}: add `<!-- measured: {name} -->` and `<!-- end of {name} -->`"
            )
    for name in there:
        if name not in names:
            raise PageError(f"{path} has a part for {name}, which is no benchmark; they are: {', '.join(names)}")


def replace(path: Path, name: str, printed: str) -> None:
    """Put what a benchmark printed in the place of its old part, at one stroke.

    The page is read anew, for a benchmark takes minutes, in which someone may have written in it.

    Raises:
        PageError: the part is no longer there, what was printed has marks of its own, or the page cannot be written.
    """
    text = _read(path)
    if _MARK.search(printed):
        raise PageError(f"{name} printed a mark of the page")
    if name not in parts(text):
        raise PageError(f"{path} no longer has a part for {name}")
    new = f"<!-- measured: {name} -->\n{printed.strip()}\n<!-- end of {name} -->"
    written = _PART.sub(lambda match: new if match[1] == name else match[0], text)
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_text(written, encoding="utf-8")
        os.replace(beside, path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise PageError(f"{path} cannot be written: {error.strerror}; make room or give --page FILE") from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise PageError(f"{path} cannot be read: {error.strerror}") from None
