"""The ceilings of the house: files and functions that can be read at one sitting."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path for room in ("vaemon", "trainer", "analysis") for path in (ROOT / room).rglob("*.py"))
LONG_FUNCTIONS: set[str] = set()
"""Exceptions, each with its reason."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_is_small_and_says_what_it_is(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a module begins with a docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name not in LONG_FUNCTIONS:
            assert (node.end_lineno or 0) - node.lineno < 60, f"{node.name} is longer than 60 lines"


def test_no_room_is_a_drawer_for_everything():
    names = {part for path in FILES for part in (*path.relative_to(ROOT).parts[:-1], path.stem)}
    assert not names & {"utils", "util", "helpers", "common", "manager", "base", "misc"}
