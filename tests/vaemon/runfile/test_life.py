"""Runs that live through everything: resumed further back, in stages, live or not, with gaps, late names, changed
latents, compacted and resumed again. Whatever came before, what is read is what was logged."""

import random
import warnings

import numpy as np
import pytest

from vaemon import Recorder, open_run
from vaemon.errors import UnknownName
from vaemon.runfile.check import check_run
from vaemon.runfile.compact import compact_run

LENGTHS = (1, 7, 31, 32, 33, 100, 600, 1100)


class Life:
    """A run, and what it should hold: by stage and step, the vector (or None) and the scalars."""

    def __init__(self, seed, folder):
        self.folder = folder
        self.rng, self.numbers = random.Random(seed), np.random.default_rng(seed)
        self.truth = {1: {}, 2: {}}
        self.stage = 1

    def live(self):
        for generation in range(self.rng.randrange(2, 5)):
            with Recorder(self.folder.name, resume=generation > 0, live=self.rng.random() < 0.6) as recorder:
                self.record(recorder, generation)
            self.check()
            if self.rng.random() < 0.4:
                compact_run(self.folder)
                self.check()

    def record(self, recorder, generation):
        self.stage = 2 if self.stage == 2 or (generation and self.rng.random() < 0.3) else 1
        latents = self.rng.choice([1, 1, 2, 5])
        if self.stage == 2:
            recorder.stage(2, latents=latents)
        step = self.begin()
        for _ in range(self.rng.randrange(1, 5)):
            late = self.rng.random() < 0.4
            for _ in range(self.rng.choice(LENGTHS)):
                self.log(recorder, step, latents, late)
                step += self.rng.choice([1, 1, 1, 1, 3])
            if self.rng.random() < 0.5:
                assert recorder.flush()
            latents = self.rng.choice([1, 2, 5]) if self.rng.random() < 0.2 else latents

    def begin(self):
        """The step to begin at, now and then further back; what it replaces is forgotten."""
        rows = self.truth[self.stage]
        have = sorted(rows)
        further = have[-1] + self.rng.randrange(1, 20) if have else 1
        first = self.rng.choice([have[-1] + 1, self.rng.choice(have), further]) if have else 1
        for step in [step for step in rows if step >= first]:
            del rows[step]
        return first

    def log(self, recorder, step, latents, late):
        vector = self.numbers.normal(size=latents).astype(np.float32)
        if self.rng.random() < 0.02:
            vector[0] = np.nan
        scalars = {"mse": self.rng.random()}
        if (late and self.rng.random() < 0.9) or self.rng.random() < 0.02:
            scalars["own"] = self.rng.random()
        vectors = {} if self.rng.random() < 0.02 else {"mean_variance": vector}
        items = [*scalars.items(), *vectors.items()]
        if self.rng.random() < 0.1:
            self.rng.shuffle(items)
        recorder.log(step, **dict(items))
        self.truth[self.stage][step] = (vectors.get("mean_variance"), scalars)

    def check(self):
        assert not [each for checked in check_run(self.folder, live=False) for each in checked.findings]
        with open_run(str(self.folder)) as run:
            for stage, rows in self.truth.items():
                if rows:
                    self.check_stage(run, stage, rows)

    def check_stage(self, run, stage, rows):
        steps = np.array(sorted(rows))
        found = run.series("mean_variance", stage=stage)
        np.testing.assert_array_equal(found.step, steps)
        expected = np.full(found.mean.shape, np.nan)
        for i, step in enumerate(steps):
            vector = rows[step][0]
            if vector is not None:
                fits = min(len(vector), expected.shape[1])
                expected[i, :fits] = vector[:fits]
        np.testing.assert_array_equal(found.mean.astype(np.float64), expected)
        for name in ("mse", "own"):
            self.check_scalar(run, stage, name, steps, [rows[step][1].get(name, np.nan) for step in steps])
        for _ in range(6):
            self.check_window(run, stage, steps, expected)

    def check_scalar(self, run, stage, name, steps, expected):
        full = np.full(len(steps), np.nan)
        try:
            found = run.series(name, stage=stage)
        except UnknownName:
            assert np.isnan(expected).all()
            return
        full[np.searchsorted(steps, found.step)] = found.mean
        np.testing.assert_allclose(full, expected, rtol=1e-6)

    def check_window(self, run, stage, steps, expected):
        first = self.rng.randrange(len(steps))
        last = self.rng.randrange(first, len(steps))
        points = self.rng.choice([1, 2, 5, 50, 200])
        found = run.series("mean_variance", stage=stage, first=steps[first], last=steps[last], points=points)
        assert len(found.step) <= points
        if found.exact:
            return
        begin = first
        for point, end in enumerate(np.searchsorted(steps, found.step)):
            part, begin = expected[begin : end + 1], int(end) + 1
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                low, high, mean = np.nanmin(part, axis=0), np.nanmax(part, axis=0), np.nanmean(part, axis=0)
            np.testing.assert_allclose(found.mean[point], mean, rtol=1e-4, atol=1e-6)
            np.testing.assert_allclose(found.low[point], low)
            np.testing.assert_allclose(found.high[point], high)
        assert begin == last + 1


@pytest.mark.parametrize("seed", range(6))
def test_what_is_read_is_what_was_logged(runs, seed):
    Life(seed, runs / "r").live()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 200))
def test_what_is_read_is_what_was_logged_in_many_lives(runs, seed):
    Life(seed, runs / "r").live()
