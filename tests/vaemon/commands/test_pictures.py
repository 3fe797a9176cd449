"""In which terminals pictures are drawn. None is asked anything."""

import pytest

from vaemon.commands.pictures import KITTY_SAYS, ask, draws_pictures

NEW, OLD = "kitty 0.28.0 created by Kovid Goyal", "kitty 0.26.5 created by Kovid Goyal"
KITTY = {"TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1"}
TMUX = {"TERM": "tmux-256color", "TMUX": "/tmp/tmux,1,0", "TERM_PROGRAM": "tmux", "KITTY_WINDOW_ID": "1"}


@pytest.mark.parametrize(
    ("environ", "kitty", "tmux", "draws"),
    [
        (KITTY, NEW, None, True),
        (KITTY, "kitty 1.0.2", None, True),
        (KITTY, OLD, None, False),
        (KITTY, "", None, False),
        (KITTY | {"SSH_CONNECTION": "a"}, None, None, False),
        (KITTY | {"TERM": "xterm-256color"}, NEW, None, True),
        (KITTY | {"TERM": "xterm-256color", "TERM_PROGRAM": "vscode"}, None, None, False),
        (KITTY | {"TERM": "screen", "STY": "1.x"}, None, None, False),
        (KITTY | {"ZELLIJ": "0"}, None, None, False),
        ({"TERM": "xterm-ghostty"}, None, None, True),
        ({"TERM": "xterm-ghostty", "SSH_CONNECTION": "a"}, None, None, True),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "ghostty"}, None, None, True),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, None, None, False),
        ({"TERM": "xterm-256color"}, None, None, False),
        ({}, None, None, False),
        (TMUX, NEW, "on xterm-kitty", True),
        (TMUX, NEW, "all xterm-kitty", True),
        (TMUX, NEW, "1 xterm-kitty", True),
        (TMUX, OLD, "on xterm-kitty", False),
        (TMUX, None, "0 xterm-kitty", False),
        (TMUX, None, "off xterm-kitty", False),
        (TMUX, None, "on xterm-256color", False),
        (TMUX, None, "on xterm-ghostty", True),
        (TMUX, None, " xterm-kitty", False),  # of a version that knows no such option
        (TMUX, None, "", False),
    ],
)
def test_pictures_are_drawn_where_that_is_known(environ, kitty, tmux, draws):
    def answer(words):
        said = kitty if words == KITTY_SAYS else tmux
        assert said is not None, f"{words} was not to be asked"
        return said

    assert draws_pictures("auto", environ, answer) is draws


@pytest.mark.parametrize("choice", ["kitty", "blocks"])
def test_who_chooses_is_believed_and_nobody_is_asked(choice):
    assert draws_pictures(choice, KITTY | TMUX, ask=None) is (choice == "kitty")


def test_a_program_that_is_not_there_or_fails_answers_nothing(tmp_path):
    assert ask([str(tmp_path / "none")]) == ""
    assert ask(["false"]) == ""
    assert ask(["echo", "on x"]) == "on x"
