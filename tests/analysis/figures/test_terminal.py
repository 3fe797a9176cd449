"""Figures in the terminal: size, ticks, threshold line, what is left out; the curves of figure 2."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.figures.drawn import Curve, Evolution, Trajectories
from analysis.figures.terminal import HEIGHT, draw

STATES = ("active", "limbo", "waking", "collapsed")


def trajectories(mean, x=None, end=None):
    mean = np.asarray(mean, np.float64)
    x = np.arange(1, len(mean) + 1) if x is None else np.asarray(x)
    states = STATES[: mean.shape[1]]
    end = float(x.max(initial=0)) if end is None else end
    return Trajectories(f"run: {len(states)} latents", "step", x, end, mean, states, 0.8)


def lines_of(mean, width=80, **more):
    text = draw(trajectories(mean), (width, HEIGHT), **more)
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
        (1.4, ["0", "1", "2"]),
    ],
)
def test_the_axis_has_round_numbers(last, ticks):
    lines = draw(trajectories(np.full((2, 1), 0.5), [1, last], last), (100, HEIGHT)).splitlines()
    assert lines[-2].split() == ticks
    assert lines[-1] == "step; at the end 1 active"


def test_a_title_wider_than_the_terminal_is_wrapped():
    drawn = replace(trajectories(np.full((50, 4), 2.0)), title="a-run-of-a-long-name: 64 latents, 12 of 50 epochs")
    lines = draw(drawn, (60, HEIGHT)).splitlines()
    assert len(lines) == HEIGHT
    assert " ".join(lines[:2]) == f"E[σ²] of {drawn.title}; the line is 0.8; above 1.25 is cut"
    assert max(map(len, lines)) == 60


def test_the_states_are_counted_below_with_their_colours():
    drawn = trajectories(np.full((50, 4), 0.5))
    assert draw(drawn, (120, HEIGHT)).endswith("step; at the end 1 active, 1 waking, 1 limbo, 1 collapsed\n")
    assert "1 active (green), 1 waking (orange)" in draw(drawn, (120, HEIGHT), colour=True)


def test_colours_only_where_asked_for():
    mean = np.full((30, 4), [0.1, 0.7, 0.4, 1.0])
    assert "\x1b" not in "\n".join(lines_of(mean))
    coloured = "\n".join(lines_of(mean, colour=True))
    for code in (2, 3, 4, 5):  # green, yellow, blue, magenta
        assert f"\x1b[38;5;{code}m" in coloured


def curve(name, mean, deviation=None, printed=False):
    mean = np.asarray(mean, np.float64)
    none = np.full(len(mean), np.nan)
    return Curve(name, 50.0 * (1 + np.arange(len(mean))), mean, none if deviation is None else deviation, printed)


def test_the_curves_of_figure_2_are_told_apart_without_colours():
    own = [curve(name, [mean, mean - 20]) for name, mean in (("REC", 100), ("GEN-1", 140), ("GEN-2", 180))]
    lines = draw(Evolution("title", (*own, curve("REC", [60, 50], printed=True))), (100, HEIGHT)).splitlines()
    assert lines[0].strip() == "title"
    below = [line[10:] for line in lines[2:]]
    heights = {mark: min(i for i, line in enumerate(below) if mark in line[10:]) for mark in "R12x"}
    assert heights["2"] < heights["1"] < heights["R"] < heights["x"]
    assert sum("(paper)" in line for line in lines) == 1


def test_a_deviation_is_a_dot_above_and_one_below():
    drawn = Evolution("title", (curve("REC", [100, 100], np.array([20.0, np.nan])),))
    lines = draw(drawn, (80, HEIGHT)).splitlines()
    dots = [i for i, line in enumerate(lines) for cell in line[10:] if cell == "."]
    (letters,) = {i for i, line in enumerate(lines) if "R" in line and "REC" not in line}
    assert len(dots) == 2
    assert dots[0] < letters < dots[1]


@pytest.mark.parametrize(
    ("mean", "ticks"),
    [((53.8, 120.9), ["60", "80", "100", "120"]), ((0.2, 2.1), ["0", "1", "2", "3"]), ((880, 4100), ["1000", "2000"])],
)
def test_figure_2_has_round_numbers_of_distances(mean, ticks):
    lines = draw(Evolution("title", (curve("REC", mean),)), (100, HEIGHT)).splitlines()
    assert [line.split("┤")[0].strip() for line in lines if "┤" in line][::-1][: len(ticks)] == ticks


@pytest.mark.parametrize("curves", [(), (curve("REC", [80.0]),)])
def test_figure_2_of_next_to_nothing(curves):
    assert len(draw(Evolution("title", curves), (80, HEIGHT)).splitlines()) == HEIGHT
