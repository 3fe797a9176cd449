"""Rows of a recorded run, block by block."""

import numpy as np
import pytest

from vaemon import Recorder
from vaemon.batch import Columns, Series, StageInfo
from vaemon.errors import VaemonError
from vaemon.exchange import table
from vaemon.exchange.csv import write_csv
from vaemon.exchange.table import blocks, pooled
from vaemon.source.local import LocalSource
from vaemon.wire.frames import LONGEST_ANSWER


@pytest.fixture
def source(tmp_path):
    rng = np.random.default_rng(1)
    with Recorder("run42", latents=3, runs=tmp_path) as recorder:
        for step in range(1, 51):
            variance = np.tile(rng.random(3, np.float32), (4, 1))
            recorder.log(step, mean=np.zeros((4, 3), np.float32), variance=variance, gamma=0.1, mine=step / 3)
    local = LocalSource(tmp_path / "run42")
    yield local
    local.close()


@pytest.mark.parametrize("at_once", [1, 7, 50, 1000])
def test_all_rows_as_recorded(source, at_once):
    found = list(blocks(source, 1, 50, ("gamma", "mean_variance", "mine"), at_once=at_once))
    whole = {name: np.concatenate([block[name] for block in found]) for name in found[0]}
    assert list(whole) == ["step", "gamma", "mean_variance", "mine"]
    assert whole["step"].tolist() == list(range(1, 51))
    assert whole["gamma"].tolist() == [np.float32(0.1)] * 50
    assert whole["mine"].tolist() == [step / 3 for step in range(1, 51)]
    expected = np.random.default_rng(1).random((50, 3), np.float32)
    np.testing.assert_allclose(whole["mean_variance"], expected, rtol=1e-6)


def test_clocks_where_asked_for_and_unknown_channels_left_out(source):
    block = next(blocks(source, 1, 5, ("epoch", "nothing", "time")))
    assert list(block) == ["step", "epoch", "time"]
    assert len(block["time"]) == 5


def test_one_latent(source):
    (block,) = blocks(source, 1, 50, ("gamma", "mean_variance"), latent=2)
    (whole,) = blocks(source, 1, 50, ("mean_variance",))
    assert list(block) == ["step", "gamma", "mean_variance[2]"]
    assert block["mean_variance[2]"].tolist() == whole["mean_variance"][:, 2].tolist()


def test_as_csv(source, tmp_path):
    path = write_csv(blocks(source, 1, 2, ("gamma",)), tmp_path / "a.csv")
    assert path.read_text() == "step,gamma\n1,0.1\n2,0.1\n"


@pytest.mark.parametrize("points", [3, 13, 24])
@pytest.mark.parametrize(("first", "last"), [(1, 50), (7, 50), (3, 47), (16, 33)])
@pytest.mark.parametrize("most", [1, 9, 20, 100, 10_000])
def test_few_points_are_the_same_in_however_many_pieces_they_come(source, monkeypatch, points, first, last, most):
    channels = ("time", "epoch", "gamma", "mean_variance", "mine")
    stage = StageInfo(1, 3)
    whole = pooled(source, stage, first, last, channels, points)
    assert len(whole["step"]) <= points
    monkeypatch.setattr(table, "MOST_NUMBERS", most)
    again = pooled(source, stage, first, last, channels, points)
    assert list(again) == list(whole)
    for name, values in whole.items():
        np.testing.assert_allclose(again[name], values, rtol=1e-12, err_msg=name)


class ManyLatents:
    """A source whose points have many numbers."""

    def __init__(self, latents):
        self.latents, self.most = latents, 0

    def series(self, channel, window, points):
        step = np.arange(window.first, window.last + 1, 32) + 31
        shape = (len(step),) if channel == "time" else (len(step), self.latents)
        mean = np.zeros(shape)
        self.most = max(self.most, 3 * mean.nbytes)
        return Series(channel, step, mean, mean, mean, exact=False)


@pytest.mark.parametrize("latents", [1, 1000, 50_000])
def test_no_points_asked_for_are_too_large_to_be_sent(latents):
    source = ManyLatents(latents)
    found = pooled(source, StageInfo(1, latents), 1, 3200, ("mean_variance",), 100)
    assert found["mean_variance.low"].shape == (100, latents)
    assert source.most <= LONGEST_ANSWER // 2


class Wide:
    """A source whose rows have many numbers."""

    def __init__(self, latents):
        self.latents, self.most = latents, 0

    def excerpt(self, asked):
        rows = np.arange(asked.first, asked.last)
        self.most = max(self.most, len(rows) * self.latents)
        return Columns(0, 1, rows, rows, rows, {"mean_variance": np.zeros((len(rows), self.latents), np.float32)})


@pytest.mark.parametrize("latents", [1, 1000, 50_000])
def test_no_answer_asked_for_is_too_large_to_be_sent(latents):
    source = Wide(latents)
    found = [block["step"] for block in blocks(source, 1, 20_000 // latents + 200, ("mean_variance",))]
    assert np.concatenate(found).tolist() == list(range(20_000 // latents + 200))
    assert source.most * 4 <= LONGEST_ANSWER // 4


class Rewound:
    """A source whose run is resumed between two questions."""

    def __init__(self, *steps):
        self.steps = list(steps)

    def excerpt(self, asked):
        steps = np.array(self.steps.pop(0))
        return Columns(0, 1, steps, np.zeros(len(steps)), np.zeros(len(steps), int), {"kl": np.zeros(len(steps))})


@pytest.mark.parametrize("then", [[2, 3], [3], []])
def test_rows_replaced_meanwhile(then):
    found = blocks(Rewound([1, 2], then), 1, 4, ("kl",), at_once=2)
    next(found)
    with pytest.raises(VaemonError, match="replaced while they were read"):
        next(found)
