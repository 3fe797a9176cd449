"""A writer that is killed again and again, at any moment, while two readers look on.

What a row holds follows from its step alone, so that every row that anybody ever saw can be checked for its bits.
`make soak-kill N=1000` kills oftener; VAEMON_KILL_SEED repeats what a failure names.
"""

import os
import random
import select
import time
import zlib

import numpy as np
import pytest

from vaemon import Recorder, open_run
from vaemon.batch import RunState
from vaemon.errors import UnknownName

KILLS = int(os.environ.get("VAEMON_KILLS", "200"))
"""How often `make soak-kill` kills, in runs of KILLS_A_RUN."""
KILLS_A_RUN = 40
MODES = ("steady", "steady", "steady", "segments", "closing")
FILES = ("files",)
"""A writer whose rows come in closed files, which it puts together when they have become many."""
LONGEST = {"steady": 0.4, "segments": 0.2, "closing": 0.03, "files": 0.4}
"""Seconds after its first row, or the beginning of its end, within which a writer is killed."""
LATENTS = 8
SCALARS = ("mse", "gamma", "own")
VECTORS = ("mean_variance", "mean_mu")


def row_of(step):
    """What is logged at a step: bits that follow from the step alone."""
    rng = np.random.default_rng(step)
    mse, gamma = rng.random(2, np.float32)
    vectors = {name: rng.standard_normal(LATENTS, np.float32) for name in VECTORS}
    return {"mse": float(mse), "gamma": float(gamma), "own": float(rng.random()), **vectors}


def checksum(step, row):
    bits = [np.int64(step), np.float32(row["mse"]), np.float32(row["gamma"]), np.float64(row["own"])]
    bits += [np.asarray(row[name], np.float32)[:LATENTS] for name in VECTORS]
    return zlib.crc32(b"".join(each.tobytes() for each in bits))


# What the children do


def writer(talk, runs, seed, mode, back, further):
    rng = random.Random(seed)
    exists, last, segments = True, 0, 0
    try:
        with open_run("r", runs) as run:
            last, segments = newest(run), len(run.segments)
    except UnknownName:
        exists = False
    first = max(1, last + 1 - back)
    talk.say(["begins", first, last, segments])
    recorder = Recorder("r", runs=runs, resume=exists, live=mode != "files")
    steps = range(first, first + (further or (rng.randint(1, 200) if mode == "closing" else 1_000_000)))
    for step in steps:
        recorder.log(step, **row_of(step), **(new_shapes(step - first) if mode == "segments" else {}))
        if step == first:
            talk.say(["logged"])
        if rng.random() < (0.3 if mode == "segments" else 0.03):
            recorder.flush()
            talk.say(["flushed", step])
        if mode != "closing" and further is None:
            time.sleep(rng.random() * 0.002)
    talk.say(["closing"])
    recorder.close()
    talk.say(["flushed", steps[-1]])


def new_shapes(count):
    """What makes the recorder open segment after segment: latent channels that come up late. Six of them."""
    return {f"late{count // 3}": np.zeros(LATENTS)} if count < 18 else {}


def reader(talk, runs, seed):
    rng = random.Random(seed)
    run, known, seen, exists = None, 0, 0, False
    while True:
        begun = time.monotonic()
        try:
            if run is None:
                run = open_run("r", runs)
            else:
                run.refresh()
            exists = True
        except UnknownName:
            if exists:
                raise
            talk.say([0, [], [], 0, 0])
            continue
        # New segments may have replaced rows, so they are looked at again.
        segments = len(run.segments)
        first = max(1, min(seen, newest(run)) - 300) if segments != known else seen + 1
        steps, sums = rows_from(run, first)
        known, seen = segments, newest(run)
        talk.say([segments, steps, sums, seen, time.monotonic() - begun])
        if rng.random() < 0.05:
            run.close()
            run = None
        time.sleep(rng.random() * 0.04)


def newest(run):
    return int(run.series("step").step[-1]) if run.segments else 0


def rows_from(run, first):
    """Steps from `first` on, and the checksum of each."""
    if not run.segments:
        return [], []
    columns = {name: run.series(name, first=first).mean for name in ("step", *SCALARS, *VECTORS)}
    steps = columns["step"].tolist()
    rows = [{name: column[i] for name, column in columns.items()} for i in range(len(steps))]
    return steps, [checksum(step, row) for step, row in zip(steps, rows, strict=True)]


def everything(talk, runs):
    with open_run("r", runs) as run:
        return [*rows_from(run, 0), str(run.info().state)]


# What the test does


class Soak:
    """A run that is killed and resumed, its two readers, and all that was seen of it."""

    def __init__(self, forks, runs, seed, answer_within, rewinds):
        self.forks, self.runs, self.rng = forks, runs, random.Random(seed)
        self.answer_within = answer_within
        self.may_rewind = rewinds
        self.readers = [forks.start(reader, runs=runs, seed=self.rng.random()) for _ in range(2)]
        self.heard_at = [time.monotonic()] * 2
        self.newest = [0, 0]
        self.seen = {}  # the highest step seen in a run of so many segments
        self.rewinds = []  # (segments, step): segments after so many replace rows from the step on
        self.segments = 0  # when the writer of now began
        self.slowest = 0.0

    def kill_once(self, mode):
        """A writer's life. What it has flushed, and what was seen of it, must be there at the next one's birth."""
        back = self.rng.choice([0, 0, 0, self.rng.randint(1, 60)]) if self.may_rewind else 0
        child = self.forks.start(writer, runs=self.runs, seed=self.rng.random(), mode=mode, back=back, further=None)
        if self.rng.random() < 0.15:
            self.watch(child, self.rng.uniform(0, 0.04))
        else:
            self.watch(child, 60, until="closing" if mode == "closing" else "logged")
            self.watch(child, self.rng.uniform(0.001, LONGEST[mode]))
        child.kill()
        while child.has_word():
            try:
                self.take(child.hear())
            except EOFError:
                break
        assert child.wait() in (-9, 0)

    def finish(self):
        """Go on to the end undisturbed; everything is there then, once, and both readers see it."""
        child = self.forks.start(writer, runs=self.runs, seed=1, mode="steady", back=0, further=50)
        self.watch(child, 60, until="returned")
        assert child.wait() == 0
        last = self.forks.call(everything, runs=self.runs)[0][-1]
        assert last >= self.least_newest()
        deadline = time.monotonic() + 60
        while min(self.newest) < last:
            assert time.monotonic() < deadline, f"the readers see steps {self.newest} of {last}"
            self.watch(None, 0.02)
        for each in self.readers:
            each.end()
        steps, sums, state = self.forks.call(everything, runs=self.runs)
        assert steps == list(range(1, last + 1))
        self.check(steps, sums)
        assert state == RunState.FINISHED

    def watch(self, child, seconds, until=None):
        """Listen to all for so long, or until the writer says the word."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select([*self.readers, *([child] if child else [])], [], [], min(left, 0.05))
            for i, each in enumerate(self.readers):
                if each in ready:
                    self.take_seen(i, each.hear())
                silent = time.monotonic() - self.heard_at[i]
                assert silent < self.answer_within, f"reader {i} has not answered for {silent:.1f} s"
            if child in ready:
                said = self.take(child.hear())
                if said in (until, "returned"):
                    return
        assert until is None, f"the writer has not said {until!r} within {seconds} s"

    def take(self, word):
        """A word of the writer's."""
        kind, *rest = word if word is not None else ["returned"]
        if kind == "begins":
            first, last, self.segments = rest
            assert last >= self.least_newest(), f"the run ends at step {last}, but {self.seen} was seen"
            if first <= last:
                self.rewinds.append((self.segments, first))
        elif kind == "flushed":
            self.note(self.segments + 1, rest[0])
        return kind

    def take_seen(self, i, word):
        """What a reader saw."""
        segments, steps, sums, self.newest[i], took = word
        self.heard_at[i] = time.monotonic()
        self.slowest = max(self.slowest, took)
        assert not steps or steps == list(range(steps[0], steps[-1] + 1))
        self.check(steps, sums)
        self.note(segments, self.newest[i])

    def note(self, segments, step):
        self.seen[segments] = max(step, self.seen.get(segments, 0))

    def least_newest(self):
        """The highest step that somebody saw and nobody has replaced since."""
        kept = 0
        for segments, step in self.seen.items():
            voided = [first - 1 for since, first in self.rewinds if segments <= since < self.segments]
            kept = max(kept, min([step, *voided]))
        return kept

    def check(self, steps, sums):
        for step, told in zip(steps, sums, strict=True):
            assert told == checksum(step, row_of(step)), f"step {step} is torn"


def soak(forks, runs, kills, answer_within, modes=MODES):
    seed = int(os.environ.get("VAEMON_KILL_SEED") or random.SystemRandom().randrange(10**9))
    # Where files are put together, their number does not tell who wrote before whom.
    work = Soak(forks, runs, seed, answer_within, rewinds=modes is MODES)
    at = ""
    try:
        for count in range(kills):
            mode = modes[count % len(modes)]
            at = f"kill {count + 1}, {mode}"
            work.kill_once(mode)
        at = "the end"
        work.finish()
    except BaseException as error:
        error.add_note(f"at {at}; VAEMON_KILL_SEED={seed} repeats it, as far as the clock lets it")
        raise
    return work


def test_twenty_kills_lose_nothing_and_disturb_no_reader(forks, runs):
    soak(forks, runs, 20, answer_within=30)


def test_kills_of_a_writer_of_closed_files_lose_nothing_and_disturb_no_reader(forks, runs):
    soak(forks, runs, 8, answer_within=30, modes=FILES)


@pytest.mark.soak
@pytest.mark.parametrize("modes", [MODES, FILES], ids=["live", "files"])
@pytest.mark.parametrize("part", range(-(-KILLS // KILLS_A_RUN)))
def test_any_number_of_kills(forks, runs, part, modes):
    work = soak(forks, runs, min(KILLS_A_RUN, KILLS - part * KILLS_A_RUN), answer_within=5, modes=modes)
    print(f"slowest answer of a reader: {work.slowest * 1000:.0f} ms; segments: {work.segments}")
