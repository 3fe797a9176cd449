"""The trajectories: size, ticks, threshold line, what is left out."""

import numpy as np
import pytest

from analysis.figures import HEIGHT, variance_trajectories
from vaemon.batch import Series

STATES = ["active", "limbo", "waking", "collapsed"]


def series(mean, stride=1):
    mean = np.asarray(mean, np.float64)
    return Series("mean_variance", np.arange(1, len(mean) + 1) * stride, mean, mean, mean, exact=True)


def lines_of(mean, width=80, **more):
    states = STATES[: np.asarray(mean).shape[1]]
    text = variance_trajectories(series(mean, more.pop("stride", 1)), states, 0.8, (width, HEIGHT), **more)
    assert text.endswith("\n")
    return text.splitlines()


@pytest.mark.parametrize("width", [40, 80, 100, 200])
def test_it_has_the_size_asked_for_whatever_the_terminal_is(width):
    lines = lines_of(np.full((50, 4), 0.5), width)
    assert len(lines) == HEIGHT
    assert max(map(len, lines)) == width
    assert all(line == line.rstrip() for line in lines)


def test_a_latent_is_drawn_where_its_variance_is():
    lines = lines_of(np.full((100, 1), 0.4), marker="*")
    drawn = [i for i, line in enumerate(lines) if line.count("*") > 50]
    ticks = {line.split("┤")[0]: i for i, line in enumerate(lines) if "┤" in line}
    assert len(drawn) == 1
    assert abs(drawn[0] - ticks["0.40"]) <= 1


def test_the_threshold_has_a_line():
    lines = lines_of(np.full((100, 1), 0.1), marker="*")
    assert sum(line.count("─") > 60 for line in lines) == 3  # the frame's two, and the threshold's


def test_what_is_not_finite_or_off_the_scale_is_left_out_and_the_latter_said():
    mean = np.full((60, 2), 0.5)
    mean[10:20, 0] = np.nan
    assert "cut" not in lines_of(mean)[0]
    mean[20:30, 0] = np.inf
    assert "above 1.25 is cut" in lines_of(mean)[0]
    mean[:3, 1] = 7.2
    lines = lines_of(mean, marker="*")
    assert [i for i, line in enumerate(lines) if "*" in line] == [
        i for i, line in enumerate(lines_of(np.full((60, 2), 0.5), marker="*")) if "*" in line
    ]


@pytest.mark.parametrize("mean", [np.full((30, 2), np.nan), np.zeros((0, 2)), np.full((1, 1), 0.5)])
def test_nothing_to_draw_is_an_empty_frame(mean):
    lines = lines_of(mean)
    assert len(lines) == HEIGHT
    assert "nan" not in "".join(lines)


@pytest.mark.parametrize(
    ("last", "ticks"),
    [
        (330, ["0", "100", "200", "300"]),
        (4000, ["0", "1,000", "2,000", "3,000", "4,000"]),
        (350_000, ["0", "100,000", "200,000", "300,000"]),
        (3, ["0", "1", "2", "3"]),
    ],
)
def test_the_steps_are_round_numbers(last, ticks):
    mean = np.full((2, 1), 0.5)
    lines = variance_trajectories(
        Series("mean_variance", np.array([1, last]), mean, mean, mean, exact=False), ["active"], 0.8, (100, HEIGHT)
    ).splitlines()
    assert lines[-2].split() == ticks
    assert lines[-1].strip() == "step"


def test_colours_only_where_asked_for():
    mean = np.full((30, 4), [0.1, 0.7, 0.4, 1.0])
    assert "\x1b" not in "\n".join(lines_of(mean))
    coloured = "\n".join(lines_of(mean, colour=True))
    for code in (2, 3, 4, 5):  # green, yellow, blue, magenta
        assert f"\x1b[38;5;{code}m" in coloured
