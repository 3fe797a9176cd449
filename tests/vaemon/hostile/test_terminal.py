"""Texts of strangers, on a terminal: they are drawn, and never obeyed."""

import json
import re

import pytest

from vaemon import Recorder

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202etxt\r\b\x7f"
"""A title, a cleared screen, colours, a change of the direction of writing, and what moves the cursor."""
OBEYED = re.compile("\x1b\\]0;owned|\x1b\\[2J\ufffd|owned\x07|\x9b|\u202e|\x7f|\x08")


@pytest.fixture
def evil(runs):
    """A run all of whose texts are evil, its folder's name among them."""
    with Recorder("r", latents=2, config={"a": 1}) as recorder:
        for step in range(1, 50):
            recorder.log(step, mean_variance=[0.1, 0.9], mse=1.0 / step, **{f"own{EVIL}": 1.0})
        recorder.event("note", EVIL)
        recorder.event(EVIL[:10], EVIL)
    path = runs / "r" / "run.json"
    told = json.loads(path.read_text())
    told |= {"name": f"r{EVIL}", "config": {EVIL: {EVIL: [EVIL]}}, "outcome": "failed", "reason": EVIL, "host": EVIL}
    path.write_text(json.dumps(told))
    folder = runs / f"r{EVIL}".replace("/", "")
    (runs / "r").rename(folder)
    return folder


@pytest.mark.parametrize(
    "words",
    [
        ["ls"],
        ["watch", "{}", "--once"],
        ["check", "{}"],
        ["compact", "{}"],
        ["analyze", "{}"],
        ["export", "{}", "--format", "csv"],
        ["rm", "{}", "--yes"],
    ],
    ids=lambda words: words[0],
)
def test_nothing_of_a_run_folder_reaches_the_terminal_as_a_command(evil, terminal_of, words):
    terminal = terminal_of(*[word.format(evil) for word in words])
    terminal.end()
    told = terminal.written.decode(errors="replace")
    assert told
    assert not OBEYED.search(told), ascii(told)
    assert "Traceback" not in told


def test_nor_by_the_dashboard(evil, terminal_of):
    terminal = terminal_of("watch", str(evil))
    for key in "12345678":
        terminal.wait_for("own" if key == "3" else "r")
        terminal.type(key.encode())
        for _ in range(4):
            terminal.read()
    terminal.type(b"q")
    terminal.end()
    told = terminal.written.decode(errors="replace")
    assert not OBEYED.search(told), ascii(OBEYED.search(told))
