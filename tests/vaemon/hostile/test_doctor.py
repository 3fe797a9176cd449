"""`vaemon doctor` where terminal, environment and folder mean harm. What SECURITY.md promises is tested here."""

import os
import pty
import re
import threading
import time
import tty

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaemon import interpreter
from vaemon.commands.doctor import asking
from vaemon.commands.doctor.asking import understood

FUZZ = int(os.environ.get("VAEMON_FUZZ", "1"))
EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202etxt\r\b\x7f"
OBEYED = re.compile("\x1b\\]0;owned|\x1b\\[2J|owned\x07|\x9b|\u202e|\x7f|\x08")
PARTS = [
    b"\x1b[",
    b"\x1bP>|",
    b"\x1b\\",
    b"R",
    b"?",
    b";",
    b"c",
    b"1",
    b"9" * 5000,
    b"\x1b_Gi=31;OK",
    b"$y",
    b"\xff",
    b"1006",
]


@settings(max_examples=200 * FUZZ)
@given(st.lists(st.sampled_from(PARTS) | st.binary(max_size=4), max_size=30).map(b"".join))
def test_an_answer_of_any_bytes_is_understood_or_passed_over(answer):
    found = understood(answer)
    assert len(found.name) <= asking.LONGEST_NAME


def test_a_position_beyond_all_columns_is_none():
    assert understood(b"\x1b[1;" + b"9" * 5000 + b"R\x1b[?1c").cells is None


def test_a_terminal_that_answers_without_an_end_is_given_up(monkeypatch):
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    going = threading.Event()

    def pour():
        while not going.is_set():
            os.write(ours, b"\x1b[1;1R" * 100)

    def drain():
        while not going.is_set():
            os.read(ours, 4096)

    monkeypatch.setattr(asking, "MOST_BYTES", 1 << 20)
    monkeypatch.setattr(asking, "PATIENCE", 0.3)
    threads = [threading.Thread(target=each, daemon=True) for each in (pour, drain)]
    for each in threads:
        each.start()
    began = time.monotonic()
    asking._answer(theirs)
    assert time.monotonic() - began < 20
    monkeypatch.undo()
    assert len(asking._answer(theirs)) < 2 * asking.MOST_BYTES
    going.set()


def test_neither_environment_nor_answers_reach_the_terminal_as_commands(terminal_of, tmp_path):
    said = {"TERM": f"xterm{EVIL}", "TERM_PROGRAM": EVIL, "COLORTERM": EVIL, "XDG_CACHE_HOME": f"{tmp_path}/{EVIL}"}
    said |= {"VAEMON_RUNS": f"{tmp_path}/{EVIL}", "VAEMON_INCEPTION": EVIL, "COLUMNS": "-1", "LINES": "9" * 50}
    opened = terminal_of("doctor", environment=said)
    while b"\x1b[c" not in opened.written:
        opened.read()
    asked = len(opened.written)
    opened.type(f"\x1bP>|{EVIL.replace(chr(27), chr(0x9B))}\x1b\\\x1b[?1;2c".encode())
    opened.end()
    told = opened.written[asked:].decode(errors="replace")
    assert "terminal" in told
    assert "Traceback" not in told
    assert not OBEYED.search(told), ascii(told)


@pytest.mark.parametrize("name", ["vaemon.py", "numpy.py", "json.py", "h5py/__init__.py", "sitecustomize.py"])
def test_nothing_that_lies_in_the_working_folder_is_run(tmp_path, monkeypatch, name):
    """As `python -m` would, which looks for modules there first."""
    trap = tmp_path / name
    trap.parent.mkdir(exist_ok=True)
    trap.write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')\nraise SystemExit(9)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(interpreter._OWN))
    words = interpreter.command("vaemon", "--version")
    assert os.spawnv(os.P_WAIT, words[0], words) == 0
    assert not (tmp_path / "sprung").exists()


def test_where_vaemon_itself_lies_in_the_working_folder_it_is_found_there(monkeypatch):
    monkeypatch.chdir(interpreter._OWN)
    assert "-P" not in interpreter.command("vaemon")
    monkeypatch.chdir("/")
    assert "-P" in interpreter.command("vaemon")
