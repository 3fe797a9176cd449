"""Terminals, asked what they can do. The answers are those of real ones."""

import os

import pytest

from vaemon.commands.doctor import terminal
from vaemon.commands.doctor.asking import QUESTIONS, Answers, understood

KITTY = (
    "\x1b[5;2R\x1bP>|kitty(0.36.4)\x1b\\\x1b_Gi=31;OK\x1b\\"
    "\x1bP1+r4d73=5c455d35323b25703125733b25703225735c303037\x1b\\\x1b[?1006;2$y\x1b[?62;52;c"
)
XTERM = "\x1b[1;2R\x1bP>|XTerm(379)\x1b\\\x1bP1+r4D73=1b5d\x1b\\\x1b[?1006;2$y\x1b[?64;1;2;4;6;9;15;16;17;18;21;22;28c"
TMUX = "\x1b[12;2R\x1bP>|tmux 3.3a\x1b\\\x1b[?1;2c"
LATIN = "\x1b[1;4R\x1b[?1;2c"

HERE = {"TERM": "xterm-256color", "TERM_PROGRAM": ""}


@pytest.mark.parametrize(
    ("answer", "meant"),
    [
        (KITTY, Answers("kitty(0.36.4)", 1, kitty=True, clipboard=True, mouse=True, answered=True)),
        (XTERM, Answers("XTerm(379)", 1, sixel=True, clipboard=True, mouse=True, answered=True)),
        (TMUX, Answers("tmux 3.3a", 1, answered=True)),
        (LATIN, Answers("", 3, answered=True)),
        ("\x1b[?1006;0$y\x1b[?4c", Answers(mouse=False, answered=True)),
        ("", Answers()),
        ("keys typed meanwhile", Answers()),
    ],
)
def test_answers_are_understood(answer, meant):
    assert understood(answer.encode()) == meant


def examined(monkeypatch, environ, answers=Answers(), tmux=""):  # noqa: B008  # it is frozen
    class Terminal:
        encoding = environ.pop("encoding", "utf-8")

        @staticmethod
        def isatty():
            return True

    monkeypatch.setattr(terminal.sys, "stdin", Terminal)
    monkeypatch.setattr(terminal.sys, "stdout", Terminal)
    monkeypatch.setattr(terminal, "ask_terminal", lambda: answers)
    monkeypatch.setattr(terminal, "tmux_option", lambda name: tmux)
    monkeypatch.setattr(terminal, "draws_pictures", lambda choice, environ: environ["TERM"] == "xterm-ghostty")
    return {each.what: each for each in terminal.examine(environ)}


def test_a_terminal_that_can_all_is_fine(monkeypatch):
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "120"), monkeypatch.setenv("LINES", "40")
    found = examined(monkeypatch, {"TERM": "xterm-ghostty"}, understood(KITTY.encode()))
    assert {each.level for each in found.values()} == {"ok"}
    assert found["size"].text == "120 x 40"
    assert found["colours"].text == "all (24 bit)"
    assert found["pictures"].facts == {"drawn": True, "kitty": True, "sixel": False}
    assert found["clipboard"].text == "`y` copies to it (OSC 52)"
    assert found["mouse"].text == "clicks and wheel are told"


@pytest.mark.parametrize(
    ("environ", "answers", "tmux", "what", "said"),
    [
        ({"TERM": "dumb"}, Answers(), "", "terminal", "set TERM"),
        ({"TERM": "xterm", "encoding": "latin-1"}, Answers(), "", "signs", "LC_ALL=C.UTF-8"),
        ({"TERM": "xterm"}, Answers(cells=3), "", "signs", "--ascii"),
        ({"TERM": "tmux", "TMUX": "x"}, Answers(), "external", "clipboard", "set-clipboard on"),
    ],
)
def test_what_could_be_better_is_warned_of_with_a_remedy(monkeypatch, environ, answers, tmux, what, said):
    found = examined(monkeypatch, environ, answers, tmux)
    assert found[what].level == "warning"
    assert said in found[what].advice


def test_a_small_terminal_is_warned_of(monkeypatch):
    monkeypatch.setenv("COLUMNS", "39"), monkeypatch.setenv("LINES", "40")
    assert examined(monkeypatch, {"TERM": "xterm"})["size"].level == "warning"


def test_few_colours_are_warned_of_and_none_where_none_are_wanted(monkeypatch):
    monkeypatch.delenv("COLORTERM", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert examined(monkeypatch, {"TERM": "xterm"})["colours"].level == "warning"
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "256" in examined(monkeypatch, {"TERM": "xterm-256color"})["colours"].text
    assert "$NO_COLOR" in examined(monkeypatch, {"TERM": "xterm", "NO_COLOR": "1"})["colours"].text


def test_where_it_runs_is_told(monkeypatch):
    found = examined(monkeypatch, {"TERM": "tmux", "TMUX": "x", "SSH_CONNECTION": "x"}, understood(TMUX.encode()), "on")
    assert found["terminal"].text == "TERM=tmux · tmux 3.3a · in tmux · over ssh"


@pytest.mark.parametrize("answer", [XTERM, ""], ids=["answers", "is mute"])
def test_a_real_terminal_is_asked_and_left_as_it_was(terminal_of, answer):
    opened = terminal_of("doctor", environment=HERE)
    while b"\x1b[c" not in opened.written:
        opened.read()
    opened.type(answer.encode())
    assert opened.end() == 0
    assert QUESTIONS.encode() in opened.written
    told = opened.written.rpartition(b"\x1b[c")[2].decode()
    assert ("XTerm(379)" in told) == bool(answer)
    assert ("does not say what it can" in told) == (not answer)
    assert "\x1b[?64" not in told  # the answer is not echoed


def test_a_terminal_that_would_write_questions_down_is_not_asked(terminal_of):
    opened = terminal_of("doctor", environment={"TERM": "dumb"})
    assert opened.end() == 0
    assert b"\x1b" not in opened.written
    assert os.fsencode("TERM=dumb") in opened.written
