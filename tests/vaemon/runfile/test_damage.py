"""Damaged files are told in words, at once. Each is read in a process of its own, for HDF5 may hang or abort."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

from vaemon import Recorder, open_run
from vaemon.runfile.superblock import lookup3, read_superblock

READ = """
import sys
from vaemon import open_run
from vaemon.errors import VaemonError
try:
    with open_run("r") as run:
        rows = run.series("mean_variance").mean
        told = [event.text for event in run.events() if "cut short" in event.text]
        print("told:" if told else "", len(rows), "true" if (rows == 0.5).all() else "made up", flush=True)
except VaemonError as error:
    print("told:", error)
"""


@pytest.fixture
def segment(runs):
    with Recorder("r", latents=64) as recorder:
        for step in range(1, 1001):
            recorder.log(step, mean_variance=np.full(64, 0.5))
    return runs / "r" / "segment-0000.h5"


def read():
    done = subprocess.run([sys.executable, "-c", READ], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_hash_is_that_of_its_author():
    assert lookup3(b"") == 0xDEADBEEF
    assert lookup3(b"Four score and seven years ago") == 0x17770551


def test_the_checksum_of_every_file_we_write_fits(segment):
    assert not read_superblock(segment).short


@pytest.mark.parametrize("size", [0, 8, 20, 47, 100, 2000, 0.3, 0.66, 0.95])
def test_a_file_cut_short_is_told_and_hangs_nobody(segment, size):
    whole = segment.read_bytes()
    segment.write_bytes(whole[: int(len(whole) * size) if isinstance(size, float) else size])
    assert "told:" in read()
    assert "made up" not in read()


def test_any_flipped_byte_is_told_or_harmless_and_hangs_nobody(segment):
    whole = bytearray(segment.read_bytes())
    rng = np.random.default_rng(0)
    for at in [9, 30, 46, 60, 100, *rng.integers(48, len(whole), 6)]:
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        segment.write_bytes(damaged)
        assert read().startswith("1000") or "told:" in read()


def test_several_readers_of_one_file_do_not_spoil_each_other(runs):
    with Recorder("r", latents=64) as recorder:
        steps = np.arange(1, 901)
        for step in steps:
            recorder.log(step, mean_variance=np.full(64, step), mse=float(step))
        recorder.flush()
        with open_run("r") as first, open_run("r") as second:
            for run in (first, second, first):
                np.testing.assert_array_equal(run.series("mse").mean, steps)
                np.testing.assert_array_equal(run.series("mean_variance").mean[:, 5], steps)
            for step in range(901, 1201):
                recorder.log(step, mean_variance=np.full(64, step), mse=float(step))
            recorder.flush()
            first.refresh()
            assert (len(first.series("mse").step), len(second.series("mse").step)) == (1200, 900)
            second.refresh()
            np.testing.assert_array_equal(second.series("mse").mean, np.arange(1, 1201))
        with open_run("r") as third:
            np.testing.assert_array_equal(third.series("mse").mean, np.arange(1, 1201))


def test_what_h5py_reads_is_what_we_read(segment):
    with h5py.File(segment, "r", locking=False) as file:
        theirs = file["rows"]["mean_variance"][:]
    with open_run("r") as run:
        np.testing.assert_array_equal(run.series("mean_variance").mean, theirs)
