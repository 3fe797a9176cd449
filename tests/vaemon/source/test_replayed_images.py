"""A run that has been, told as it was at a moment."""

import numpy as np
import pytest

from vaemon import Recorder
from vaemon.batch import Cursor, Want
from vaemon.playback import Playback
from vaemon.source.local import LocalSource
from vaemon.source.replay import ReplaySource


@pytest.fixture
def recorded(runs):
    with Recorder("r") as recorder:
        for stage in (1, 2):
            recorder.stage(stage, latents=1)
            recorder.images("inputs", np.zeros((1, 2, 2)), step=0)
            for step in range(1, 101):
                recorder.log(step, mse=1.0)
                if step % 50 == 0:
                    recorder.images("GEN", np.zeros((1, 2, 2)))
    return LocalSource(recorder.folder)


class At:
    """A playback that stands at a moment."""

    loaded = True

    def __init__(self, stage, rows, over=False):
        self.now = (stage, rows, over)

    def moment(self):
        from vaemon.playback import Moment

        return Moment(*self.now)


@pytest.mark.parametrize(
    ("moment", "seen"),
    [
        ((1, 1), [(1, 0)]),
        ((1, 49), [(1, 0)]),
        ((1, 50), [(1, 0), (1, 50)]),
        ((2, 1), [(1, 0), (1, 50), (1, 100), (2, 0)]),
        ((2, 100, True), [(1, 0), (1, 50), (1, 100), (2, 0), (2, 50), (2, 100)]),
    ],
)
def test_a_replay_has_the_images_that_there_were(recorded, moment, seen):
    replay = ReplaySource(recorded, At(*moment))
    assert [(each.stage, each.step) for each in replay.images()] == seen
    assert replay.image(replay.images()[0]).shape == (1, 2, 2, 1)


def test_a_replay_from_its_beginning_has_but_the_first(recorded):
    playback = Playback(speed=1e-9, clock=lambda: 0.0)
    assert [(each.stage, each.step) for each in ReplaySource(recorded, playback).images()] == [(1, 0)]


WANT = Want(("mse",), columns=16)


def test_wound_back_before_a_stage_that_was_asked_for_it_tells_the_stage_that_was(recorded):
    moment = ReplaySource(recorded, At(1, 40)).poll(Cursor(), Want(("mse",), stage=2, columns=16))
    assert (moment.stage, moment.rows, [each.number for each in moment.info.stages]) == (1, 40, [1])
