"""Installed without extras: all that records, reads and watches works, and what needs more says how to get it."""

import json

import pytest

import vaemon


@pytest.fixture(scope="module", autouse=True)
def run(light):
    light.record("run42")


def test_it_is_this_version_and_brings_no_torch(light):
    assert light.says("vaemon", "--version") == f"vaemon, version {vaemon.__version__}\n"
    code = "import importlib.util as u; print([n for n in ('torch', 'scipy', 'PIL', 'matplotlib') if u.find_spec(n)])"
    assert light.says("python", "-c", code) == "[]\n"


@pytest.mark.parametrize("way", [("vaemon",), ("python", "-m", "vaemon")])
def test_help_is_the_same_by_both_ways(light, way):
    told = light.says(*way, "--help")
    assert "watch" in told
    assert told.startswith("Usage: " + " ".join(way))


def test_runs_are_listed_watched_exported_and_checked(light):
    (line,) = json.loads(light.says("vaemon", "ls", "--json"))
    assert (line["name"], line["state"], line["step"], line["active"]) == ("run42", "finished", 100, 1)
    assert "run42 · finished" in light.says("vaemon", "watch", "--once")
    rows = light.says("vaemon", "export", "run42", "--to", "csv", "--channel", "mse", "--out", "-").splitlines()
    assert len(rows) == 101
    assert "checksums, order and pyramid right" in light.says("vaemon", "check", "run42")


def test_types_are_told(light):
    code = "import vaemon, pathlib; print((pathlib.Path(vaemon.__file__).parent / 'py.typed').exists())"
    assert light.says("python", "-c", code) == "True\n"


@pytest.mark.parametrize(("words", "extra"), [(["train", "shapes"], "train"), (["fid", "a", "b"], "analyze")])
def test_what_needs_an_extra_says_so_in_one_line(light, words, extra):
    done = light.run("vaemon", *words)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert f"pip install 'vaemon[{extra}]'" in line
    assert sorted(each.name for each in (light.home / "runs").iterdir()) == ["run42"]


def test_the_machine_is_examined_and_shells_have_their_script(light):
    found = {each["what"]: each["level"] for each in json.loads(light.says("vaemon", "doctor", "--json"))["found"]}
    assert "failure" not in found.values()
    assert (found["HDF5"], found["FID weights"]) == ("ok", "ok")
    assert "_VAEMON_COMPLETE=bash_complete" in light.says("vaemon", "completion", "bash")
