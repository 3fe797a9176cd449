"""The README's pictures are made from the real app."""

import importlib.util
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from vaemon import Recorder
from vaemon.batch import RunState
from vaemon.watch.export.svg import CELL, LINE
from vaemon.watch.names import VIEW_NAMES

DOCS = Path(__file__).parents[3] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


def script(name):
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def screens():
    return script("screens")


@pytest.fixture
def animate(monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    return script("animate")


@pytest.mark.parametrize(("light", "ground"), [(False, "#0e1116"), (True, "#fcfcfa")])
def test_a_picture_of_a_run(fake, screens, tmp_path, light, ground):
    path = tmp_path / "screens" / "run.svg"
    screens.picture(fake.Source(fake.stage(), shown={1: 700}), (80, 24), path, light=light)
    root = ElementTree.parse(path).getroot()
    words = " ".join(element.text or "" for element in root.iter(SVG + "text"))
    assert "run42" in words
    assert "running" in words
    assert "last row" not in words
    assert next(root.iter(SVG + "rect")).get("fill") == ground
    assert len({element.get("fill") for element in root.iter(SVG + "rect")}) > 10
    assert not any(0x2800 <= ord(sign) <= 0x28FF or sign in "▀▌█●◐○·▸" for sign in words)


def test_shapes_stand_in_their_cells(fake, screens, tmp_path):
    path = tmp_path / "run.svg"
    screens.picture(fake.Source(fake.stage(), shown={1: 700}), (80, 24), path)
    root = ElementTree.parse(path).getroot()
    width, height = 80 * CELL, 24 * LINE
    bars = list(root.iter(SVG + "rect"))[1:]
    assert len(bars) > 100
    for element in bars:
        x, y, wide, high = (float(element.get(name)) for name in ("x", "y", "width", "height"))
        assert 0 <= x < x + wide <= width
        assert 0 <= y < y + high <= height


def test_a_finished_run_by_its_name(screens, tmp_path, monkeypatch, capsys, fake):
    monkeypatch.setattr(screens, "open_source", lambda name: fake.Source(fake.stage(), name=name))
    monkeypatch.setattr("sys.argv", ["screens.py", "other", "--size", "40x10", "--out", str(tmp_path / "x.svg")])
    screens.run("A picture.", screens.picture, size="120x40", out="run.svg")
    assert "other" in (tmp_path / "x.svg").read_text()
    assert capsys.readouterr().out.strip() == str(tmp_path / "x.svg")


def test_in_pixels(fake, screens, tmp_path):
    path = tmp_path / "run.png"
    screens.picture(fake.Source(fake.stage(), shown={1: 700}), (40, 10), path)
    with Image.open(path) as image:
        assert image.size == (2 * (40 * CELL + 28), 2 * (10 * LINE + 28))


def test_a_run_is_played(fake, animate, tmp_path, monkeypatch, capsys):
    class Rows(fake.Source):
        """Answers as if there were only so many rows."""

        def poll(self, since, want):
            self.shown[1] = want.end or 1200
            return super().poll(since, want)

    source = Rows(fake.stage(), state=RunState.FINISHED)
    monkeypatch.setitem(animate.run.__globals__, "open_source", lambda name: source)
    monkeypatch.setattr(animate, "FRAMES", 4)
    monkeypatch.setattr("sys.argv", ["animate.py", "run42", "--size", "60x16", "--out", str(tmp_path / "x.webp")])
    animate.run("A moving picture.", animate.animate, size="100x30", out="run.webp")
    assert capsys.readouterr().out.strip() == str(tmp_path / "x.webp")
    assert [want.end for want in source.wants] == [None, None, 198, 487, 826, None]
    assert source.closed
    with Image.open(tmp_path / "x.webp") as image:
        assert image.n_frames == 4
        pictures = [np.asarray(image) for number in range(4) if image.seek(number) is None]
    assert all((a != b).any() for a, b in pairwise(pictures))


@pytest.fixture
def pictures(monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    for name in ("NO_COLOR", "TERM", "COLORTERM"):  # which it sets
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return script("pictures")


def recorded(folder, name):
    with Recorder(name, latents=4, runs=folder) as recorder:
        for step in range(1, 65):
            recorder.log(step, mean_variance=[0.1, 0.4, 0.8, 1.0], gamma=1 / step)
    return str(folder / name)


def words_of(path):
    return " ".join(element.text or "" for element in ElementTree.parse(path).getroot().iter(SVG + "text"))


def test_pictures_of_a_view_of_several_runs_and_without_colour(pictures, tmp_path):
    runs = [recorded(tmp_path, name) for name in ("one", "other")]
    shots = {shot.name: shot for shot in pictures.SHOTS}
    for name in ("trajectories", "runs", "shades"):
        pictures.draw(shots[name], runs, tmp_path)
    assert "below 0.8" in words_of(tmp_path / "trajectories.svg")
    assert "one" in words_of(tmp_path / "runs.svg")
    assert "other" in words_of(tmp_path / "runs.svg")
    grey = ElementTree.parse(tmp_path / "shades.svg").getroot().iter(SVG + "rect")
    assert {len(set(pairs(element.get("fill")))) for element in grey} == {1}


def pairs(colour):
    """Red, green and blue of "#rrggbb"."""
    return colour[1:3], colour[3:5], colour[5:7]


def test_every_view_has_its_picture(pictures):
    assert {int(key) for shot in pictures.SHOTS for key in shot.keys.split() if key.isdigit()} | {1, 8} == set(
        VIEW_NAMES
    )
