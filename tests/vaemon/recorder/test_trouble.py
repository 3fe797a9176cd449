"""What went wrong for somebody once, or for a reviewer: each must stay mended."""

import os
import signal
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from vaemon import Recorder, open_run
from vaemon.cli import vaemon
from vaemon.errors import UsageError
from vaemon.recorder import block as blocks

FULL_AT_A_CHANGE = """
import resource, os, sys
import numpy as np
from vaemon import Recorder
r = Recorder("r", latents=64, live=sys.argv[2] == "live")
for step in range(1, 200):
    r.log(step, mean_variance=np.full(64, .5), mse=1.0)
assert r.flush()
size = max(os.path.getsize(os.path.join(r.folder, each)) for each in os.listdir(r.folder))
resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
for step in range(200, 3000):
    r.log(step, mean_variance=np.full(64, .5), mse=1.0)
if sys.argv[1] == "stage":
    r.stage(2, latents=32)
    for step in range(1, 100):
        r.log(step, mean_variance=np.full(32, .5), mse=1.0)
elif sys.argv[1] == "latents":
    for step in range(3000, 3100):
        r.log(step, mean_variance=np.full(32, .5), mse=1.0)
else:
    for step in range(3000, 3100):
        r.log(step, mean_variance=np.full(64, .5), own=np.full(64, .5), mse=1.0)
r.close()
print("trained to the end")
"""


@pytest.mark.parametrize("live", ["live", "closed"])
@pytest.mark.parametrize("change", ["stage", "latents", "channel"])
def test_a_disk_that_is_full_at_a_change_of_segments_does_not_crash_the_training(runs, change, live):
    done = subprocess.run([sys.executable, "-c", FULL_AT_A_CHANGE, change, live], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "trained to the end"), done.stderr
    with open_run("r") as run:
        assert run.series("step", stage=1).mean.tolist()[:199] == list(range(1, 200))


def test_a_loop_may_change_its_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VAEMON_RUNS", raising=False)
    (tmp_path / "elsewhere").mkdir()
    with Recorder("r", latents=1) as recorder:
        recorder.log(1, mean_variance=[0.5])
        os.chdir("elsewhere")
        for step in range(2, 50):
            recorder.log(step, mean_variance=[0.5])
        assert recorder.flush()
    os.chdir(tmp_path)
    with open_run("r") as run:
        assert len(run.series("step").mean) == 49


@pytest.mark.parametrize("values", [{"loss": np.ones(3)}, {"mean_variance": 0.5}, {"mse": torch.ones(2)}])
def test_a_listed_channel_of_the_other_kind_is_refused(runs, values):
    with Recorder("r") as recorder, pytest.raises(UsageError, match="one number"):
        recorder.log(1, **values)
    with Recorder("s", latents=3) as recorder:
        for step in range(1, 40):
            recorder.log(step, **({"kl": 1.0, **values} if step == 10 else {"mean_mu": np.full(3, 0.5), "loss": 1.0}))
    with open_run("s") as run:
        assert len(run.series("step").mean) == 38


def test_a_step_that_is_counted_in_place_is_taken_as_it_was(runs):
    step = torch.tensor(0)
    with Recorder("r") as recorder:
        for _ in range(50):
            step += 1
            recorder.log(step, mse=1.0)
    with open_run("r") as run:
        assert run.series("step").mean.tolist() == list(range(1, 51))


def test_a_device_without_memory_for_a_moment_costs_no_row(runs, monkeypatch):
    failing = []
    from vaemon.recorder import sheet

    honest = sheet.fetch

    def short_of_memory(rows):
        if len(failing) < 1:
            failing.append(1)
            raise RuntimeError("CUDA out of memory")
        return honest(rows)

    with Recorder("r") as recorder:
        recorder.log(1, mean_variance=torch.ones(3))
        monkeypatch.setattr(sheet, "fetch", short_of_memory)
        for step in range(2, 200):
            recorder.log(step, mean_variance=torch.ones(3))
        recorder.flush()
        assert recorder.flush()
    assert failing
    with open_run("r") as run:
        assert len(run.series("step").mean) == 199


def test_rows_of_two_kinds_by_turns_do_not_fill_the_buffer(runs, monkeypatch):
    monkeypatch.setattr("vaemon.recorder.recorder.BUFFER_BYTES", 2 * 1024 * 1024)
    with Recorder("r") as recorder:
        for step in range(1, 801):
            if step % 3:
                recorder.log(step, mse=1.0, lr=0.1)
            else:
                recorder.log(step, mean_variance=torch.full((256,), 0.5), mse=torch.tensor(2.0))
            if step % 400 == 0:
                recorder.flush()
    with open_run("r") as run:
        assert len(run.series("step").mean) == 800
        assert np.isfinite(run.series("mean_variance").mean).all(axis=1).sum() == 266


def test_a_block_counts_what_it_holds_once_it_is_left():
    from vaemon.batch import StageInfo
    from vaemon.recorder.ring import Ring
    from vaemon.recorder.row import sort_values

    ring, stage = Ring(10_000_000), StageInfo(1, 3)
    for i in range(2000):
        values = sort_values({f"v{i % 2}": np.zeros(1000, np.float32)})
        block = ring.open(blocks.kind_of(stage, values))
        assert block is not None, f"full after {i} rows of 4 kB"
        block.fill(i, 0.0, values, None)


def test_a_scalar_that_comes_now_and_then_never_gets_a_place_in_the_rows(runs):
    with Recorder("r") as recorder:
        for step in range(1, 400):
            recorder.log(step, mse=1.0, **({"test_mse": float(step)} if step % 10 == 0 else {}))
    with open_run("r") as run:
        assert len(run.segments) == 1
        assert run.series("test_mse").step.tolist() == list(range(10, 400, 10))


def test_a_block_is_the_loops_before_the_writer_sees_it():
    from vaemon.batch import StageInfo
    from vaemon.recorder.ring import Ring
    from vaemon.recorder.row import sort_values

    ring, values = Ring(10_000_000), sort_values({"mse": 1.0})

    class Queue(type(ring._blocks)):
        def append(self, block):
            super().append(block)
            ring.settle([])  # the writer, at the worst of all moments

    ring._blocks = Queue()
    block = ring.open(blocks.kind_of(StageInfo(1, 3), values))
    block.fill(1, 0.0, values, None)
    assert len(ring) == 1


def test_events_are_kept_whenever_they_come(runs):
    with Recorder("r", latents=1, live=False) as recorder:
        recorder.log(1, mean_variance=[0.5])
        recorder.flush()
        recorder.event("checkpoint", "first")
        recorder.flush()
        recorder.stage(2, latents=1)
        recorder.event("note", "before the stage has rows")
        recorder.flush()
        recorder.log(0, mean_variance=[0.5])
        recorder.event("checkpoint", "second")
    with Recorder("r", resume=True) as recorder:
        recorder.event("note", "nothing but this", step=7)
    with open_run("r") as run:
        texts = [event.text for event in run.events() if event.kind in ("note", "checkpoint")]
        assert texts == ["first", "before the stage has rows", "second", "nothing but this"]
        assert run.series("step", stage=1).mean.tolist() == [1]
        assert run.series("step", stage=2).mean.tolist() == [0]
    assert CliRunner().invoke(vaemon, ["check", "r"]).exit_code == 0


def test_no_warning_of_numpy_reaches_the_loop_or_costs_a_row(runs):
    big = np.float32(3e38)
    with warnings.catch_warnings(), Recorder("r") as recorder:
        warnings.simplefilter("error")
        for step in range(1, 9):
            recorder.log(step, mse=big, kl=big, gamma=big)
    with open_run("r") as run:
        assert len(run.series("step").mean) == 8


def test_what_a_row_was_not_given_is_not_taken_for_a_bad_value(runs):
    with Recorder("r", steps_per_epoch=2) as recorder:
        for step in range(1, 13):
            given = {"mse": 1.0, "mean_variance": [0.5], "latent_kl": [0.1], "epoch": 7} if step % 3 else {"kl": 2.0}
            recorder.log(step, gamma=1.0, **given)
        recorder.flush()
        assert recorder.first_bad is None
    with open_run("r") as run:
        assert "nan" not in {event.kind for event in run.events()}
        assert run.series("epoch").mean.tolist()[:6] == [7, 7, 1, 7, 7, 2]


def test_a_loop_that_counts_from_0_has_the_same_epochs_when_it_is_resumed(runs):
    for first, last in ((0, 10), (10, 20)):
        with Recorder("r", steps_per_epoch=5, resume=first > 0) as recorder:
            for step in range(first, last):
                recorder.log(step, mse=1.0)
    with open_run("r") as run:
        assert run.series("epoch").mean.tolist() == [step // 5 for step in range(20)]


@pytest.mark.parametrize("dtype", [torch.int64, torch.float64])
def test_numbers_of_the_loops_own_keep_their_digits(runs, dtype):
    with Recorder("r") as recorder:
        for step in range(1, 30):
            recorder.log(
                step, tokens=torch.tensor(123_456_789 + step, dtype=dtype), mean_variance=torch.full((2,), 0.5)
            )
    with open_run("r") as run:
        assert run.series("tokens").mean.tolist() == [123_456_789 + step for step in range(1, 30)]
        assert run.series("mean_variance").mean.dtype == np.float32


def test_a_failed_merge_is_no_failed_write(runs, monkeypatch):
    def fail(folder):
        raise OSError("no room to merge")

    monkeypatch.setattr("vaemon.recorder.writer.merge_small", fail)
    with Recorder("r", latents=1, live=False) as recorder:
        for step in range(1, 20):
            recorder.log(step, mean_variance=[0.5])
            recorder.event("checkpoint", str(step))
            assert recorder.flush()
    with open_run("r") as run:
        assert run.series("step").mean.tolist() == list(range(1, 20))
        assert [e.text for e in run.events() if e.kind == "checkpoint"] == [str(step) for step in range(1, 20)]


READER_INSIDE = """
import resource, os
import numpy as np
from vaemon import Recorder, open_run
r = Recorder("r", latents=64)
for step in range(1, 300):
    r.log(step, mean_variance=np.full(64, .5), mse=1.0)
r.flush()
with open_run("r") as run:
    assert len(run.series("step").mean) == 299
    path = r.folder / "segment-0000.h5"
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, resource.RLIM_INFINITY))
    for step in range(300, 3000):
        r.log(step, mean_variance=np.full(64, .5), mse=1.0)
    assert not r.flush()
    run.refresh()
    rows = run.series("mean_variance").mean
    assert (rows == .5).all() and len(rows) >= 299, rows.shape
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    r.close()
    run.refresh()
    assert len(run.series("step").mean) == 2999
with open(path, "rb") as file:
    print(file.read(12)[11])
"""


def test_a_reader_in_the_writers_process_sees_whole_rows_through_a_write_error(runs):
    done = subprocess.run([sys.executable, "-c", READER_INSIDE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_reader_in_the_writers_process_does_not_keep_its_file_open(runs):
    with Recorder("r", latents=1) as recorder:
        recorder.log(1, mean_variance=[0.5])
        recorder.flush()
        with open_run("r") as run:
            assert len(run.series("step").mean) == 1
            recorder.close()
            assert (runs / "r" / "segment-0000.h5").read_bytes()[11] == 0, "closed, as it says"
            run.refresh()
            assert run.series("mean_variance").mean.tolist() == [[0.5]]


def test_sigterm_in_the_middle_of_logging_loses_nothing_that_was_logged(runs):
    code = """
import os, signal, threading, time
from vaemon import Recorder
r = Recorder("r", latents=1)
threading.Timer(0.7, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
for step in range(1, 10**9):
    r.log(step, mean_variance=[0.5])
    time.sleep(0.0005)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -signal.SIGTERM
    with open_run("r") as run:
        steps = run.series("step").mean
        np.testing.assert_array_equal(steps, np.arange(1, len(steps) + 1))
