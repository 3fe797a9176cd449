"""HDF5 tells whoever meets the file of a killed writer to use `h5clear`. With most writers that destroys the data.

`h5clear -s` clears the flags of a crashed file and cuts it at the end that its superblock tells, which
`Dataset.flush` leaves where it was when the file was created.
"""

import random
import shutil
import subprocess
import time

import h5py
import numpy as np
import pytest

from vaemon import Recorder, open_run

H5CLEAR = shutil.which("h5clear")
pytestmark = pytest.mark.skipif(H5CLEAR is None, reason="h5clear is not here: apt-get install hdf5-tools")


def clear(path):
    subprocess.run([H5CLEAR, "-s", path], check=True, capture_output=True, timeout=60)


def stale(path):
    """Whether the superblock tells an end that lies before the file's."""
    return int.from_bytes(path.read_bytes()[28:36], "little") < path.stat().st_size


def plain_writer(talk, path, flush):
    file = h5py.File(path, "x", libver=("v110", "v110"))
    rows = file.create_dataset("rows", (0, 8), "f4", maxshape=(None, 8), chunks=(64, 8))
    file.swmr_mode = True
    for count in range(64, 705, 64):
        rows.resize(count, 0)
        rows[-64:] = 1
        (rows if flush == "dataset" else file).flush()
    talk.say("written")
    talk.hear()


def plain_count(talk, path):
    try:
        with h5py.File(path, "r") as file:
            return int((file["rows"][:] == 1).all(axis=1).sum())
    except (OSError, RuntimeError, KeyError):
        return 0


@pytest.mark.parametrize(("flush", "rows"), [("dataset", 0), ("file", 704)])
def test_plain_after_a_flush_of_datasets_h5clear_destroys_what_they_held(forks, tmp_path, flush, rows):
    path = tmp_path / "plain.h5"
    child = forks.start(plain_writer, path=path, flush=flush)
    assert child.hear() == "written"
    child.end()
    clear(path)
    assert forks.call(plain_count, path=path) == rows


def record(talk, runs, seed):
    rng = random.Random(seed)
    recorder = Recorder("r", runs=runs, latents=8)
    for step in range(1, 1_000_000):
        recorder.log(step, mean_variance=np.full(8, step), mse=float(step))
        if rng.random() < 0.2:
            recorder.flush()
            talk.say(step)


def read_run(talk, runs):
    with open_run("r", runs) as run:
        steps = run.series("step").mean
        assert (run.series("mean_variance").mean == steps[:, None]).all()
        assert (run.series("mse").mean == steps).all()
        return steps


def last_word(child):
    said = 0
    while True:
        try:
            said = child.hear()
        except EOFError:
            return said


def test_h5clear_takes_no_acknowledged_row_of_a_killed_recorder(forks, tmp_path):
    rng = random.Random(0)
    ends_stale = 0
    for kill in range(10):
        runs = tmp_path / str(kill)
        child = forks.start(record, runs=runs, seed=kill)
        child.hear()
        time.sleep(rng.uniform(0.001, 0.2))
        child.kill()
        flushed = last_word(child)
        before = forks.call(read_run, runs=runs)
        path = runs / "r" / "segment-0000.h5"
        ends_stale += stale(path)
        clear(path)
        after = forks.call(read_run, runs=runs)
        assert after == list(range(1, len(after) + 1))
        assert flushed <= len(after) <= len(before)
    print(f"ends told too early: {ends_stale} of 10")
