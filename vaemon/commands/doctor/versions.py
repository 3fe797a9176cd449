"""The versions of what vaemon stands on, against those that it asks for."""

import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from vaemon.diagnosis import Diagnosis, failure, fine
from vaemon.version import __version__

EXTRA = re.compile(r";.*\bextra\s*==")
"""What the metadata say of a package that only some users install."""


def examine() -> Iterator[Diagnosis]:
    """Python, vaemon, and the packages that are there."""
    python = platform.python_version()
    yield fine("Python", f"{python} · {sys.executable}", version=python, executable=sys.executable)
    yield fine("vaemon", __version__, version=__version__)
    try:
        needed = requires("vaemon") or []
    except PackageNotFoundError:  # run from its source, installed nowhere
        needed = []
    found, troubles = {}, []
    for requirement in needed:
        name, wanted = _parsed(requirement)
        if name not in found and (installed(name) or not EXTRA.search(requirement)):
            found[name] = installed(name)
            if not _fits(found[name], wanted):
                troubles.append(f"{name} {found[name] or 'missing'}, {','.join(wanted)} wanted")
    told = " · ".join(f"{name} {number}" for name, number in sorted(found.items()))
    if troubles:
        yield failure("packages", "; ".join(troubles), "pip install --upgrade vaemon", **found)
    else:
        yield fine("packages", told or "nobody says which are wanted: vaemon is not installed", **found)


def installed(package: str) -> str:
    """The version of a package; "" where it is not there. Nothing is imported."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _parsed(requirement: str) -> tuple[str, list[str]]:
    """The name, and the bounds, of a requirement as the metadata have it: "textual<9,>=8.2; extra == 'x'"."""
    plain = requirement.partition(";")[0]
    name = re.split(r"[\s<>=!~\[(]", plain, maxsplit=1)[0]
    return name, re.findall(r"(?:>=|<)\s*[\d.]+", plain)


def _fits(found: str, wanted: list[str]) -> bool:
    def at_least(bound: str) -> bool:
        return _numbers(found) >= _numbers(bound)

    return bool(found) and all(
        at_least(each[2:]) if each.startswith(">=") else not at_least(each[1:]) for each in wanted
    )


def _numbers(text: str) -> tuple[int, ...]:
    numbers = [int(each) for each in re.findall(r"\d+", re.split(r"[+a-z]", text.strip(), maxsplit=1)[0])]
    while numbers and not numbers[-1]:  # 9 and 9.0 are equal
        numbers.pop()
    return tuple(numbers)
