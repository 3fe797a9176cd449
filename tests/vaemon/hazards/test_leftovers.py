"""What a writer that died, or could not write, leaves lying about."""

import multiprocessing
import os
import re
import resource
import signal

import numpy as np

from vaemon import Recorder, open_run
from vaemon.runfile import manifest


def log(recorder, first, last):
    for step in range(first, last + 1):
        recorder.log(step, mean_variance=np.full(64, step), mse=float(step))


def die_in_a_rename(talk, runs):
    recorder = Recorder("r", runs=runs)
    log(recorder, 1, 100)
    recorder.flush()
    for name in ("rename", "replace", "link"):
        setattr(os, name, lambda *arguments, **named: os.kill(os.getpid(), signal.SIGKILL))
    talk.say("ready")
    recorder.log(101, mean_variance=np.ones(64), mse=1.0, late=np.ones(64))
    recorder.flush()


def go_on(talk, runs):
    with Recorder("r", runs=runs, resume=True) as recorder:
        log(recorder, 101, 200)


def test_the_half_made_segment_of_a_killed_writer_is_gone_after_the_next(forks, runs):
    child = forks.start(die_in_a_rename, runs=runs)
    assert child.hear() == "ready"
    assert child.wait() == -signal.SIGKILL
    forks.call(go_on, runs=runs)
    with open_run("r", runs) as run:
        assert run.series("step").mean.tolist() == list(range(1, 201))
    left = {each.name for each in (runs / "r").iterdir()}
    assert {name for name in left if not re.fullmatch(r"segment-\d+\.h5", name)} == {"run.json", "writer.lock"}


def test_a_run_json_that_could_not_be_written_is_as_it_was_and_leaves_nothing_half_made(tmp_path):
    before = manifest.begin(tmp_path, "r", {"lr": 1}, None)

    def end_on_a_full_disk():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, resource.RLIM_INFINITY))
        manifest.end(tmp_path, "finished", "")

    child = multiprocessing.get_context("fork").Process(target=end_on_a_full_disk)
    child.start()
    child.join()
    assert child.exitcode == 1
    assert [each.name for each in tmp_path.iterdir()] == ["run.json"]
    assert manifest.read(tmp_path) == before


def test_the_half_made_run_json_of_a_killed_writer_is_gone_after_the_next(runs):
    with Recorder("r", runs=runs) as recorder:
        log(recorder, 1, 2)
    (runs / "r" / ".run.json.1234").touch()
    Recorder("r", runs=runs, resume=True).close()
    assert not list((runs / "r").glob(".run.json*"))
