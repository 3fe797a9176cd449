"""What HDF5 and SWMR do to the unwary, each shown on plain h5py, and that it cannot happen with vaemon.

The measurements behind it: h5py 3.16, HDF5 2.0.0.
"""

import ast
import contextlib
import hashlib
import os
import resource
import signal
import threading
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from h5py._objects import phil

import vaemon
from vaemon import Recorder, open_run
from vaemon.errors import RunFileError, RunLocked
from vaemon.runfile import shared

ROOM = Path(vaemon.__file__).parent
SWMR = {"libver": ("v110", "v110")}
RESTED = 2.0
"""Seconds without a sign of life after which a plain reader is called frozen."""


def plain_file(path):
    """A file of plain h5py under SWMR, still open."""
    file = h5py.File(path, "x", **SWMR)
    file.create_dataset("rows", (0, 8), "f4", maxshape=(None, 8), chunks=(64, 8))
    file.swmr_mode = True
    return file


def append(file, count):
    rows = file["rows"]
    rows.resize(len(rows) + count, 0)
    rows[-count:] = np.arange(count)[:, None]


def plain_writer(talk, path, count=640, flush="file"):
    file = plain_file(path)
    for _ in range(0, count, 64):
        append(file, 64)
        file.flush() if flush == "file" else file["rows"].flush()
    talk.say("written")
    talk.hear()


def writer(talk, runs, rows=300, latents=8):
    """Records some rows, then does nothing until it is killed."""
    recorder = Recorder("r", runs=runs, latents=latents)
    for step in range(1, rows + 1):
        recorder.log(step, mean_variance=np.full(latents, step), mse=float(step))
    recorder.flush()
    talk.say("written")
    talk.hear()


def started(forks, job, **arguments):
    child = forks.start(job, **arguments)
    assert child.hear() == "written"
    return child


def digest(folder):
    return {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in sorted(folder.glob("segment-*.h5"))}


def read_run(talk, runs):
    with open_run("r", runs) as run:
        steps = run.series("step").mean
        assert (run.series("mean_variance").mean == steps[:, None]).all()
        assert (run.series("mse").mean == steps).all()
        return steps


# A second writer


def create_anew(talk, path):
    with h5py.File(path, "w"):
        return os.path.getsize(path)


def record_anew(talk, runs, resume):
    try:
        Recorder("r", runs=runs, resume=resume)
    except RunLocked as error:
        return str(error)


def test_plain_a_second_file_of_mode_w_truncates_a_live_one(forks, tmp_path):
    started(forks, plain_writer, path=tmp_path / "plain.h5")
    assert (tmp_path / "plain.h5").stat().st_size > 20_000
    assert forks.call(create_anew, path=tmp_path / "plain.h5") < 1000


@pytest.mark.parametrize("resume", [False, True])
def test_a_second_recorder_is_refused_and_touches_nothing(forks, runs, resume):
    live = started(forks, writer, runs=runs)
    before = digest(runs / "r")
    assert f"process {live.pid} on " in forks.call(record_anew, runs=runs, resume=resume)
    assert digest(runs / "r") == before != {}


def test_no_module_opens_a_file_in_a_way_that_could_truncate_one():
    """Segments are created exclusively, gone on with and read; no HDF5 file is ever opened in another way."""
    calls = [
        (f"{path.name}:{node.lineno}", node)
        for path in ROOM.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call | ast.Attribute | ast.Name)
    ]
    modes = set()
    for where, node in calls:
        name = getattr(node, "attr", getattr(node, "id", ""))
        assert name not in ("ACC_TRUNC", "ACC_RDWR"), where
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "File":
            given = [*node.args[1:2], *(each.value for each in node.keywords if each.arg == "mode")]
            assert all(isinstance(each, ast.Constant) for each in given), where
            modes |= {each.value for each in given}
    assert modes <= {"r", "r+", "x"}


# A damaged piece of metadata


def plain_reader(talk, path):
    threading.Thread(target=tick, args=(talk,), daemon=True).start()
    time.sleep(0.1)
    talk.say("opening")
    with h5py.File(path, "r", swmr=True, locking=False) as file:
        return len(file["rows"])


def tick(talk):
    while True:
        talk.say("tick")
        time.sleep(0.02)


def test_plain_a_flipped_byte_freezes_a_reader_with_the_interpreter(forks, tmp_path):
    started(forks, plain_writer, path=tmp_path / "plain.h5").end()
    flip(tmp_path / "plain.h5", 30)
    child = forks.start(plain_reader, path=tmp_path / "plain.h5")
    while child.hear() != "opening":
        pass
    with pytest.raises(TimeoutError):
        hear_ticks(child, seconds=30)


def hear_ticks(child, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert child.hear(RESTED) == "tick"


def flip(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 0xFF]))


def open_and_wait(talk, runs):
    run = open_run("r", runs)
    talk.say("open")
    talk.hear()
    return outcome(run.refresh, lambda: read_run(talk, runs))


def open_damaged(talk, runs):
    return outcome(lambda: read_run(talk, runs))


def outcome(*actions):
    try:
        return [action() for action in actions][-1]
    except RunFileError as error:
        return str(error)


METADATA = (b"OHDR", b"OCHK", b"EAHD", b"EAIB", b"EASB", b"EADB", b"FADB", b"FAHD", b"FRHP", b"FHDB", b"FHIB", b"BTHD")
"""Signatures that the pieces of metadata of an HDF5 file begin with."""


def pieces(path):
    whole = path.read_bytes()
    found = []
    for signature in METADATA:
        at = whole.find(signature)
        while at >= 0:
            found.append(at)
            at = whole.find(signature, at + 1)
    return found


def test_a_flipped_byte_in_any_piece_of_metadata_is_told_and_freezes_nobody(forks, runs):
    started(forks, writer, runs=runs).end()
    path = runs / "r" / "segment-0000.h5"
    found = pieces(path)
    told = 0
    for at in found[:: -(-len(found) // 8)]:
        waiting = forks.start(open_and_wait, runs=runs)
        assert waiting.hear() == "open"
        flip(path, at + 6)
        waiting.say("go on")
        anew = forks.start(open_damaged, runs=runs)
        for answer in (waiting.hear(), anew.hear()):
            if answer != list(range(1, 301)):
                assert str(path) in answer
                told += 1
        flip(path, at + 6)
    assert told
    assert forks.call(open_damaged, runs=runs) == list(range(1, 301))


# A full disk


def plain_until_full(talk, path):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    file = plain_file(path)
    append(file, 64)
    file.flush()
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
    with contextlib.suppress(RuntimeError, OSError):
        for _ in range(1000):
            append(file, 64)
            file.flush()


def test_plain_a_full_disk_ends_the_process_by_a_segmentation_fault(forks, tmp_path):
    child = forks.start(plain_until_full, path=tmp_path / "plain.h5")
    assert child.wait() == -signal.SIGSEGV


def record_until_full(talk, runs, limit, ends):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    recorder = Recorder("r", runs=runs, latents=64)
    for step in range(1, 701):
        recorder.log(step, mean_variance=np.full(64, step), mse=float(step))
        if step % 100 == 0:
            recorder.flush()
            talk.say(step)
            talk.hear()
        if step == 200:
            size = (Path(runs) / "r" / "segment-0000.h5").stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + limit, resource.RLIM_INFINITY))
    if ends == "closed":
        recorder.close()


@pytest.mark.parametrize(("limit", "ends"), [(-50_000, "closed"), (1, "left"), (30_001, "left"), (100_000, "closed")])
def test_a_full_disk_anywhere_ends_no_process_and_takes_no_row_that_was_there(forks, runs, limit, ends):
    child = forks.start(record_until_full, runs=runs, limit=limit, ends=ends)
    there = []
    for _ in range(7):
        child.hear()
        now = forks.call(read_run, runs=runs)
        assert now[: len(there)] == there
        there = now
        child.say("go on")
    assert child.hear() is None
    assert child.wait() == 0
    assert forks.call(read_run, runs=runs)[: len(there)] == there
    assert len(there) >= 200


# Something created after SWMR has begun


def create_late(talk, path):
    file = h5py.File(path, "x", **SWMR)
    file.swmr_mode = True
    late = file.create_dataset("late", data=np.zeros((10, 3)), maxshape=(None, 4), chunks=(14, 3))
    talk.say("created without a word")
    for name in "abc":
        late.attrs[name] = 1.0


def test_plain_attributes_of_a_dataset_created_late_break_the_writer(forks, tmp_path):
    """HDF5: "Parent entry isn't pinned", then, as a rule, a segmentation fault. github.com/h5py/h5py/issues/1910."""
    child = forks.start(create_late, path=tmp_path / "plain.h5")
    assert child.hear() == "created without a word"
    assert child.wait() != 0


def record_late_channels(talk, runs):
    recorder = Recorder("r", runs=runs, latents=2)
    late = ({}, {"own": 1.0}, {"mean_mu": np.ones(2)}, {"another": np.ones(2), "more": 2.0})
    for part, values in enumerate(late):
        for step in range(50 * part + 1, 50 * part + 51):
            recorder.log(step, mean_variance=np.full(2, step), mse=float(step), **values)
        recorder.event("note", "so far")
        recorder.flush()
        talk.say("written")
        talk.hear()
    recorder.close()


def names_in(talk, path):
    """All that an HDF5 file holds: names, types, attributes."""
    with h5py.File(path, "r", swmr=True, locking=False) as file:
        found = {}
        file.visititems(lambda name, each: found.update({f"{name} {getattr(each, 'dtype', '')}": sorted(each.attrs)}))
        return {**found, "": {name: str(value) for name, value in file.attrs.items()}}


def test_a_segment_never_gains_anything_and_what_is_new_stands_in_a_new_one(forks, runs):
    child = forks.start(record_late_channels, runs=runs)
    before = {}
    for _ in range(4):
        assert child.hear() == "written"
        now = {path.name: forks.call(names_in, path=path) for path in (runs / "r").glob("segment-*.h5")}
        assert {name: now[name] for name in before} == before
        before = now
        child.say("go on")
    assert len(before) > 1
    assert child.hear() is None
    with open_run("r", runs) as run:
        np.testing.assert_array_equal(run.series("step").mean, np.arange(1, 201))
        np.testing.assert_array_equal(run.series("mean_mu").mean[100:150], np.ones((50, 2)))
        np.testing.assert_array_equal(run.series("another").mean[150:], np.ones((50, 2)))
        own = run.series("own")
        np.testing.assert_array_equal(own.step[np.isfinite(own.mean)], np.arange(51, 101))


# The lock of a reader


def plain_look_on(talk, path, locking):
    with h5py.File(path, "r", locking=locking):
        talk.say("open")
        talk.hear()


def plain_go_on(talk, path):
    try:
        with h5py.File(path, "r+"):
            return "goes on"
    except BlockingIOError as error:
        return type(error).__name__


@pytest.mark.parametrize(("locking", "answer"), [(True, "BlockingIOError"), (False, "goes on")])
def test_plain_the_lock_of_a_reader_keeps_a_writer_out(forks, tmp_path, locking, answer):
    with h5py.File(tmp_path / "plain.h5", "x", locking=False):
        pass
    child = forks.start(plain_look_on, path=tmp_path / "plain.h5", locking=locking)
    assert child.hear() == "open"
    assert forks.call(plain_go_on, path=tmp_path / "plain.h5") == answer


def look_on(talk, runs):
    with open_run("r", runs) as run:
        talk.say(int(run.series("step").step[-1]))
        talk.hear()
        run.refresh()
        return run.series("step").mean


def resume(talk, runs):
    with open_run("r", runs) as run:
        first = int(run.series("step").step[-1]) + 1
    with Recorder("r", runs=runs, resume=True) as recorder:
        for step in range(first, first + 100):
            recorder.log(step, mean_variance=np.full(8, step), mse=float(step))


def test_a_run_is_resumed_while_readers_look_on_and_they_see_it(forks, runs):
    started(forks, writer, runs=runs).end()
    readers = [forks.start(look_on, runs=runs) for _ in range(2)]
    assert [each.hear() for each in readers] == [300, 300]
    forks.call(resume, runs=runs)
    for each in readers:
        each.say("go on")
        assert each.hear() == list(range(1, 401))


def test_a_reader_that_opens_a_file_waits_for_whatever_thread_is_within_hdf5():
    # Two at once end the process: h5py's own calls take its lock, the one that it lacks must, too.
    access, done = h5py.h5p.create(h5py.h5p.FILE_ACCESS), threading.Event()

    def bound():
        shared._bound_read_attempts(access)
        done.set()

    with phil:
        threading.Thread(target=bound).start()
        assert not done.wait(0.5)
    assert done.wait(60)
