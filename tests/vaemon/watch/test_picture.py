"""The README's picture is made from the real app."""

import importlib.util
from pathlib import Path
from xml.etree import ElementTree

import pytest

SCRIPT = Path(__file__).parents[3] / "docs" / "screens.py"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def screens():
    spec = importlib.util.spec_from_file_location("screens", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("light", "ground"), [(False, "#0e1116"), (True, "#fcfcfa")])
def test_a_picture_of_a_run(fake, screens, tmp_path, light, ground):
    path = tmp_path / "screens" / "run.svg"
    screens.picture(fake.Source(fake.stage(), shown={1: 700}), (80, 24), path, light=light)
    root = ElementTree.parse(path).getroot()
    words = " ".join(element.text or "" for element in root.iter(SVG + "text"))
    assert "run42" in words
    assert "● running" in words
    assert "last row" not in words
    assert next(root.iter(SVG + "rect")).get("fill") == ground
    assert len({element.get("fill") for element in root.iter(SVG + "rect")}) > 10
    assert not any(0x2800 <= ord(sign) <= 0x28FF or sign in "▀▌█" for sign in words)


def test_shapes_stand_in_their_cells(fake, screens, tmp_path):
    path = tmp_path / "run.svg"
    screens.picture(fake.Source(fake.stage(), shown={1: 700}), (80, 24), path)
    root = ElementTree.parse(path).getroot()
    width, height = 80 * screens.CELL, 24 * screens.LINE
    bars = list(root.iter(SVG + "rect"))[1:]
    assert len(bars) > 100
    for element in bars:
        x, y, wide, high = (float(element.get(name)) for name in ("x", "y", "width", "height"))
        assert 0 <= x < x + wide <= width
        assert 0 <= y < y + high <= height


def test_a_finished_run_by_its_name(screens, tmp_path, monkeypatch, capsys, fake):
    monkeypatch.setattr(screens, "open_source", lambda name: fake.Source(fake.stage(), name=name))
    monkeypatch.setattr("sys.argv", ["screens.py", "other", "--size", "40x10", "--out", str(tmp_path / "x.svg")])
    screens.main()
    assert "other" in (tmp_path / "x.svg").read_text()
    assert capsys.readouterr().out.strip() == str(tmp_path / "x.svg")
