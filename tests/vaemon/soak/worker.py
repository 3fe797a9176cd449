"""The processes of a soak, each in a Python of its own: `worker.py writer|watcher …`; they tell lines on stdout."""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from rows import CHANNELS, LATENTS, columns_of, life_of, row_of

ROWS_A_SECOND = 3000
"""Over a writer's life: an hour of it is a GB. Within a burst, rows come as fast as they are taken."""
BURSTS = (1, 30, 700, 5000, 20_000)
ANSWER = 60.0
"""Seconds within which a watcher that can be answered must be: many processes share the machine."""


def say(*words):
    """Tell a line; whoever is killed after it has told it, for it lies in the pipe."""
    os.write(1, json.dumps(words).encode() + b"\n")


def memory():
    """Bytes of memory that this process holds, and how many files."""
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE"), len(os.listdir("/proc/self/fd"))


def writer(runs, life, seed):
    from vaemon import Recorder, open_run
    from vaemon.errors import UnknownName

    rng, stopping = random.Random(seed), []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    last, exists = 0, True
    try:
        with open_run("r", runs) as run:
            last = int(run.series("step").step[-1]) if run.segments else 0
    except UnknownName:
        exists = False
    say("begins", last + 1)
    recorder = Recorder("r", runs=runs, latents=LATENTS, resume=exists)
    begun, step = time.monotonic(), last + 1
    recorder.log(step, **row_of(step, life))
    say("records", step)
    while not stopping:
        for _ in range(rng.choice(BURSTS)):
            step += 1
            recorder.log(step, **row_of(step, life))
        if rng.random() < 0.6:
            say("about", step)
            say("flushed" if recorder.flush() else "refused", step)
            say("memory", *memory())
        if rng.random() < 0.05:
            recorder.event("note", f"life {life}, step {step}")
        while not stopping and time.monotonic() - begun < (step - last) / ROWS_A_SECOND:
            time.sleep(0.02)
    say("closing", step)
    recorder.close()
    say("closed", step)


def watcher(address, _life, seed):
    """Polls as a dashboard does, and looks at every row that it is told in full."""
    from vaemon.batch import Want
    from vaemon.errors import SourceLost
    from vaemon.source.open import await_source
    from vaemon.view.fold import fold, source_lost
    from vaemon.view.state import RunView

    rng, source, view = random.Random(seed), await_source(address, None, {}), RunView()
    while True:
        begun = time.monotonic()
        try:
            view = fold(view, source.poll(view.cursor, Want(CHANNELS, columns=256, seconds=0.5, scalars=2)))
        except SourceLost as error:
            view = source_lost(view, str(error))
        took = time.monotonic() - begun
        assert took < ANSWER, f"an answer took {took:.1f} s"
        if view.latest is not None and not view.lost:
            check_view(view)
        step = view.latest.step if view.latest is not None else 0
        files = len(view.info.stages) and view.cursor.segments
        say("saw", step, str(view.info.state) if view.info else "", bool(view.lost or view.loading), files, *memory())
        time.sleep(rng.random() * 0.5)


def check_view(view):
    """The newest row is one that was logged; columns of one row are, too; the axis goes upwards."""
    import numpy as np

    step, scalars = view.latest.step, view.latest.scalars
    life = life_of(step, scalars["own"])
    expected = columns_of(np.array([step]), np.array([life]))
    assert (np.float32(scalars["mse"]), scalars["own"]) == (expected["mse"][0], expected["own"][0]), (step, scalars)
    columns = view.columns
    assert (np.diff(columns.step) > 0).all(), "the axis does not go upwards"
    steps = columns.first * columns.width + columns.width * (1 + np.arange(len(columns)))
    assert (columns.step == steps).all(), "a column does not stand for the rows that it says"
    for name in ("mse", "own"):
        if name in columns.low:
            assert (columns.low[name] <= columns.high[name]).all(), name
    if "own" in columns.low:  # the step, and less than one more: so each column holds just its own rows
        assert (columns.low["own"] // 1 == columns.step - columns.width + 1).all(), "rows of another column"
        assert (columns.high["own"] // 1 == columns.step).all(), "rows of another column"


if __name__ == "__main__":
    kind, where, life, seed = sys.argv[1:]
    {"writer": writer, "watcher": watcher}[kind](where, int(life), seed)
