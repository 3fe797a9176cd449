"""How a sweep fares, whatever its members' files say."""

import json

import msgspec
import pytest

from vaemon import Recorder
from vaemon.commands.sweeping import show_sweep
from vaemon.errors import RunFileError
from vaemon.runfile import sweeps
from vaemon.runfile.sweeps import Member, Sweep


@pytest.fixture
def swept(runs):
    """Two members with rows, one of which has no posteriors, and one that failed."""
    for name, config in (("a", {}), ("b", {"not_defined": {"RAE": ["mean_variance"]}})):
        with Recorder(name, latents=2, config=config) as recorder:
            vector = {"mean_variance": [0.9, 0.1]} if name == "a" else {}
            recorder.log(1, mse=float("nan"), **vector)
    members = [Member(run=name, setting="", seed=i, settings=[], state="finished") for i, name in enumerate("ab")]
    members.append(Member(run="c", setting="lr\x1b[2J", seed=0, settings=[], state="failed", reason="no\x1b[2J"))
    path = sweeps.folder_of("s", runs) / sweeps.FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(msgspec.json.encode(Sweep(name="s", preset="shapes", members=members)))
    return path


def test_as_json_what_is_not_finite_is_a_string_and_what_is_not_defined_is_not_there(swept, runs, capsys):
    show_sweep("s", runs, True)
    told = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert [line.get("inactive") for line in told["members"]] == [1, None, None]
    assert told["members"][0]["mse"] == "NaN"
    assert told["settings"][0]["inactive"] == [1.0, None]


def test_what_a_terminal_would_obey_is_told_as_text(swept, runs, capsys):
    show_sweep("s", runs, False)
    out = capsys.readouterr().out
    assert "c failed: no?[2J" in out
    assert "lr?[2J" in out
    assert "\x1b" not in out


@pytest.mark.parametrize("content", [b"", b"[]", b'{"name": 1}', b'{"x": ' + b"[" * 100_000, b" " * (17 << 20)])
def test_a_damaged_file_is_told(swept, runs, content):
    swept.write_bytes(content)
    with pytest.raises(RunFileError, match=r"sweep\.json cannot be read"):
        sweeps.read("s", runs)
