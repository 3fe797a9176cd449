"""Which rows stand for the end of a stage, and what is read from them."""

import numpy as np
import pytest

from analysis.inputs import MOST_ROWS, last_rows, read_stream, stage_of, woke_steps
from vaemon.batch import RunState
from vaemon.errors import UnknownName, VaemonError

# id, rows, rows an epoch (None: no epochs), whether a plan is known, first and last step, whether a full epoch
WINDOWS = [
    ("ends with an epoch", 300, 100, True, 201, 300, True),
    ("ends within an epoch", 330, 100, True, 201, 300, True),
    ("one row into the next", 301, 100, True, 201, 300, True),
    ("one row short of it", 299, 100, True, 101, 200, True),
    ("the first epoch alone", 100, 100, True, 1, 100, True),
    ("no epoch is full", 70, 100, True, 1, 70, False),
    ("one row", 1, 100, True, 1, 1, False),
    ("an epoch of 500", 1200, 500, True, 501, 1000, True),
    ("an epoch of 500, almost two", 999, 500, True, 1, 500, True),
    ("an epoch beyond 500", 2000, 600, True, 1501, 2000, False),
    ("an epoch beyond 500, all of it", 1800, 600, True, 1301, 1800, False),
    ("no epochs at all", 1300, None, True, 801, 1300, False),
    ("no plan, epochs of equal length", 300, 100, False, 201, 300, True),
    ("no plan, the last one shorter", 330, 100, False, 201, 300, True),
    ("no plan, one epoch", 100, 100, False, 1, 100, False),
]


@pytest.mark.parametrize(
    ("rows", "per_epoch", "planned", "first", "last", "full"), [pytest.param(*case[1:], id=case[0]) for case in WINDOWS]
)
def test_last_rows(make_source, rows, per_epoch, planned, first, last, full):
    source = make_source(rows, per_epoch, planned=planned)
    window, full_epoch, epoch = last_rows(source, source.stage)
    assert (window.stage, window.first, window.last, full_epoch) == (1, first, last, full)
    assert epoch == ((last - 1) // per_epoch if per_epoch else 0)


@pytest.mark.parametrize("rows", [300, 1000, 5_000, 40_000])
@pytest.mark.parametrize("stride", [1, 10, 100])
def test_rows_apart_are_found_too_and_little_is_read(make_source, rows, stride):
    source = make_source(rows, None, stride=stride)
    window, _, _ = last_rows(source, source.stage)
    assert window.last == rows * stride
    assert window.first == max(0, rows - MOST_ROWS) * stride + stride
    assert max(count for _, count in source.asked) <= 4 * (2 * MOST_ROWS + 1)


def test_the_cut_end_of_a_long_epoch_is_no_full_one(make_source):
    # Epochs of 900 rows: of what is read, 451 rows belong to the first and 550 to the second.
    source = make_source(1450, 9000, stride=10)
    window, full, _ = last_rows(source, source.stage)
    assert (window.first, window.last, full) == (9510, 14500, False)


def test_the_row_of_step_0_is_not_lost(make_source):
    source = make_source(200, 100)
    source.step = source.step - 1
    window, full, _ = last_rows(source, source.stage)
    assert (window.first, window.last, full) == (0, 99, True)  # steps count from 1, so step 199 ends no epoch


def test_means_have_equal_weights_and_come_from_the_window_alone(make_source):
    rows = np.arange(1, 301, dtype=np.float32)[:, None]
    channels = {
        "mean_variance": rows / 1000,
        "mean_mu": np.where(rows % 2 == 0, 1.0, -1.0).astype(np.float32),
        "mu_squared": np.full_like(rows, 3.0),
        "latent_kl": rows * 2,
    }
    source = make_source(300, 100, latents=1, channels=channels)
    found = read_stream(source, source.stage)
    assert found.mean_variance == pytest.approx(np.array([0.2505]), rel=1e-6)
    assert found.mean_mu.tolist() == [0.0]
    assert found.mu_squared.tolist() == [3.0]
    # The batches' means differ: Var(μ) is E[μ²] - E[μ]² of all rows, 3, and not the mean of the rows' own, 2.
    assert found.mu_variance.tolist() == [3.0]
    assert found.kl.tolist() == [501.0]
    assert found.mean_deviation is None
    origin = found.origin
    assert (origin.kind, origin.first_step, origin.step, origin.samples) == ("stream", 201, 300, 100)
    assert (origin.full_epoch, origin.epoch, origin.left_out, origin.lacking) == (True, 2, 0, ())


def test_rows_that_are_not_finite_are_left_out_for_their_latent_alone(make_source):
    source = make_source(4, None, latents=2)
    source.channels["mean_variance"] = np.array([[1, 1], [np.nan, 2], [3, np.inf], [5, 6]], np.float32)
    source.channels["mu_squared"] = np.array([[1, 1], [9, 2], [3, 9], [5, np.nan]], np.float32)
    found = read_stream(source, source.stage)
    assert found.mean_variance.tolist() == [3.0, 1.5]
    assert found.mu_squared.tolist() == [3.0, 1.5]  # the same rows for all channels, or E[μ²] - E[μ]² means nothing
    assert found.origin.left_out == 3


def test_a_latent_without_a_finite_row_is_nan(make_source):
    source = make_source(3, None)
    source.channels["mean_variance"][:, 1] = np.nan
    found = read_stream(source, source.stage)
    assert found.mean_variance.tolist() == [0.25, pytest.approx(np.nan, nan_ok=True)]
    assert np.isnan(found.mu_variance[1])


def test_channels_not_recorded_are_nan_and_named(make_source):
    source = make_source(10, None)
    del source.channels["mean_mu"], source.channels["latent_kl"]
    found = read_stream(source, source.stage)
    assert found.mean_variance.tolist() == [0.25, 0.25]
    assert found.mu_squared.tolist() == [0.75, 0.75]
    assert np.isnan(found.mean_mu).all()
    assert np.isnan(found.mu_variance).all()
    assert found.origin.lacking == ("mean_mu", "latent_kl")


def test_a_run_without_posteriors_says_what_to_record(make_source):
    source = make_source(10, None, channels={})
    with pytest.raises(VaemonError, match=r"did not record its posteriors.*Recorder\.log\(\)"):
        read_stream(source, source.stage)


def test_stage_of(make_source):
    info = make_source(10, None).info()
    assert stage_of(info, 1).number == 1
    with pytest.raises(UnknownName, match=r"unknown stage '2'.*has stage 1"):
        stage_of(info, 2)
    with pytest.raises(VaemonError, match="no rows yet"):
        stage_of(make_source(0, None, state=RunState.WAITING).info(), 1)


def test_a_stage_without_rows(make_source):
    source = make_source(0, None)
    with pytest.raises(VaemonError, match="stage 1 has no rows yet"):
        last_rows(source, source.stage)


def test_woke_steps(make_source, wake):
    events = (wake(0, 10), wake(1, 20), wake(0, 30, "sleep"), wake(0, 40), wake(1, 35, stage=2))
    source = make_source(50, None, latents=3, events=events)
    assert woke_steps(source, source.stage).tolist() == [40, 20, -1]
    assert woke_steps(source, source.stage, until=30).tolist() == [-1, 20, -1]
    assert woke_steps(source, source.stage, until=9).tolist() == [-1, -1, -1]
