"""Which steps a figure is of, and what its lines are: from a source in memory."""

import numpy as np
import pytest

from analysis.figures.window import trajectories
from vaemon.channels import UNDEFINED
from vaemon.errors import UnknownName, VaemonError


@pytest.fixture
def falling(make_source, wake):
    """4 epochs of 100 steps; latent 0 falls from 1 to .05 at step 150, latent 1 stays at .7, latent 2 at .99."""

    def make(**more):
        source = make_source(400, 100, latents=3, **more)
        variance = np.tile([1.0, 0.7, 0.99], (400, 1))
        variance[150:, 0] = 0.05
        source.channels["mean_variance"] = variance
        source.channels["latent_kl"] = np.tile([2.0, 0.1, 0.001], (400, 1))
        source.events = (wake(0, 160),)
        return source

    return make


@pytest.mark.parametrize("figure", ["4", "5"])
def test_figures_4_and_5_are_the_first_epoch_by_steps(falling, figure):
    drawn = trajectories(falling(), figure, 1, 1000)
    assert (drawn.x[0], drawn.x[-1], drawn.end, drawn.x_label) == (1, 100, 100, "step")
    assert drawn.mean.shape == (100, 3)
    assert drawn.states == ("limbo", "limbo", "collapsed"), "as they stand at its end"
    assert "3 latents, the first epoch" in drawn.title


def test_figure_6_is_by_epochs_and_says_how_many_there_are(falling):
    drawn = trajectories(falling(), "6", 1, 1000)
    assert (drawn.x[-1], drawn.end, drawn.x_label) == (4, 4, "epoch")
    assert drawn.states == ("active", "limbo", "collapsed")
    assert "4 of the first 50 epochs" in drawn.title


def test_all_steps(falling):
    drawn = trajectories(falling(), "latents", 1, 1000)
    assert (len(drawn.x), drawn.x_label) == (400, "step")
    assert "400 steps" in drawn.title


@pytest.mark.parametrize("per_epoch", [5000, 5030])  # a row falls on the epoch's end; none in the last 25 steps
def test_the_latents_are_judged_by_as_many_rows_where_not_every_step_is_recorded(make_source, per_epoch):
    source = make_source(400, per_epoch, latents=2, stride=50)
    variance = np.tile([1.0, 0.05], (400, 1))
    variance[:75] = 1e6  # of the first epoch's 100 rows the last 25 count
    variance[99, 0] = 0.75  # .99 in the mean
    variance[100:] = 0.5
    source.channels["mean_variance"] = variance
    source.channels["latent_kl"] = np.tile([0.001, 2.0], (400, 1))
    drawn = trajectories(source, "4", 1, 1000)
    assert (drawn.end, drawn.states) == (per_epoch, ("collapsed", "active"))


def test_points_are_means_where_they_are_fewer_than_rows(falling):
    drawn = trajectories(falling(), "latents", 1, 40)
    assert drawn.mean.shape == (40, 3)
    np.testing.assert_allclose(drawn.mean[:, 1], 0.7)


def test_an_epoch_of_unknown_length(falling):
    with pytest.raises(VaemonError, match=r"steps_per_epoch=500\) would; `--figure latents` draws"):
        trajectories(falling(planned=False), "5", 1, 100)
    assert len(trajectories(falling(planned=False), "latents", 1, 1000).x) == 400


def test_what_is_not_there_is_told(make_source, falling):
    with pytest.raises(UnknownName, match="stage 1"):
        trajectories(falling(), "5", 2, 100)
    with pytest.raises(VaemonError, match="did not record E"):
        trajectories(make_source(100, 100, channels={"mse": np.ones(100)}), "5", 1, 100)
    with pytest.raises(VaemonError, match="no rows yet"):
        trajectories(make_source(0, 100), "5", 1, 100)


def test_a_model_without_a_posterior_is_not_asked_to_record_it(falling):
    source = falling(config={UNDEFINED: {"RAE": ["mean_variance"]}})
    with pytest.raises(VaemonError, match=r"not defined for RAE, which has no posteriors with the prior N\(0, I\)"):
        trajectories(source, "5", 1, 100)


def test_one_latent_is_one(make_source):
    assert trajectories(make_source(1, 100, latents=1), "latents", 1, 100).title == "run: 1 latent, 1 step"


def test_without_kl_a_latent_is_not_called_collapsed(falling):
    source = falling()
    del source.channels["latent_kl"]
    assert trajectories(source, "6", 1, 100).states[2] == "limbo"
