import json
import os
import re
import time
from types import SimpleNamespace

import pytest

from vaemon import Recorder
from vaemon.batch import Batch, Cursor, Latest, Listed, RunInfo
from vaemon.commands import ls, summary
from vaemon.runfile import manifest
from vaemon.runstate import RunState
from vaemon.source.far.address import FarAddress, Place
from vaemon.source.far.links import Links


@pytest.fixture
def listed(call):
    """listed(*words) -> the names that `vaemon ls --json WORDS` lists, and nothing on stderr if there are any."""

    def run(*words):
        done = call("ls", "--json", *words)
        assert done.code == 0, done.err
        names = [line["name"] for line in json.loads(done.out)]
        assert bool(names) is not bool(done.err)
        return names

    return run


@pytest.fixture
def four(note):
    """Of different age, state and config; the oldest last."""
    note("mnist", {"stage1": {"lr": 1e-3}}, age=4 * 86_400, outcome="failed")
    note("cifar-b", {"stage1": {"lr": 1e-4}, "seed": 2}, age=86_400, outcome="stopped")
    note("cifar-a", {"stage1": {"lr": 3e-4}, "seed": 1}, age=3600, outcome="")
    note("shapes", {"preset": "shapes"}, age=60)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("", ["shapes", "cifar-a", "cifar-b", "mnist"]),
        ("cifar*", ["cifar-a", "cifar-b"]),
        ("cifar-a mnist z*", ["cifar-a", "mnist"]),
        ("latest", ["shapes"]),
        ("z*", []),
        ("--state stopped --state failed", ["cifar-b", "mnist"]),
        ("--state crashed", ["cifar-a"]),
        ("--state running", []),
        ("--since 2h", ["shapes", "cifar-a"]),
        ("--since 2d", ["shapes", "cifar-a", "cifar-b"]),
        ("--since 30m", ["shapes"]),
        ("--since 2000-01-01", ["shapes", "cifar-a", "cifar-b", "mnist"]),
        ("--since 2999-01-01", []),
        ("--limit 2", ["shapes", "cifar-a"]),
        ("--limit 2 --state stopped --state failed", ["cifar-b", "mnist"]),
        ("--sort name", ["cifar-a", "cifar-b", "mnist", "shapes"]),
        ("--sort name --limit 1", ["cifar-a"]),
        ("--where stage1.lr>1e-4", ["cifar-a", "mnist"]),
        ("--where stage1.lr>=1e-4 --where seed!=1", ["cifar-b"]),
        ("--where preset=shapes", ["shapes"]),
        ("c* --since 2h --where stage1.lr<1", ["cifar-a"]),
    ],
)
def test_the_list_is_cut_to_what_is_asked_for(listed, four, words, names):
    assert listed(*words.split()) == names


def test_the_farthest_come_first(listed, record, note):
    record("short", rows=3), record("long", rows=20), record("middle", rows=7)
    note("none", age=50)
    assert listed("--sort", "steps") == ["long", "middle", "short", "none"]
    assert listed("--sort", "steps", "--limit", "1") == ["long"]


def test_only_as_many_runs_are_read_as_are_listed(listed, four, monkeypatch):
    from vaemon.source.local import LocalSource

    polled, poll = [], LocalSource.poll
    monkeypatch.setattr(LocalSource, "poll", lambda self, *q: (polled.append(self.folder.name), poll(self, *q))[1])
    assert listed("--limit", "1") == ["shapes"]
    assert polled == ["shapes"]


def test_a_live_run_is_running_and_new(listed, four):
    with Recorder("live", latents=1):
        assert listed("--state", "running", "--since", "1m") == ["live"]
    assert listed("--state", "running") == []


def test_the_newest_row_counts_not_the_birth(listed, record, runs):
    folder = record("old")
    told = manifest.read(folder)
    told = manifest.Manifest(told.name, created=time.time() - 9 * 86_400, outcome="finished")
    manifest.write(folder, told)
    assert listed("--since", "1d") == ["old"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--where", "lr"], "'lr': it compares nothing"),
        (["--where", "=3"], "no key before the sign"),
        (["--where", "lr=>3"], "'=>' is no comparison"),
        (["--where", "lr>"], "no value after '>'"),
        (["--since", "yesterday"], "'yesterday' is no time"),
        (["--since", "2 fortnights"], "is no time"),
        (["--since", ""], "is no time"),
        (["--state", "asleep"], "'asleep' is not one of"),
        (["--limit", "0"], "--limit"),
        (["--sort", "size"], "--sort"),
    ],
)
def test_a_bad_filter_is_a_usage_error_that_names_the_fault(call, four, words, said):
    done = call("ls", *words)
    assert done.code == 2
    assert said in done.err


@pytest.mark.parametrize("key", ["stag1.lr", "lr"])
def test_an_empty_list_says_why(call, four, runs, key):
    done = call("ls", "--where", f"{key}>0")
    assert (done.code, done.out) == (0, "")
    assert f"no such run among the 4 in {runs}" in done.err
    assert f"none has the config key '{key}' (did you mean 'stage1.lr'?)" in done.err


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("mnits", "unknown run 'mnits' (did you mean 'mnist'?)"),
        ("./runs/mnist", "'./runs/mnist' is a path"),
    ],
)
def test_a_name_of_no_run_is_an_error_and_the_others_are_listed_all_the_same(call, four, word, said):
    done = call("ls", "shapes", word, "z*", "--json")
    assert [line["name"] for line in json.loads(done.out)] == ["shapes"]
    assert done.code == 2
    assert said in done.err


def test_the_latest_of_no_runs_is_an_error(call, runs):
    assert call("ls", "latest").code == 2
    assert call("ls").code == 0


@pytest.fixture
def far(monkeypatch):
    """The runs that another machine tells of."""
    runs = []
    monkeypatch.setattr(Links, "listed", lambda self, asked, thresholds: list(runs))
    return runs


def test_a_name_of_no_run_on_another_machine_is_an_error(call, far, four):
    done = call("ls", "gpu1:nope")
    assert done.code == 2
    assert "unknown run 'gpu1:nope'; `vaemon ls gpu1:` lists" in done.err
    assert call("ls", "gpu1:").code == call("ls", "gpu1:exp/").code == call("ls", "gpu1:n*").code == 0
    done = call("ls", "gpu1:exp/nope", "shapes")
    assert done.code == 2
    assert "shapes" in done.out


def test_an_empty_list_of_another_machine_says_why_and_its_numbers_are_json(call, far):
    info = RunInfo("a", "/runs/a", RunState.RUNNING, config={"stage1": {"lr": 1}})
    batch = Batch(info, Cursor(), 1, latest=Latest(1, 0, float("inf"), {}, {}), rate=float("inf"))
    far.append((FarAddress(Place("gpu1"), "a"), Listed("a", "/runs/a", 0.0, batch)))
    done = call("ls", "gpu1:", "--where", "lr>0")
    assert (done.code, done.out) == (0, "")
    assert "none has the config key 'lr' (did you mean 'stage1.lr'?)" in done.err
    (line,) = json.loads(call("ls", "gpu1:", "--json").out, parse_constant=pytest.fail)
    assert (line["rate"], line["newest"]) == ("Infinity", "Infinity")
    assert "gpu1:a" in call("ls", "gpu1:").out


def test_the_table_is_cut_as_well(call, four):
    table = call("ls", "cifar*").out
    assert "cifar-a" in table
    assert "shapes" not in table


@pytest.mark.parametrize("width", [80, 60])
def test_what_does_not_fit_is_left_out_whole(runs, monkeypatch, capsys, width):
    line = {"stage": 1, "step": 1_000_000, "total_steps": 1_000_000, "latents": 4096, "active": 3015, "inactive": 754}
    line |= {"name": "a-run-of-a-name", "state": "running", "stalled": False, "rate": 1234.5, "newest": time.time()}
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("FORCE_COLOR", "1")
    ls._print_table([line])
    told = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    assert len(told) == 2
    assert max(map(len, told)) <= width
    assert "a-run-of-a-name" in told[1]
    assert "1,000,000/1,000,000" in told[1]
    assert "3015/4096" in told[1]


def test_a_run_without_new_rows_is_stalled(call, runs, monkeypatch):
    with Recorder("r", latents=1) as recorder:
        recorder.log(1, mean_variance=[0.5])
        recorder.flush()
        assert "running" in call("ls").out
        monkeypatch.setattr(summary, "time", SimpleNamespace(time=lambda: time.time() + 600.0))
        assert "stalled" in call("ls").out


def test_hidden_and_unreadable_folders_do_not_disturb(listed, four, runs, note):
    note(".removing-x")
    (runs / "cifar-a" / "run.json").write_text("{")
    os.utime(runs / "cifar-a", (0, 0))
    assert listed() == ["shapes", "cifar-b", "mnist", "cifar-a"]
    assert listed("--state", "unreadable") == ["cifar-a"]
    assert listed("--since", "1d") == ["shapes"]
    assert listed("--where", "seed>0") == ["cifar-b"]


def test_a_run_renamed_by_hand_is_listed_under_the_name_that_reaches_it(listed, call, record, runs):
    record("a").rename(runs / "b")
    assert listed() == ["b"]
    assert call("watch", "b", "--once").code == 0


def test_runs_are_judged_by_the_thresholds_that_are_asked_for(call, runs):
    with Recorder("r", latents=3) as recorder:
        for step in range(1, 200):
            recorder.log(step, mean_variance=[0.2, 0.4, 0.75], mean_mu=[0.0] * 3, mu_squared=[0.8, 0.6, 0.005])
    counts = ("active", "inactive", "active_units", "alarm")

    def told(*words):
        (line,) = json.loads(call("ls", "--json", *words).out)
        return [line[name] for name in counts]

    assert told() == [1, 0, 2, ""]
    other = ["--threshold", "wake=0.45", "--threshold", "inactive=0.7", "--threshold", "unit=0.001"]
    assert told(*other) == [2, 1, 3, ""]
