"""Event files made to harm whoever imports them. What SECURITY.md promises of them is tested here.

VAEMON_FUZZ says how many times as long as in `make test`.
"""

import json
import os
import struct
import zlib

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from vaemon.cli import vaemon
from vaemon.errors import VaemonError
from vaemon.exchange import pictures
from vaemon.exchange.tensorboard import records
from vaemon.exchange.tensorboard.messages import Event, HParamsData
from vaemon.exchange.tensorboard.records import framed, masked
from vaemon.exchange.tensorboard.tensors import fill
from vaemon.runfile import manifest
from vaemon.source.directory import LocalDirectory

FUZZ = int(os.environ.get("VAEMON_FUZZ", "1"))
EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202etxt\r\b\x7f/../../x"
OBEYED = ("\x1b", "\x9b", "\x07", "\x08", "\x7f", "\u202e")
GOOD = {"mse": 0.5}
"""What stands beside the nonsense, and must arrive."""


def varint(number):
    low, high = number & 127, number >> 7
    return bytes([low | 128]) + varint(high) if high else bytes([low])


def field(number, content):
    """A field of protobuf's that holds bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def value(content):
    """An event with a value of these bytes."""
    return field(5, field(1, field(1, b"tag") + content))


def tensor(dtype, content, tag="tag"):
    made = Event(step=1)
    found = made.summary.value.add(tag=tag.encode())
    found.tensor.dtype = dtype
    content(found.tensor)
    return made.SerializeToString()


def scalar(step, **values):
    made = Event(wall_time=1e9 + step, step=step)
    for tag, number in values.items():
        made.summary.value.add(tag=tag.encode(), simple_value=number)
    return made.SerializeToString()


def text(tag, *texts):
    return tensor(7, lambda made: made.string_val.extend(map(bytes, texts)), tag)


def own(**told):
    whole = {"name": "x", "stage": 1, "latents": 4, "config": {"lr": 1e-4}, "thresholds": {}}
    return text("vaemon/run", json.dumps({**whole, **told}).encode())


def png(width, height):
    """A black picture, as small as it can be."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes(width * 3)) * height, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def repeated(shape):
    def content(made):
        made.float_val.append(1.0)
        for size in shape:
            made.tensor_shape.dim.add(size=size)

    return tensor(1, content)


def settings_of(count):
    told = HParamsData()
    for number in range(count):
        told.session_start_info.hparams.add(key=str(number).encode()).value.string_value = b"x" * 50
    made = Event(step=1)
    found = made.summary.value.add(tag=b"_hparams_/session_start_info")
    found.metadata.plugin_data.plugin_name = b"hparams"
    found.metadata.plugin_data.content = told.SerializeToString()
    return made.SerializeToString()


def histogram(**fields):
    made = Event(step=1)
    found = made.summary.value.add(tag=b"h").histo
    for name, found_in in fields.items():
        if isinstance(found_in, list):
            getattr(found, name).extend(found_in)
        else:
            setattr(found, name, found_in)
    return made.SerializeToString()


MANY = 1 << 22
BOMBS = {
    "values": lambda: [field(5, b"\x0a\x00" * MANY)],
    "values after a group": lambda: [b"\x7b\x7c" + field(5, b"\x0a\x00" * MANY)],
    "texts": lambda: [value(field(8, b"\x08\x07" + b"\x42\x00" * MANY))],
    "dimensions": lambda: [value(field(8, b"\x08\x01" + field(2, b"\x12\x00" * MANY)))],
    "large dimensions": lambda: [value(field(8, b"\x08\x01" + field(2, field(2, b"\x08" + varint(2**62)) * 5000)))],
    "whole numbers": lambda: [value(field(8, b"\x08\x03" + field(7, bytes(32 << 20))))],
    "one number for millions": lambda: [repeated([1 << 24])] * 2000,
    "one number for many": lambda: [repeated([1 << 16])] * 2000,
    "hyperparameters": lambda: [settings_of(50_000)],
    "hyperparameters without an end": lambda: [settings_of(300_000)],
    "a long tag": lambda: [scalar(1, **{"/" * (8 << 20): 1.0})],
    "tags": lambda: [scalar(1, **{f"t{number}": 1.0}) for number in range(9000)],
    "restarts": lambda: [b"\x10" + varint(step) + field(7, b"\x08\x01") + scalar(step, a=1.0) for step in range(9000)],
    "a config": lambda: [own(config={"a": "x" * (17 << 20)})],
    "a deep config": lambda: [
        own(config=0).replace(b'"config": 0', b'"config": {"a":' + b"[" * 300 + b"]" * 300 + b"}")
    ],
    "latents": lambda: [own(latents=2**31 - 1)],
    "pictures": lambda: [text("image", *[png(5790, 5790)] * 64)],
}


@pytest.fixture
def imported(runs, tmp_path, looked_at):
    """imported(*events) -> what the import of a file of these, and a good one, says, in little memory; the run."""

    def imported(*events, seconds=100):
        (tmp_path / "log").mkdir()
        file = tmp_path / "log" / "events.out.tfevents.1"
        file.write_bytes(b"".join(framed(each) for each in [scalar(1, **GOOD), *events, scalar(10_000, **GOOD)]))
        told = looked_at("import", "tensorboard", tmp_path / "log", seconds=seconds)
        return told, runs / "log"

    return imported


@pytest.mark.parametrize("what", BOMBS)
def test_a_small_file_takes_no_large_memory_and_no_large_room(imported, looked_at, what):
    told, run = imported(*BOMBS[what]())
    assert len(told) < 4000
    size = sum(path.stat().st_size for path in run.rglob("*") if path.is_file())
    assert size < 100 << 20
    assert "mse" in looked_at("watch", "log", "--once")


def test_a_record_without_an_end_is_passed_over(imported, tmp_path, monkeypatch):
    monkeypatch.setattr(records, "MOST_BYTES", 100)
    path = tmp_path / "file"
    path.write_bytes(framed(bytes(101)) + framed(b"x"))
    told = []
    assert [data for data, _ in records.read_records(path, told.append)] == [b"x"]
    assert told == ["1 records are larger than 0 MiB; they are left out"]


def test_a_file_that_says_it_is_huge_is_not_read_into_memory(runs, tmp_path, looked_at):
    file = tmp_path / "log" / "events.out.tfevents.1"
    file.parent.mkdir()
    length = struct.pack("<Q", 1 << 40)
    file.write_bytes(framed(scalar(1, **GOOD)) + length + struct.pack("<I", masked(length)))
    os.truncate(file, (1 << 40) + 1000)
    assert "larger than 64 MiB" in looked_at("import", "tensorboard", file.parent)
    assert (runs / "log" / "run.json").is_file()


def test_pipes_devices_and_folders_in_place_of_event_files_hang_nobody(runs, tmp_path, looked_at):
    log = tmp_path / "log"
    (log / "events.out.tfevents.folder").mkdir(parents=True)
    os.mkfifo(log / "events.out.tfevents.pipe")
    (log / "events.out.tfevents.zero").symlink_to("/dev/zero")
    (log / "round").symlink_to(log)
    assert "has no event files" in looked_at("import", "tensorboard", log)
    for odd in ("events.out.tfevents.pipe", "events.out.tfevents.zero"):
        assert "has no event files" in looked_at("import", "tensorboard", log / odd)


def test_nothing_of_an_event_file_reaches_the_terminal_as_a_command(imported):
    array = Event(step=1)
    fill(array.summary.value.add(tag=EVIL.encode()).tensor, np.zeros((2, 3), np.float32))
    unknown = Event(step=1)
    unknown.summary.value.add(tag=b"q", audio=b"x").metadata.plugin_data.plugin_name = EVIL.encode()
    other = scalar(1, **{EVIL: 1.0})
    told, _ = imported(array.SerializeToString(), other, unknown.SerializeToString(), text(EVIL, EVIL.encode()))
    assert "of a kind that is not imported" in told
    assert not any(sign in told for sign in OBEYED), ascii(told)


def test_nothing_is_written_beside_the_run(imported, runs, tmp_path):
    before = {path for path in tmp_path.rglob("*") if runs not in path.parents and path != runs}
    array = Event(step=1)
    fill(array.summary.value.add(tag=b"../../../x/" + EVIL.encode()).tensor, np.zeros((2, 3), np.float32))
    _, run = imported(array.SerializeToString(), text("../../../y", png(2, 2)))
    after = {path for path in tmp_path.rglob("*") if runs not in path.parents and path != runs}
    assert after - before == {tmp_path / "log", tmp_path / "log" / "events.out.tfevents.1"}
    assert [path.name for path in runs.iterdir()] == [run.name]
    assert all(path.resolve().is_relative_to(run.resolve()) for path in run.rglob("*"))


def test_no_other_program_is_started_for_a_picture(tmp_path, monkeypatch):
    """Pillow hands EPS to Ghostscript, which is a programming language."""
    pytest.importorskip("PIL")
    ghost = tmp_path / "gs"
    ghost.write_text(f"#!/bin/sh\ntouch {tmp_path / 'started'}\n")
    ghost.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    taken = pictures.Pictures(tmp_path)
    taken.take(1, 1, "eps", [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n"])
    assert "could not be read" in taken.told()[0]
    assert not (tmp_path / "started").exists()


ODD_FLOATS = st.sampled_from([0.0, -1.0, 1e308, -1e308, float("nan"), float("inf"), -float("inf"), 1e-320])
NUMBERS = st.lists(ODD_FLOATS | st.floats(), max_size=4)


@settings(max_examples=60 * FUZZ, deadline=None)
@given(
    st.fixed_dictionaries(
        {name: ODD_FLOATS | st.floats() for name in ("min", "max", "num", "sum", "sum_squares")},
        optional={"bucket_limit": NUMBERS, "bucket": NUMBERS},
    ),
    st.integers(0, 3),
)
def test_a_histogram_of_any_numbers_is_read_or_left_out(tmp_path_factory, fields, same):
    fields |= {"bucket": fields.get("bucket_limit", [])} if same else {}
    checked(tmp_path_factory.mktemp("h"), [histogram(**fields)])


EVENT = st.fixed_dictionaries({"kind": st.text(max_size=20), "latent": st.integers(-5, 2**40), "text": st.text()})
OWN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats() | st.text(max_size=5) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
TAGS = st.sampled_from(["mse", "kl", "epoch", "step", "time", "mean_variance", "latent_kl", "a", "vaemon/run", ""])
VALUES = st.one_of(
    st.builds(lambda tag, number: lambda made: made.add(tag=tag.encode(), simple_value=number), TAGS, ODD_FLOATS),
    st.builds(
        lambda tag, numbers: lambda made: fill(made.add(tag=tag.encode()).tensor, np.array(numbers)), TAGS, NUMBERS
    ),
)
STEPS = st.integers(-3, 8) | st.sampled_from([2**62, 2**62 - 1, 2**63 - 1, -(2**63), 2**60])
TIMES = st.floats(0, 2e9) | ODD_FLOATS


@st.composite
def events(draw):
    """An event that a writer may have written, or nobody."""
    made = Event(wall_time=draw(TIMES), step=draw(STEPS))
    if draw(st.integers(0, 9)) == 0:
        made.session_log.status = draw(st.integers(0, 4))
    for fill_in in draw(st.lists(VALUES, max_size=3)):
        fill_in(made.summary.value)
    return made.SerializeToString()


def checked(folder, written, more=b""):
    """Import these events: a run that can be looked at, or an error in words; no more than the run is left there."""
    (folder / "log").mkdir()
    (folder / "log" / "events.out.tfevents.1").write_bytes(b"".join(map(framed, written)) + more)
    words = ["import", "tensorboard", str(folder / "log"), "--runs", str(folder / "runs")]
    done = CliRunner().invoke(vaemon, words, standalone_mode=False)
    if done.exception is not None and not isinstance(done.exception, VaemonError):
        raise done.exception
    left = sorted(path.name for path in (folder / "runs").iterdir()) if (folder / "runs").exists() else []
    if done.exception is not None:
        assert left == []
        return
    assert left == ["log"]
    manifest.read(folder / "runs" / "log")
    (listed,) = LocalDirectory(folder / "runs").runs(60.0)
    assert listed.name == "log"


@settings(max_examples=100 * FUZZ, deadline=None)
@given(st.lists(events(), max_size=8))
def test_any_values_steps_and_times_are_imported_or_refused(tmp_path_factory, written):
    checked(tmp_path_factory.mktemp("v"), written)


@settings(max_examples=60 * FUZZ, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["name", "created", "stage", "latents", "thresholds", "config", "total_steps"]), OWN
    ),
    st.lists(st.dictionaries(st.sampled_from(["kind", "latent", "text"]), OWN) | EVENT, max_size=4),
)
def test_whatever_a_file_says_of_itself(tmp_path_factory, told, happened):
    notes = [text("vaemon/events", json.dumps(each).encode()) for each in happened]
    checked(tmp_path_factory.mktemp("o"), [own(**told), *notes, scalar(1, **GOOD)])


@settings(max_examples=100 * FUZZ, deadline=None)
@given(st.lists(events(), min_size=1, max_size=4), st.data())
def test_a_file_changed_in_any_way_is_imported_or_refused(tmp_path_factory, written, data):
    """In its messages, under checksums that are right, or after them."""
    changed = bytearray(data.draw(st.sampled_from(written)))
    for _ in range(data.draw(st.integers(1, 4))):
        if changed:
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    checked(tmp_path_factory.mktemp("c"), [*written, bytes(changed)], data.draw(st.binary(max_size=30)))


def test_a_file_that_grows_is_read_to_where_it_ended(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(framed(b"x"))

    def read(told):
        for data, _ in records.read_records(path, told.append):
            with path.open("ab") as file:
                file.write(framed(b"more"))
            yield data

    told = []
    assert list(read(told)) == [b"x"]
    assert told == []
