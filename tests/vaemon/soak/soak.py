"""A soak, from the side of whoever sets its processes going, strikes them, and holds them to what they have told."""

import json
import os
import random
import resource
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

from vaemon import open_run
from vaemon.batch import RunState

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from rows import CHANNELS, columns_of  # noqa: E402

PATIENCE = 120.0
MOST_WRITER = (64 + 48) << 20
"""Bytes that a writer may take beyond what it had at its first flush: the buffer that rows wait in while the disk is
full (64 MB), and a block of them on its way into a file, with HDF5's caches."""
MOST_WATCHER = 32 << 20
"""Bytes that a watcher may take beyond what it had after WARM answers: 256 columns of ten numbers, the newest rows, a
cache of a MB for each dataset of the file being read, and what the allocator keeps for itself of answers gone by."""
A_SEGMENT = 64 << 10
"""Bytes beyond that for every file of the run: its layout, where it was replaced; handles of all are kept."""
WARM = 40
MOST_FILES = 24
"""Files that a watcher may hold beyond one for each of the run's: pipes, libraries, a lock being looked at."""
STROKES = {"write": 8, "kill": 3, "end": 1, "fill": 3, "attach": 4, "detach": 4, "check": 1}


class Worker:
    """One of the processes, and what it has told."""

    def __init__(self, kind: str, where: str, life: int, seed: float, log: Path) -> None:
        self.kind, self.life = kind, life
        command = [sys.executable, str(HERE / "worker.py"), kind, where, str(life), str(seed)]
        self.log = log
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, start_new_session=True)
        self.begun = b""
        self.last: list = []
        self.memory: list[int] = []

    def words(self, seconds: float = 0.0) -> list[list]:
        """What it has told since, waiting so long for the first of it."""
        told = []
        while select.select([self.process.stdout], [], [], 0 if told else seconds)[0]:
            chunk = os.read(self.process.stdout.fileno(), 1 << 16)
            if not chunk:
                break
            *lines, self.begun = (self.begun + chunk).split(b"\n")
            told += map(json.loads, lines)
        return told

    def end(self, number: int = signal.SIGKILL) -> int:
        """Strike it, and wait for its end."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def forget(self) -> None:
        """End it, and listen no more."""
        self.end()
        self.process.stdout.close()

    def complaint(self) -> str:
        return f"the {self.kind} ended with {self.process.returncode}: {self.log.read_text(errors='replace')[-3000:]}"


class Soak:
    """The run, its writer, its watchers, and the log of what is true of it."""

    def __init__(self, folder: Path, seed: int, there: str) -> None:
        self.folder, self.runs, self.rng = folder, folder / "runs", random.Random(seed)
        self.truth = (folder / "truth.jsonl").open("a", buffering=1)
        self.begins: dict[int, int] = {}  # by life, the step that it began at
        self.flushed = 0
        self.life = 0
        self.records = False
        self.writer: Worker | None = None
        self.counts: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.addresses = [str(self.runs / "r"), *([f"{there}{self.runs / 'r'}"] if there else [])]
        self.begin_writer()
        # One of each kind stays to the end: its memory must not grow.
        self.watchers = [self.new_watcher(each) for each in self.addresses]
        self.stay = len(self.watchers)

    # The writer

    def begin_writer(self) -> None:
        if self.writer is not None:
            self.writer.forget()
        self.life += 1
        log = self.folder / f"writer-{self.life}.log"
        self.writer = Worker("writer", str(self.runs), self.life, self.rng.random(), log)
        self.note("life", self.life)
        self.records = False
        self.hear_writer(until="begins")

    def hear_writer(self, until: str = "", seconds: float = PATIENCE) -> None:
        """Take in what the writer has told; wait until it has said that word, if there is one."""
        deadline = time.monotonic() + seconds
        while True:
            ended = self.writer.process.poll() is not None  # asked first: what it told before is heard then
            kinds = [self.take(*word) for word in self.writer.words(0.2 if until else 0)]
            if not until or until in kinds:
                return
            assert not ended, self.writer.complaint()
            assert time.monotonic() < deadline, f"the writer has not said {until!r} within {seconds:.0f} s"

    def take(self, kind: str, *told: int) -> str:
        self.note(kind, *told)
        self.counts[kind] += 1
        if kind == "begins":
            self.begins[self.life] = told[0]
            assert told[0] > self.flushed, f"the run goes on at step {told[0]}, but {self.flushed} was flushed"
        elif kind == "records":
            self.records = True
        elif kind in ("flushed", "closed"):
            self.flushed = told[0]
        elif kind == "memory":
            self.writer.memory.append(told[0])
            grown = told[0] - self.writer.memory[0]
            self.most["writer"] = max(self.most["writer"], grown)
            assert grown < MOST_WRITER, f"the writer has taken {grown >> 20} MB more since its first flush"
        return kind

    def note(self, *words) -> None:
        self.truth.write(json.dumps(words) + "\n")
        self.truth.flush()
        os.fsync(self.truth.fileno())

    # The watchers

    def new_watcher(self, address: str) -> Worker:
        self.counts["watchers"] += 1
        log = self.folder / f"watcher-{self.counts['watchers']}.log"
        return Worker("watcher", address, 0, self.rng.random(), log)

    def hear_watchers(self) -> None:
        for each in self.watchers:
            told = each.words()
            for word in told:
                self.take_seen(each, *word)
            assert each.process.poll() is None, each.complaint()

    def take_seen(self, watcher: Worker, _: str, step: int, state: str, waits: bool, segments: int, *held: int) -> None:
        memory, files = held
        watcher.last = [step, state, waits]
        watcher.memory.append(memory)
        self.counts["answers"] += 1
        assert files <= segments + MOST_FILES, f"a watcher holds {files} files, the run has {segments}"
        if len(watcher.memory) > WARM:
            grown = memory - watcher.memory[WARM]
            self.most["watcher"] = max(self.most["watcher"], grown)
            most = MOST_WATCHER + segments * A_SEGMENT
            assert grown < most, f"a watcher has taken {grown >> 20} MB more since answer {WARM}"

    # Strokes

    def go_on(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            stroke = self.rng.choices(list(STROKES), list(STROKES.values()))[0]
            self.note("stroke", stroke)
            self.counts[stroke] += 1
            getattr(self, stroke)(left)
            self.hear_writer()
            self.hear_watchers()
            assert self.writer.process.poll() is None, self.writer.complaint()

    def write(self, left: float) -> None:
        self.listen(min(self.rng.uniform(0, 4), left))

    def listen(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            time.sleep(0.05)
            self.hear_writer()
            self.hear_watchers()

    def kill(self, _: float) -> None:
        self.writer.end()
        self.hear_writer()
        self.between_lives()

    def end_well(self) -> None:
        self.writer.process.send_signal(signal.SIGTERM)
        self.hear_writer(until="closed")
        assert self.writer.process.wait(PATIENCE) == 0, self.writer.complaint()

    def between_lives(self) -> None:
        for words in (["check"], ["check", "--repair"], ["compact"]):
            if self.rng.random() < 0.3:
                self.command(*words, codes=(0, 1) if words == ["check"] else (0,))
        self.begin_writer()

    def end(self, *_: float) -> None:
        """As a stroke, with the time left: end the writer as planned. Without: end all there is."""
        if _:
            self.end_well()
            return self.between_lives()
        for each in (self.writer, *self.watchers):
            each.forget()
        return self.truth.close()

    def fill(self, left: float) -> None:
        """Have no file grow beyond the newest segment's end, or a little more; a write may fail at any byte.

        Not before its first row is taken: until then a recorder says that nothing can be recorded, and that is its end.
        """
        if not self.records:
            self.hear_writer(until="records")
        newest = max((each.stat().st_size for each in (self.runs / "r").glob("segment-*.h5")), default=0)
        limit = self.rng.choice([0, newest, newest + self.rng.randrange(100_000)])
        resource.prlimit(self.writer.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        self.listen(min(self.rng.uniform(0, 6), left))
        if self.rng.random() < 0.2:  # it dies while the disk is full
            self.kill(left)
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(self.writer.process.pid, resource.RLIMIT_FSIZE, unlimited)

    def attach(self, _: float) -> None:
        if len(self.watchers) < self.stay + 3:
            self.watchers.append(self.new_watcher(self.rng.choice(self.addresses)))

    def detach(self, _: float) -> None:
        if len(self.watchers) > self.stay:
            gone = self.watchers.pop(self.rng.randrange(self.stay, len(self.watchers)))
            gone.words()
            gone.end(self.rng.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT]))
            gone.forget()

    def check(self, _: float) -> None:
        self.command("check", codes=(0, 1))

    def command(self, *words: str, codes: tuple[int, ...]) -> None:
        asked = [sys.executable, "-m", "vaemon", *words, "r", "--runs", str(self.runs)]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=600)
        self.note("command", words, done.returncode)
        self.counts[words[0]] += 1
        assert done.returncode in codes, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr

    # The end

    def finish(self) -> None:
        """End the run; all of it is there then, once, in order, and right; and whoever watches sees its end."""
        self.end_well()
        last = self.flushed
        self.compare(last)
        self.await_watchers(last)
        self.command("check", "--repair", codes=(0,))  # what killed writers left is whole, but not closed
        self.command("check", codes=(0,))
        self.command("compact", codes=(0,))
        self.compare(last)
        self.await_watchers(last)

    def compare(self, last: int) -> None:
        starts = np.array(sorted(self.begins.values()))
        lives = np.array(sorted(self.begins))
        with open_run("r", self.runs) as run:
            assert run.info().state is RunState.FINISHED
            assert not [each for each in run.events() if each.kind == "drop"], "rows were dropped"
            for first in range(1, last + 1, 100_000):
                end = min(first + 99_999, last)
                steps = run.series("step", first=first, last=end).mean.astype(np.int64)
                assert np.array_equal(steps, np.arange(first, end + 1)), f"rows are missing or doubled from {first} on"
                whose = lives[np.searchsorted(starts, steps, side="right") - 1]
                for name, right in columns_of(steps, whose).items():
                    found = run.series(name, first=first, last=end).mean
                    wrong = np.flatnonzero((found != right).reshape(len(steps), -1).any(axis=1))
                    assert not len(wrong), f"{name} of step {steps[wrong[0]]} is not what was logged"
            assert int(run.series("step").step[-1]) == last, "there are rows that nobody logged"
        assert set(CHANNELS) <= set(columns_of(starts, lives))

    def await_watchers(self, last: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while not all(each.last == [last, "finished", False] for each in self.watchers):
            assert time.monotonic() < deadline, f"the watchers see {[each.last for each in self.watchers]} of {last}"
            time.sleep(0.05)
            self.hear_watchers()

    def told(self) -> str:
        """What has been, in figures."""
        what = ", ".join(f"{count} {kind}" for kind, count in sorted(self.counts.items()))
        grown = ", ".join(f"{kind} {most / 2**20:.1f} MB" for kind, most in self.most.items())
        return f"{self.flushed:,} rows, {self.life} lives; {what}; memory grew by {grown}"
