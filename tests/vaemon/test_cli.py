import json
import os
import subprocess
import sys

import pytest

from vaemon import Recorder


@pytest.fixture
def vaemon(runs, tmp_path):
    """run(*words) -> the finished process of `vaemon WORDS`, its output as text, no terminal."""

    def run(*words, **environment):
        return subprocess.run(
            [sys.executable, "-m", "vaemon", *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "COLUMNS": "100", **environment},
        )

    return run


@pytest.fixture
def two_runs(runs, staircase, log_rows):
    for name, latents in (("older", 2), ("newer", 4)):
        with Recorder(name, latents=latents, total_steps=500, steps_per_epoch=100) as recorder:
            log_rows(recorder, staircase(500, latents))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["wtch"], "did you mean 'watch'"),
        (["watch", "--onc"], "--once"),
        (["watch", "../other", "--once"], ""),
        (["watch", "a:-b"], "begins with '-'"),
        (["watch", "-x"], "No such option"),
        (["analyze", "nwer"], "did you mean 'newer'"),
        (["train", "shpes"], "did you mean 'shapes'"),
    ],
)
def test_a_wrong_word_is_answered_in_words(vaemon, two_runs, words, said):
    done = vaemon(*words)
    assert said in done.stderr
    assert done.returncode == (2 if said else 0)
    assert "Traceback" not in done.stderr


def test_an_unknown_command_is_answered_with_those_for_people(vaemon):
    said = vaemon("frobnicate").stderr
    assert "known: analyze, check," in said
    assert "agent" not in said


def test_the_runs_are_listed_the_newest_first(vaemon, two_runs):
    lines = json.loads(vaemon("ls", "--json").stdout)
    assert [(line["name"], line["state"], line["step"], line["active"]) for line in lines] == [
        ("newer", "finished", 500, 4),
        ("older", "finished", 500, 2),
    ]
    table = vaemon("ls").stdout
    assert table.index("newer") < table.index("older")
    assert "500/500" in table


def test_without_runs_the_list_says_where_it_looked(vaemon, runs):
    done = vaemon("ls")
    assert (done.returncode, done.stdout) == (0, "")
    assert str(runs) in done.stderr


def test_a_damaged_run_does_not_hide_the_others(vaemon, two_runs, runs):
    (runs / "older" / "segment-0000.h5").write_bytes(b"")
    states = {line["name"]: line["state"] for line in json.loads(vaemon("ls", "--json").stdout)}
    assert states == {"newer": "finished", "older": "unreadable"}


@pytest.mark.parametrize("words", [["watch", "newer", "--once"], ["watch"], ["watch", "latest"]])
def test_without_a_terminal_the_dashboard_is_one_frame_of_text(vaemon, two_runs, words):
    done = vaemon(*words)
    assert done.returncode == 0
    assert "newer · finished · stage 1 · epoch 5/5 · step 500/500 · newest row" in done.stdout
    assert "4 active · 0 waking · 0 limbo · 0 collapsed | inactive (E[σ²] ≥ 0.8): 0" in done.stdout
    assert "z3 woke" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_run_that_has_not_begun_is_waited_for(vaemon, two_runs, runs):
    done = vaemon("watch", "tomorrow", "--once")
    assert f"tomorrow · waiting · looked for in {runs / 'tomorrow'}" in done.stdout


@pytest.mark.parametrize(
    ("command", "reader", "read"),
    [
        ("watch newer --once", "head -n 1", "newer"),
        ("export newer --to csv --out -", "head -n 1", "step,"),
        ("ls", "true", ""),
        ("analyze newer", "true", ""),
    ],
)
def test_a_pipe_that_closes_early_is_no_error(two_runs, command, reader, read):
    line = f"{sys.executable} -m vaemon {command} | {reader}"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(read)


def test_a_missing_package_names_the_extra_that_brings_it(tmp_path):
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "sys.argv = ['vaemon', 'train', 'shapes']\nfrom vaemon.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert "pip install 'vaemon[train]'" in done.stderr
    assert "Traceback" not in done.stderr
