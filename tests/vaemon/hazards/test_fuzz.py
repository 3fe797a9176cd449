"""Segments that are damaged in any way at all: what is read is rows, or an error with the path; no hang, no crash.

`test_bad_files` has the damage that can be thought of; this is the rest. VAEMON_FUZZ says how many times as long.
"""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaemon import Recorder, open_run
from vaemon.errors import RunFileError, UnknownName
from vaemon.runfile.check import check_run
from vaemon.runfile.superblock import lookup3

FUZZ = int(os.environ.get("VAEMON_FUZZ", "1"))
SOME = settings(max_examples=40 * FUZZ, suppress_health_check=[HealthCheck.function_scoped_fixture])
HANGS = 60.0
ROWS = 700


def record(talk, runs):
    with Recorder("r", runs=runs, latents=5) as recorder:
        for step in range(1, ROWS + 1):
            recorder.log(step, mean_variance=np.full(5, step), mse=float(step))
            if step % 100 == 0:
                recorder.flush()
        recorder.event("note", "text")


def read_each(talk, runs):
    """Reads and checks the run whenever it is told that it has changed: how many rows, or what is wrong."""
    while talk.hear():
        told = read(runs)
        for each in check_run(Path(runs) / "r", live=False):
            assert str(each.file).startswith(runs)
        talk.say(told)


def read(runs):
    try:
        with open_run("r", runs) as run:
            steps = run.series("step").mean if run.segments else []
            for name in ("mean_variance", "mse") if len(steps) else ():
                run.series(name, points=10)
                assert len(run.series(name).mean) == len(steps)
            run.events()
            return len(steps)
    except (RunFileError, UnknownName) as error:
        return str(error)


class Reads:
    """Hands a segment to a process that reads it."""

    def __init__(self, forks, runs):
        self.forks, self.runs, self.path = forks, runs, runs / "r" / "segment-0000.h5"
        forks.call(record, runs=runs)
        self.whole = self.path.read_bytes()
        self.child = forks.start(read_each, runs=runs)

    def __call__(self, content):
        self.path.write_bytes(content)
        self.child.say(True)
        try:
            said = self.child.hear(HANGS)
        except BaseException:  # the same is tried again, by hypothesis, with another
            self.child = self.forks.start(read_each, runs=self.runs)
            raise
        if isinstance(said, str):
            assert str(self.path) in said or "unknown channel" in said
        else:
            assert said <= ROWS


@pytest.fixture
def reads(forks, runs):
    return Reads(forks, runs)


def resealed(content):
    """The bytes with a checksum of the first ones that fits, as whoever means harm would make it."""
    return content[:44] + lookup3(content[:44]).to_bytes(4, "little") + content[48:]


PLACES = st.integers(0, 10**7)
WAYS = st.sampled_from(["flip", "zero", "put", "splice", "cut", "insert"])
EDITS = st.lists(
    st.tuples(WAYS, PLACES, PLACES, st.binary(max_size=8)),
    min_size=1,
    max_size=5,
)


def edited(content, edits):
    for how, at, other, new in edits:
        at, other = at % len(content), other % len(content)
        if how == "flip":
            content = content[:at] + bytes([content[at] ^ (1 << other % 8)]) + content[at + 1 :]
        elif how == "zero":
            content = content[:at] + bytes(min(4096, len(content) - at)) + content[at + 4096 :]
        elif how == "put":
            content = content[:at] + new + content[at + len(new) :]
        elif how == "splice":
            content = content[:at] + content[other : other + 512] + content[at + 512 :]
        elif how == "cut":
            content = content[: max(at, 1)]
        else:
            content = content[:at] + new + content[at:]
    return content


@SOME
@given(EDITS)
def test_a_segment_changed_in_any_way_is_read_or_refused(reads, edits):
    reads(edited(reads.whole, edits))


@SOME
@given(EDITS)
def test_so_is_one_whose_first_bytes_were_sealed_anew(reads, edits):
    content = edited(reads.whole, edits)
    reads(resealed(content) if len(content) > 48 else content)


DTYPES = st.sampled_from(["f4", "f8", "i8", "u1", "S8", "f2", ("f4", (3,))])
SHAPES = st.lists(st.integers(0, 5), min_size=0, max_size=3).map(tuple)
VALUES = st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=20).filter(lambda text: "\0" not in text)
NAMES = ["rows", "events", "commits", "pyramid/32/scalars", "pyramid/32/clocks", "pyramid/32/latent-mean_variance"]
ATTRIBUTES = ["format", "stage", "latents", "first_step", "first_row", "replaces", "lacking", "channels", "total_steps"]


@SOME
@given(
    st.dictionaries(st.sampled_from(NAMES), st.tuples(SHAPES, DTYPES), max_size=2),
    st.dictionaries(st.sampled_from(ATTRIBUTES), VALUES, max_size=3),
)
def test_a_file_of_somebody_elses_making_is_read_or_refused(reads, tmp_path, datasets, attributes):
    path = tmp_path / "made.h5"
    path.write_bytes(reads.whole)
    with h5py.File(path, "r+", libver=("v110", "v110"), locking=False) as file:
        for name, (shape, dtype) in datasets.items():
            del file[name]
            file.create_dataset(name, shape, dtype)
        for name, value in attributes.items():
            file.attrs[name] = value.encode(errors="replace").decode() if isinstance(value, str) else value
    reads(path.read_bytes())
