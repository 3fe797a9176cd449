import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vaemon.watch.render.axis import Ruler, Scale, axis_row, marked, nice_step, scale_for, tick_label
from vaemon.watch.render.cells import plain, said
from vaemon.watch.render.span import TimeSpan


@pytest.mark.parametrize(
    ("least", "step"), [(0.9, 1), (1, 1), (1.1, 2), (2.1, 2.5), (3, 5), (6, 10), (0.03, 0.05), (700, 1000)]
)
def test_nice_step(least, step):
    assert nice_step(least) == pytest.approx(step)


@pytest.mark.parametrize("least", [0, -1, math.nan, math.inf])
def test_nice_step_of_nonsense(least):
    assert nice_step(least) == 1.0


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (0, "0"),
        (0.25, "0.25"),
        (1.0, "1"),
        (1500, "1,500"),
        (25_000, "25k"),
        (1e6, "1000k"),
        (2.5e7, "2.5e7"),
        (1e-4, "0.0001"),
        (2e-6, "2e-6"),
        (-0.5, "-0.5"),
    ],
)
def test_tick_label(value, label):
    assert tick_label(value) == label


def test_a_linear_scale_has_round_ends():
    scale = scale_for(np.array([0.13, 0.86]), log=False)
    assert (scale.low, scale.high) == (0.1, 0.9)
    assert scale.place(np.array([0.1, 0.5, 0.9])).tolist() == pytest.approx([0, 0.5, 1])


def test_a_logarithmic_scale_has_round_ends():
    scale = scale_for(np.array([0.013, 0.86]), log=True)
    assert (scale.low, scale.high) == (0.01, pytest.approx(0.9))
    assert scale.place(np.array([0.1]))[0] == pytest.approx(math.log(10) / math.log(90))
    assert np.isnan(scale.place(np.array([0.0, -1.0]))).all()


def test_the_level_is_always_on_the_scale():
    assert scale_for(np.array([0.2, 0.3]), log=False, keep=(1.0,)).high >= 1.0
    assert scale_for(np.array([20.0, 30.0]), log=True, keep=(1.0,)).low <= 1.0


def test_one_bad_batch_does_not_press_the_rest_flat():
    values = np.append(np.linspace(1, 2, 60), 1e6)
    assert scale_for(values, log=False).high <= 2.5


def test_a_real_peak_is_not_taken_for_an_outlier():
    values = np.concatenate([np.linspace(0, 1, 60), np.full(3, 3.5)])
    assert scale_for(values, log=False).high >= 3.5


@pytest.mark.parametrize("log", [False, True])
def test_nothing_to_show_still_makes_a_scale(log):
    for values in (np.zeros(0), np.array([np.nan, np.inf])):
        scale = scale_for(values, log=log)
        assert scale.low < scale.high


@given(
    arrays(float, st.integers(0, 20), elements=st.floats(allow_nan=True, allow_infinity=True)),
    st.booleans(),
    st.integers(0, 9),
)
def test_any_values_make_a_scale_with_few_ticks(values, log, most):
    scale = scale_for(values, log=log)
    assert scale.low < scale.high
    ticks = scale.ticks(most)
    assert len(ticks) <= most
    assert ticks == sorted(ticks)
    places = scale.place(np.array(ticks))
    assert ((places >= -1e-6) & (places <= 1 + 1e-6)).all()


def test_log_ticks():
    assert Scale(0.01, 1.0, log=True).ticks(3) == pytest.approx([0.01, 0.1, 1.0])
    assert Scale(1.0, 10.0, log=True).ticks(4) == pytest.approx([1, 2, 5, 10])
    assert Scale(1.0, 1.5, log=True).ticks(2) == pytest.approx([1.0, 1.5])
    assert len(Scale(1e-9, 1e9, log=True).ticks(4)) <= 4


def ruler(values, least=1.0):
    return Ruler(np.array(values, float), lambda value: f"{value:g}", least)


def test_a_ruler_goes_on_beyond_what_is_known():
    steps = ruler([0, 10, 20])
    assert [steps.at(c) for c in (0, 0.5, 2, 3)] == [0, 5, 20, 30]
    assert [steps.column(v) for v in (-5, 0, 5, 20, 40)] == [0, 0, 0.5, 2, 4]


def test_a_value_that_stands_still_is_found_where_it_is_reached():
    epochs = ruler([0, 0, 0, 1, 1, 2])
    assert epochs.column(1) == 3
    assert epochs.column(2) == 5
    assert ruler([3, 3]).column(5) == math.inf


def test_the_axis_has_round_ticks():
    row = axis_row(ruler(range(0, 1001, 10)), TimeSpan.over(100), cells=40)
    assert plain(row) == "╵0      ╵200    ╵400    ╵600    ╵800    "


def test_ticks_are_never_closer_than_they_mean():
    assert plain(axis_row(ruler([0, 1, 2]), TimeSpan.over(2), cells=60)).split() == ["╵0", "╵1"]


def test_an_axis_of_nothing():
    assert axis_row(ruler([0]), TimeSpan.over(1), cells=10) == ()
    assert axis_row(ruler([0, 1]), TimeSpan.over(1), cells=0) == ()


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.integers(1, 60), st.integers(1, 120))
def test_any_axis_is_as_wide_as_its_picture(jumps, total, cells):
    row = axis_row(ruler(np.cumsum([0, *jumps])), TimeSpan(total, 0), cells=cells)
    assert row == () or len(plain(row)) == cells


def log_ruler(values):
    return Ruler(np.array(values, float), lambda value: f"{value:g}", finest=1.0, log=True)


def test_a_logarithmic_axis_has_powers_of_ten_evenly_spaced():
    found = plain(axis_row(log_ruler(range(1001)), TimeSpan(1000, 1000, log=True), cells=24))
    assert found.split() == ["╵1", "╵10", "╵100"]
    places = [found.index(f"╵{value} ") for value in (1, 10, 100)]
    assert places[2] - places[1] == pytest.approx(places[1] - places[0], abs=1)


def test_where_there_is_room_there_are_ticks_between_them():
    found = plain(axis_row(log_ruler(range(1001)), TimeSpan(1000, 1000, log=True), cells=100))
    assert found.split() == [f"╵{tick}" for tick in (1, 2, 5, 10, 20, 50, 100, 200, 500)]


def test_a_logarithmic_axis_far_into_a_run_has_round_ticks():
    steps = np.arange(9000, 9513)
    found = plain(axis_row(log_ruler(steps), TimeSpan(512, 512, log=True, first=9000), cells=60)).split()
    assert len(found) >= 3
    assert all(int(tick[1:]) % 50 == 0 for tick in found)


@pytest.mark.parametrize(
    ("at", "row"),
    [
        (0, "▲500    ╵2 min  "),
        (1, " ▲      ╵2 min  "),
        (3, "   ▲    ╵2 min  "),
        (4, "╵500▲   ╵2 min  "),
        (7, "╵500   ▲╵2 min  "),
        (8, "╵500    ▲2 min  "),
        (10, "╵500      ▲     "),
        (13, "╵500         ▲  "),
        (15, "╵500    ╵2 min ▲"),
    ],
)
def test_a_sign_takes_the_place_of_the_label_it_would_lie_in(at, row):
    assert plain(marked((said("╵500    ╵2 min  "),), at, said("▲"))) == row


def test_a_sign_on_an_empty_axis():
    assert plain(marked((said("      "),), 2, said("▲"))) == "  ▲   "


def test_bounds_beyond_arithmetic_make_an_axis():
    for log in (False, True):
        scale = scale_for(np.array([1.0]), log=log, keep=(1.7e308, -1.7e308, 5e-324))
        assert np.isfinite(scale.place(np.array([1.0]))).all()


def test_what_is_far_beyond_a_tiny_axis_has_a_place():
    assert Scale(0.0, 1e-311).place(np.array([1e12])).tolist() == [np.inf]
