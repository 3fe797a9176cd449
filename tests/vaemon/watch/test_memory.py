"""How a run was looked at, kept from one day to the next, whatever became of the file."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaemon.view.order import Order
from vaemon.watch.memory import MOST, Memory, dict_to_look, look_to_dict
from vaemon.watch.render.axis import TimeAxis
from vaemon.watch.widgets.picture import Look

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda of: st.lists(of, max_size=3),
    max_leaves=5,
)


def test_what_is_remembered_is_recalled():
    look = Look(
        Order.KL, TimeAxis.TIME, True, True, 0.9, latent=3, stage=2, pinned={1: frozenset({4}), 2: frozenset({5, 1})}
    )
    assert dict_to_look(look_to_dict(look, 3)) == look


@given(
    st.dictionaries(
        st.sampled_from(["view", "order", "axis", "log", "weight", "pinned", "stage", "latent", "other"]), JSON
    )
)
def test_of_wrong_kinds_a_look_is_still_made(told):
    look = dict_to_look(told)
    assert all(type(pin) is int and pin >= 0 for pins in look.pinned.values() for pin in pins)
    assert all(type(stage) is int and stage >= 0 for stage in (look.stage, *look.pinned))
    assert look.latent is None or look.latent >= 0


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1]", b"\xff\xfe", b'{"a": ', b"[" * 100_000, b'{"runs/r": [1]}', b"\x00" * 100],
    ids=lambda content: repr(content[:8]),
)
def test_a_damaged_file_is_forgotten_and_written_anew(tmp_path, content):
    path = tmp_path / "vaemon" / "views.json"
    path.parent.mkdir()
    path.write_bytes(content)
    memory = Memory(path)
    assert memory.recall("runs/r") == {}
    memory.remember("runs/r", {"view": 3})
    assert Memory(path).recall("runs/r") == {"view": 3}
    assert [each.name for each in path.parent.iterdir()] == ["views.json"]


def test_a_folder_in_which_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    memory = Memory(tmp_path / "file" / "views.json")
    memory.remember("r", {"view": 3})
    assert memory.recall("r") == {"view": 3}
    (tmp_path / "views.json").mkdir()
    Memory(tmp_path / "views.json").remember("r", {"view": 3})
    assert {each.name for each in tmp_path.iterdir()} == {"file", "views.json"}


def test_two_dashboards_lose_nothing_of_each_other(tmp_path):
    one, two = Memory(tmp_path / "v.json"), Memory(tmp_path / "v.json")
    one.remember("a", {"view": 1})
    two.remember("b", {"view": 2})
    one.remember("c", {"view": 3})
    told = Memory(tmp_path / "v.json")
    assert [told.recall(run)["view"] for run in "abc"] == [1, 2, 3]


def test_it_forgets_the_run_that_was_looked_at_longest_ago(tmp_path):
    path = tmp_path / "v.json"
    path.write_text(json.dumps({f"/{i}": {"view": i} for i in range(MOST)}))
    memory = Memory(path)
    memory.remember("/0", {"view": 7})
    memory.remember("/new", {"view": 8})
    told = Memory(path)
    assert (told.recall("/0"), told.recall("/1"), told.recall("/2")) == ({"view": 7}, {}, {"view": 2})
    assert len(json.loads(path.read_text())) == MOST


def test_runs_of_one_name_in_two_folders_are_two(tmp_path, monkeypatch):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    memory = Memory(tmp_path / "v.json")
    monkeypatch.chdir(tmp_path / "one")
    memory.remember("runs/r", {"view": 3})
    assert memory.recall(str(tmp_path / "one" / "runs" / "r")) == {"view": 3}
    memory.remember("gpu7:runs/r", {"view": 5})
    monkeypatch.chdir(tmp_path / "two")
    assert memory.recall("runs/r") == {}
    assert memory.recall("gpu7:runs/r") == {"view": 5}


def test_where_it_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert Memory.of_user()._path == tmp_path / "vaemon" / "views.json"
    monkeypatch.setenv("XDG_STATE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Memory.of_user()._path == tmp_path / ".local" / "state" / "vaemon" / "views.json"
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    nowhere = Memory.of_user()
    nowhere.remember("r", {"view": 3})
    assert not Path("~").exists()


def test_a_run_is_looked_at_as_before(fake, tmp_path):
    def app():
        return fake.App(
            fake.Source(fake.stage(), shown={1: 700}),
            clock=fake.Clock(fake.when(fake.stage(), 700)),
            memory=lambda: Memory(tmp_path / "v.json"),
        )

    chosen = []

    async def first(app, pilot):
        await pilot.press("o", "x", "j", "p", "3", "space")
        chosen.append(app.run_screen.look.latent)

    async def later(app, pilot):
        look = app.run_screen.look
        assert (look.order, look.axis, len(look.pins), look.paused) == ("variance", "epoch", 1, False)
        assert [look.latent] == chosen
        assert app.run_screen.number == 3
        assert any("▸gamma" in line for line in fake.lines(app))

    fake.play(app(), first)
    fake.play(app(), later)
