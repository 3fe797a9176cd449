"""A writer killed before, within and after every single write to its file.

strace tells what a recorder writes, in order; all states that the file goes through are made from that, and read.
A kill may strike within a write, too: the kernel then stops between two pages.
"""

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from vaemon import open_run
from vaemon.errors import RunFileError

STRACE = ["strace", "-f", "-qq", "-y", "-xx", "-s", "100000000", "-e", "signal=none"]
CALLS = "trace=pwrite64,write,rename,renameat,renameat2"
PAGE = 4096

RECORD = """
import os, sys
import numpy as np
from vaemon import Recorder
recorder = Recorder("r", runs=sys.argv[1], latents=64)
step = 0
for rows in (1, 99, 30, 300, 1, 300, 300, 300):
    for step in range(step + 1, step + rows + 1):
        recorder.log(step, mean_variance=np.full(64, step), mse=float(step))
    recorder.flush()
    os.write(1, b"flushed %d" % step)
recorder.log(step + 1, mean_variance=np.full(64, step + 1), mean_mu=np.ones(64), mse=step + 1.0)
recorder.flush()
os.write(1, b"flushed %d" % (step + 1))
recorder.close()
"""


def written(folder, log):
    """What was done: ("write", file name, offset, bytes), ("rename", from, to), ("flushed", step)."""
    done = []
    for line in log.read_text().splitlines():
        call = re.match(r"\d+ +(\w+)\((.*)", line)
        if call is None:
            continue
        strings = [bytes.fromhex(each.replace(r"\x", "")) for each in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', line)]
        if call[1] == "pwrite64":
            path, offset = re.match(r'\d+<([^>]*)>, "[^"]*", \d+, (\d+)', call[2]).groups()
            path = bytes.fromhex(path.replace(r"\x", "")).decode() if path.startswith(r"\x") else path
            done.append(("write", path.rpartition("/")[2], int(offset), strings[0]))
        elif call[1].startswith("rename"):
            done.append(("rename", *(each.decode().rpartition("/")[2] for each in strings)))
        elif strings and strings[0].startswith(b"flushed "):
            done.append(("flushed", int(strings[0].split()[1])))
    return done


def states(done, torn=True):
    """Every state of the segments, {name: bytes}, and the last step flushed by then. torn: within writes, too."""
    files, flushed = {}, 0
    for kind, *rest in done:
        if kind == "flushed":
            flushed = rest[0]
        elif kind == "rename":
            files[rest[1]] = files.pop(rest[0], b"")
        else:
            name, offset, content = rest
            before = files.get(name, b"").ljust(offset, b"\0")
            middle = (offset + len(content) // 2) // PAGE * PAGE - offset
            for end in (middle, len(content)) if torn and middle > 0 else (len(content),):
                files[name] = before[:offset] + content[:end] + before[offset + end :]
                yield {each: whole for each, whole in files.items() if each.startswith("segment-")}, flushed


def read_each(talk, runs):
    """Reads the run whenever it is told that it has changed: its steps, or what is wrong with it."""
    while talk.hear():
        try:
            with open_run("r", runs) as run:
                steps = run.series("step").mean if run.segments else np.zeros(0)
                if run.segments:
                    assert (run.series("mean_variance").mean == steps[:, None]).all()
                    assert (run.series("mse").mean == steps).all()
                talk.say(steps)
        except RunFileError as error:
            talk.say(str(error))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The folder of a run, and all that was written to it."""
    tmp = tmp_path_factory.mktemp("writes")
    if shutil.which("strace") is None or subprocess.run([*STRACE, "-o", tmp / "log", "true"]).returncode:
        pytest.skip("strace is not here, or may not trace: apt-get install strace")
    command = [*STRACE, "-e", CALLS, "-o", tmp / "log", sys.executable, "-c", RECORD, tmp]
    subprocess.run(command, check=True, timeout=100, stdout=subprocess.DEVNULL)
    return tmp / "r", written(tmp, tmp / "log")


def put(folder, state):
    for each in folder.glob("segment-*"):
        each.unlink()
    for name, content in state.items():
        (folder / name).write_bytes(content)


def test_the_writes_seen_make_the_files_that_are_there(recorded):
    folder, done = recorded
    *_, (state, flushed) = states(done)
    assert flushed == 1332
    assert state == {each.name: each.read_bytes() for each in folder.glob("segment-*.h5")}


def test_killed_at_any_write_the_flushed_rows_are_there_and_all_rows_are_whole(forks, runs, recorded):
    before, done = recorded
    shutil.copytree(before, runs / "r", ignore=shutil.ignore_patterns("segment-*"))
    child = forks.start(read_each, runs=runs)
    count = 0
    for count, (state, flushed) in enumerate(states(done), start=1):
        put(runs / "r", state)
        child.say(True)
        steps = child.hear()
        assert steps == list(range(1, len(steps) + 1)), f"write {count}"
        assert len(steps) >= flushed, f"write {count}"
    assert count > 50


@pytest.mark.skipif(shutil.which("h5clear") is None, reason="h5clear is not here: apt-get install hdf5-tools")
def test_killed_at_any_write_and_mended_with_h5clear_the_flushed_rows_are_there(forks, runs, recorded):
    before, done = recorded
    shutil.copytree(before, runs / "r", ignore=shutil.ignore_patterns("segment-*"))
    child = forks.start(read_each, runs=runs)
    for count, (state, flushed) in enumerate(states(done, torn=False), start=1):
        put(runs / "r", state)
        for each in state:
            subprocess.run(["h5clear", "-s", runs / "r" / each], capture_output=True, timeout=60)
        child.say(True)
        steps = child.hear()
        if isinstance(steps, list):
            assert steps == list(range(1, len(steps) + 1)), f"write {count}"
            assert len(steps) >= flushed, f"write {count}"
        else:
            assert flushed == 0, f"write {count}: {steps}"
