"""Every promise of SECURITY.md names a test, and each of these exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", SECURITY)


@cache
def names_in(path):
    """Names of the tests of a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_every_test_that_is_named_exists(path, name):
    assert name in names_in(path)


def test_every_promise_names_a_test():
    promises = re.findall(r"^- (.+?)(?=^- |^\n|\Z)", SECURITY, re.MULTILINE | re.DOTALL)
    assert len(promises) > 15
    for promise in promises:
        assert "`tests/" in promise, promise
