"""Disks that are full just when a segment is begun, or closed."""

import importlib.util
from pathlib import Path

import pytest

from vaemon.batch import RunState

_spec = importlib.util.spec_from_file_location("disk", Path(__file__).with_name("test_disk.py"))
disk = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(disk)
UNLIMITED, ends_well, limit_files, read_run = disk.UNLIMITED, disk.ends_well, disk.limit_files, disk.read_run
recorder_on_call, told, upto = disk.recorder_on_call, disk.told, disk.upto


@pytest.mark.parametrize("size", [0, 47, 48, 100, 2000, 4096, 8000, 12_000, 12_300, 13_000, 15_000, 20_000, 40_000])
def test_a_disk_that_fills_up_while_a_segment_is_made_ends_no_process(forks, runs, size):
    """At whichever byte: HDF5 itself crashes where that is in the midst of the first ones."""
    child = forks.start(recorder_on_call, runs=runs)
    told(child, "begin")
    told(child, "log", 300)
    limit_files(child.pid, size)
    told(child, "late")
    told(child, "log", 300)
    limit_files(child.pid, UNLIMITED)
    told(child, "log", 300)
    told(child, "close")
    ends_well(child)
    after = forks.call(read_run, runs=runs)
    assert after["steps"] == upto(901)
    assert after["state"] == RunState.FINISHED
