"""run.json and TOML of any content: read, or an error in words. VAEMON_FUZZ says how many times as long."""

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trainer.config import Config, flattened, to_tree
from trainer.settings import config_from, load_preset
from vaemon.commands.summary import summarise_listed
from vaemon.errors import RunFileError, UsageError
from vaemon.runfile import manifest
from vaemon.source.directory import LocalDirectory
from vaemon.view.config import differences

FUZZ = int(os.environ.get("VAEMON_FUZZ", "1"))
MORE = settings(max_examples=100 * FUZZ)

TEXT = st.text(max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)
KEYS = [*manifest.Manifest.__dataclass_fields__, "more"]
WHOLE = {"name": "r", "created": 1.0, "format": manifest.FORMAT, "config": {}, "outcome": ""}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of a run without rows, in a folder of runs."""
    found = tmp_path_factory.mktemp("runs") / "r"
    found.mkdir()
    return found


def read_or_refused(folder, content):
    (folder / manifest.FILE).write_bytes(content)
    try:
        told = manifest.read(folder)
    except RunFileError as error:
        assert str(folder) in str(error)
        assert len(str(error)) < 1000
        told = None
    (listed,) = LocalDirectory(folder.parent).runs(60.0)
    line = summarise_listed(listed.name, listed).line
    json.dumps(line)
    if told is not None:
        differences([told.config, {}])
    return told


@MORE
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, JSON)))
@example({"pid": float("inf")})
@example({"thresholds": {"hold": float("inf")}})
@example({"thresholds": [["hold", 1]]})
@example({"name": "\x1b[2J\ud800"})
@example({"ended": "never"})
def test_a_run_json_whose_values_are_anything(folder, given_values):
    read_or_refused(folder, json.dumps(WHOLE | given_values).encode(errors="replace"))


@MORE
@given(st.binary(max_size=100) | st.text(max_size=100).map(str.encode), st.integers(0, 200), st.booleans())
@example(b"[" * 100_000, 0, False)
@example(b'{"a":' * 100_000, 0, False)
@example(b"1" * 10_000, 0, False)
@example(b'{"format": 1e999}', 0, False)
def test_a_run_json_of_any_bytes(folder, content, at, within):
    whole = json.dumps(WHOLE).encode()
    read_or_refused(folder, whole[:at] + content + whole[at:] if within else content)


CONFIG_KEYS = sorted(flattened(to_tree(Config())))


@MORE
@given(st.dictionaries(st.sampled_from(CONFIG_KEYS) | TEXT, JSON, max_size=4))
def test_a_config_of_any_values_is_one_or_refused(values):
    """As of a checkpoint or a preset: dotted keys, and tables of tables."""
    for tree in (values, {key.partition(".")[0]: {key.partition(".")[2]: each} for key, each in values.items()}):
        try:
            config_from(tree)
        except UsageError as error:
            assert str(error)


@MORE
@given(st.text(max_size=80) | st.dictionaries(st.sampled_from(CONFIG_KEYS), JSON, max_size=3).map(str))
@example("a = " + "[" * 5000)
@example("base = 'self.toml'")
@example("base = 3")
@example("quick = 3")
@example("about = []\nseed = nan")
@example("seed = 99999999999999999999999999999999")
@example("[stage1]\nepochs = 1e999")
@example("network.hidden = [[[]]]")
def test_a_toml_of_any_content_is_a_preset_or_refused(content):
    with tempfile.TemporaryDirectory() as tmp:
        path = Path(tmp) / "self.toml"
        path.write_bytes(content.replace("self.toml", str(path)).encode(errors="replace"))
        for quick in (False, True):
            try:
                load_preset(str(path), quick)
            except UsageError as error:
                assert str(error)
