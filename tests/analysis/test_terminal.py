"""What form a text takes on stdout: its width, its colours, its signs."""

import sys
from types import SimpleNamespace

import pytest

from analysis import terminal
from analysis.terminal import Form, fits, form, to_ascii


@pytest.mark.parametrize(
    ("is_terminal", "encoding", "expected"),
    [
        (True, "utf-8", Form(72, True, False)),
        (True, "ascii", Form(72, True, True)),
        (False, "utf-8", Form(100, False, False)),
        (False, None, Form(100, False, True)),
    ],
)
def test_the_form_is_that_of_stdout(monkeypatch, is_terminal, encoding, expected):
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(isatty=lambda: is_terminal, encoding=encoding))
    monkeypatch.setattr(terminal.shutil, "get_terminal_size", lambda: SimpleNamespace(columns=72))
    assert form("σ²") == expected


def test_no_color(monkeypatch):
    for told, expected in (("1", False), ("", True)):
        monkeypatch.setenv("NO_COLOR", told)
        assert Form(80, True, False).colour is expected
    assert not Form(80, False, False).colour


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("σ²", "utf-8", True),
        ("σ²", "ascii", False),
        ("plain", "ascii", True),
        ("é", "latin-1", True),
        ("a", "no", False),
    ],
)
def test_fits(text, encoding, expected):
    assert fits(text, encoding) is expected


def test_to_ascii():
    assert to_ascii("E[σ²] ≥ 0.8, awake ≤ 0.5 · 1–2 │ ██▌▏") == "E[s^2] >= 0.8, awake <= 0.5 | 1-2 | ### "
