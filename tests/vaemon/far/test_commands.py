"""The commands, asked about a run on another machine, give what they give for one here, but for its address."""

import getpass
import json
import re

import pytest


def told(answer):
    """What was said, without how long ago it was, and where."""
    code, out, err = answer
    return code, re.sub(r"newest row [^\n]*", "", out.removeprefix("there:")), err


def test_a_frame_of_text(far, call):
    run = far.record("a", rows=300)
    here, there = call("watch", run, "--once"), call("watch", "there:a", "--once")
    assert there[1].startswith("there:a · finished · ")
    assert told(there) == told(here)


@pytest.mark.parametrize("how", [(), ("--follow",)])
def test_a_record(far, call, how):
    run = far.record("a", rows=300)
    here, there = call("watch", run, "--json", *how), call("watch", "there:a", "--json", *how)
    assert there[::2] == here[::2] == (0, "")
    record, wanted = json.loads(there[1]), json.loads(here[1])
    assert (record.pop("address"), wanted.pop("address")) == (f"there:{run}", str(run))
    assert record.pop("age") >= 0 <= wanted.pop("age")
    assert record == wanted


def test_its_lines(far, call):
    run = far.record("a", rows=300)
    here, there = call("watch", run, "--follow"), call("watch", "there:a", "--follow")
    assert there[1].count("\n") == 1
    assert told(there) == told(here)


@pytest.mark.parametrize("how", [(), ("--json",)])
def test_an_analysis(far, call, how):
    run = far.record("a", rows=300)
    here = call("analyze", run, "--inactive", "--no-checkpoint", *how)
    there = call("analyze", "there:a", "--inactive", "--no-checkpoint", *how)
    assert there[0] == 0
    assert there[1].replace(f"there:{run}", str(run)) == here[1]


@pytest.mark.parametrize("kind", ["csv", "json", "parquet", "tensorboard"])
def test_an_export(far, call, tmp_path, kind):
    run = far.record("a", rows=300)
    for address, out in ((run, "here"), ("there:a", "there")):
        assert call("export", address, "--to", kind, "--out", tmp_path / out)[0] == 0
    here, there = (content(tmp_path / out) for out in ("here", "there"))
    assert len(here) == 1
    assert here == there


def content(path):
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return [each.read_bytes() for each in files]


def test_an_analysis_of_several(far, call):
    near = far.record("near", rows=60)
    far.record("b1", rows=60)
    far.record("b2", rows=60)
    code, out, _ = call("analyze", near, "there:b*", "--no-checkpoint", "--json")
    assert code == 0
    assert {each["run"] for each in json.loads(out)["reports"]} == {"near", "b1", "b2"}


def test_the_ways_to_write_an_address(far, call):
    user, port = getpass.getuser(), far.server.port
    run = far.record("a")
    far.record("deep", runs=far.home / "my runs")
    for address, name in (
        (f"{user}@there:{run}", "a"),
        (f"ssh://{user}@127.0.0.1:{port}{run}", "a"),
        (f"ssh://127.0.0.1:{port}/~/far-runs/a", "a"),
        ("there:my runs/deep", "deep"),
    ):
        code, out, err = call("watch", address, "--json")
        assert (code, err, json.loads(out)["run"]) == (0, "", name), address


def test_the_latest_run(far, call):
    far.record("old")
    far.record("new")
    assert json.loads(call("watch", "there:latest", "--json")[1])["run"] == "new"


def test_two_runs_there_go_over_one_link_beside_one_here(far, call, monkeypatch):
    """What is asked is counted while it is asked: by then every link stands."""
    from vaemon.commands import plain

    far.record("a")
    far.record("b")
    run = far.record("c", runs=far.home / "here")
    standing = []

    def count_and_print(source, *rest, **options):
        standing.append(len(far.server.ssh()))
        print_once(source, *rest, **options)

    print_once = plain.print_once
    monkeypatch.setattr(plain, "print_once", count_and_print)
    code, out, err = call("watch", "there:a", run, "there:b", "--json")
    assert (code, err) == (0, "")
    assert [json.loads(line)["run"] for line in out.splitlines()] == ["a", "c", "b"]
    assert standing == [1, 1, 1]


def test_a_pattern(far, call):
    for name in ("a1", "b1", "a2"):
        far.record(name)
    code, out, err = call("watch", "there:a*", "--json")
    assert (code, err) == (0, "")
    assert {json.loads(line)["run"] for line in out.splitlines()} == {"a1", "a2"}
    code, out, err = call("watch", "there:c*", "--once")
    assert (code, out) == (2, "")
    assert "no run in there: has a name like 'c*'" in err


def test_no_such_run(far, call):
    far.record("run42")
    code, out, err = call("watch", "there:run43", "--once")
    assert (code, out) == (2, "")
    assert "unknown run 'run43' (did you mean 'run42'?)" in err
    assert call("analyze", "there:run43", "--inactive")[0] == 2


@pytest.mark.parametrize(
    "address", ["there:elsewhere/a", "there:~/elsewhere", "there:elsewhere/", "there:elsewhere/a*"]
)
def test_a_list_of_a_folder_whose_runs_alone_tell_where_vaemon_is(far, call, address):
    far.record("a", runs=far.home / "elsewhere")
    far.login(has_vaemon=False, PYTHONPATH=str(far.repository))
    code, out, err = call("ls", address)
    assert (code, err) == (0, "")
    assert "elsewhere/a " in out


def test_a_list_of_runs(far, call):
    """As one of this machine, but for the addresses."""
    far.record("a")
    far.record("b")
    code, out, err = call("ls", "there:", "--json")
    assert (code, err) == (0, "")
    there = {each["name"].removeprefix("there:"): each for each in json.loads(out)}
    here = {each["name"]: each for each in json.loads(call("ls", "--json", "--runs", far.runs)[1])}
    assert there.keys() == here.keys() == {"a", "b"}
    assert {name: each["step"] for name, each in there.items()} == {name: each["step"] for name, each in here.items()}


def test_runs_are_listed_though_one_machine_does_not_answer(far, call):
    far.record("a")
    code, out, err = call("ls", "there:", "ssh://127.0.0.1:1/")
    assert "there:a" in out
    assert "cannot reach 127.0.0.1" in err
    assert code == 1
    code, out, err = call("ls", "ssh://127.0.0.1:1/")
    assert (code, out) == (1, "")
