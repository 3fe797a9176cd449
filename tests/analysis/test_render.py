"""The report as people see it, line by line."""

from pathlib import Path

import numpy as np
import pytest

from analysis.catalogue import REPORTS, Subject, examine
from analysis.render import progress, to_text
from analysis.report import Factors

GOLDEN = Path(__file__).parent / "golden"


def assert_golden(text, name, tmp_path):
    written = tmp_path / name
    written.write_text(text, encoding="utf-8")
    expected = (GOLDEN / name).read_text(encoding="utf-8") if (GOLDEN / name).exists() else ""
    assert text == expected, f"the text has changed; where that is meant: cp {written} {GOLDEN / name}"


@pytest.fixture
def full(make_report):
    return make_report(
        notes=("The stream lacks nothing.",),
        missing={},
        factors=Factors(4, ("x", "y", "size", "hue"), 2, 2),
    )


@pytest.mark.parametrize("width", [80, 100])
def test_both_parts(full, width, tmp_path):
    assert_golden(to_text(full, width), f"both-{width}.txt", tmp_path)


@pytest.mark.parametrize("width", [80, 100])
def test_the_stream_alone(make_report, width, tmp_path):
    report = make_report(
        reports=("inactive",), parts=("stream",), missing={"checkpoint": "the run has none; `vaemon train` saves one"}
    )
    assert_golden(to_text(report, width), f"stream-{width}.txt", tmp_path)


def test_as_published(make_report, tmp_path):
    assert_golden(to_text(make_report(as_published=True), 80), "published-80.txt", tmp_path)


def test_ascii(full, tmp_path):
    text = to_text(full, 80, ascii_only=True)
    assert_golden(text, "ascii-80.txt", tmp_path)
    assert text.isascii()
    assert "?" not in text


@pytest.mark.parametrize("width", [80, 100, 200])
def test_no_line_is_wider_than_asked_and_none_ends_in_blanks(full, width):
    lines = to_text(full, width).splitlines()
    assert max(map(len, lines)) <= width
    assert lines == [line.rstrip() for line in lines]


@pytest.mark.parametrize("width", [20, 50])
def test_a_narrow_terminal_loses_no_digit(full, width):
    wide = to_text(full, 200)
    narrow = to_text(full, width)
    for value in ("0.020", "+0.000", "1.956", "1,340"):
        assert value in narrow
        assert narrow.count(value) == wide.count(value)
    assert "…" not in narrow


def test_the_bar_is_as_long_as_its_value(make_report, make_posterior):
    part = examine(Subject(make_posterior("stream", [1e-9, 0.25, 0.5, 1.0, 1.7, np.nan]), np.full(6, -1)), ["inactive"])
    lines = to_text(make_report(reports=("inactive",), stream=part, checkpoint=None), 200).splitlines()
    lengths = {line.split()[0]: line.count("█") for line in lines if line[:6].strip().isdigit()}
    assert lengths == {"0": 0, "1": 6, "2": 12, "3": 24, "4": 24, "5": 0}


def test_the_line_of_the_inactive_is_drawn_where_there_are_both(make_report, make_posterior):
    def rules(variance):
        part = examine(Subject(make_posterior("stream", variance), np.full(len(variance), -1)), ["inactive"])
        report = make_report(reports=("inactive",), stream=part, checkpoint=None, latents=len(variance))
        text = to_text(report, 80)
        return sum(line.startswith("──") for line in text.splitlines()), "Below the line" in text

    assert rules([0.1, 0.9]) == (4, True)  # below three headings, and one between
    assert rules([0.1, 0.2]) == (3, False)
    assert rules([0.9, 1.0]) == (3, False)


def test_numbers_too_large_to_read_are_in_powers_of_ten(make_report, make_posterior):
    posterior = make_posterior("stream", [0.5], mu_squared=np.array([123456.7]), kl=np.array([np.inf]))
    part = examine(Subject(posterior, np.array([-1])), REPORTS)
    text = to_text(make_report(stream=part, checkpoint=None, latents=1), 80)
    assert "1.23e+05" in text
    assert "inf" in text


def test_colours_only_where_asked_for(full, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b" not in to_text(full, 80)
    coloured = to_text(full, 80, colour=True)
    assert "\x1b[32mactive" in coloured
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[32m" not in to_text(full, 80, colour=True)


def test_singular_and_plural(make_report, make_posterior):
    part = examine(Subject(make_posterior("stream", [0.01]), np.array([7])), ["inactive"])
    report = make_report(
        reports=("inactive",), stream=part, checkpoint=None, latents=1, factors=Factors(1, ("hue",), 1, 1)
    )
    text = " ".join(to_text(report, 200).split())
    assert "stage 1 · 1 latent · finished" in text
    assert "The images vary in 1 factor (hue); 1 latent woke, 1 is active. The two need not agree" in text


def test_markup_in_a_name_is_left_as_it_is(make_report):
    assert "[bold]run[/bold] :smile:" in to_text(make_report(run="[bold]run[/bold] :smile:"), 100)


def test_progress_is_silent_where_stderr_is_no_terminal(capsys):
    with progress("encoding") as told:
        told(1, 2)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
