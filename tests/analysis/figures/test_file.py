"""Figures as files: the three formats, what is in them, and that equal figures are equal files."""

import io
import re
from dataclasses import replace

import numpy as np
import pytest

from analysis.figures.drawn import Curve, Evolution, Trajectories
from analysis.figures.file import picture

pytest.importorskip("matplotlib", reason="vaemon[figures] is not installed")


@pytest.fixture
def trajectories():
    mean = np.linspace(1, [0.05, 0.7, 0.9, 0.1], 50)
    mean[3, 1] = np.nan
    return Trajectories(
        "run42: 4 latents", "step", np.arange(1, 51), 50, mean, ("active", "limbo", "limbo", "active"), 0.8
    )


@pytest.fixture
def evolution():
    x = np.array([50.0, 100.0])
    return Evolution(
        "title",
        (
            Curve("REC", x, np.array([100.0, 80.0]), np.array([5.0, 3.0]), False),
            Curve("GEN-2", x, np.array([140.0, 90.0]), np.full(2, np.nan), True),
        ),
    )


def test_each_format_begins_as_it_should(trajectories, evolution):
    for drawn in (trajectories, evolution):
        assert picture(drawn, "png").startswith(b"\x89PNG")
        assert picture(drawn, "pdf").startswith(b"%PDF")
        assert b"<svg" in picture(drawn, "svg")[:2000]


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_equal_figures_are_equal_files(trajectories, form):
    assert picture(trajectories, form) == picture(trajectories, form)


def test_the_trajectories_say_what_they_are(trajectories):
    text = picture(trajectories, "svg").decode()
    for word in ("run42: 4 latents", "2 active", "2 limbo", "inactive ≥ 0.8", "step"):
        assert word in text
    assert "waking" not in text
    assert "cut" not in text


def test_what_does_not_fit_is_said(trajectories):
    trajectories.mean[0, 0] = 3
    assert "above 1.25 is cut" in picture(trajectories, "svg").decode()


def test_steps_are_whole_and_a_dollar_is_one(trajectories):
    text = picture(replace(trajectories, x=np.arange(1, 51) / 50 * 4, end=4, title="a$b^2$c"), "svg").decode()
    assert "a$b^2$c" in text
    assert re.findall(r">([\d.,]+)</text>", text)[:5] == ["0", "1", "2", "3", "4"]


def test_the_paper_s_curves_are_dashed_and_named(evolution):
    text = picture(evolution, "svg").decode()
    assert "GEN-2, as printed" in text
    dashed = [style for style in re.findall(r'style="([^"]*)"', text) if "stroke-dasharray" in style]
    assert any("#2ca02c" in style for style in dashed)
    assert not any("#1f77b4" in style for style in dashed)


def test_a_png_is_not_empty(trajectories):
    image = pytest.importorskip("PIL.Image")
    pixels = np.asarray(image.open(io.BytesIO(picture(trajectories, "png"))).convert("RGB"))
    assert pixels.shape[1] > 1200
    green = (
        np.abs(pixels.astype(int) - [84, 167, 131]).sum(axis=2) < 60
    ).sum()  # the active ones, a little transparent
    assert green > 500
