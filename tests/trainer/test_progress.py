import io

import pytest
from rich.console import Console

from trainer import progress
from trainer.progress import Bars, Lines, Pace, Quiet, rates, terms

NEWEST = {"gamma": 0.2119, "mse": 0.0442, "kl": 12.34, "loss": 99.0}


def test_pace_is_steps_a_second_over_the_window():
    pace = Pace(window=10)
    assert pace.update(0, now=100.0) == 0
    assert pace.update(50, now=105.0) == 10
    assert pace.update(450, now=115.0) == 40  # the sight at 100 s is too old to count
    assert pace.update(1, now=116.0) == 0  # another stage


def test_rates_tell_images_steps_and_time_left(tiny_stage):
    stage = tiny_stage("stage1.epochs=1000")  # 4,000 steps of 10 images
    stage.step = 1000
    assert rates(stage, 50.0) == "500 img/s  50 steps/s  0:01:00 left"
    assert rates(stage, 0.0) == ""


def test_terms_are_those_that_are_there():
    assert terms(NEWEST) == "γ 0.212  mse 0.0442  KL 12.3"
    assert terms({}) == ""


def test_lines_are_some_seconds_apart_but_for_the_last(tiny_stage, capsys, monkeypatch):
    stage, now, lines = tiny_stage(), iter([0.0, 1.0, 6.0, 6.1, 6.2]), Lines()
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    for step in (1, 2, 4, 8, 8):
        stage.step = step
        lines.show(stage, NEWEST)
    shown = capsys.readouterr().out.splitlines()
    assert shown == [
        "stage 1  step 1/8  epoch 1/2  γ 0.212  mse 0.0442  KL 12.3",
        "stage 1  step 4/8  epoch 2/2  5 img/s  0.5 steps/s  0:00:08 left  γ 0.212  mse 0.0442  KL 12.3",
        "stage 1  step 8/8  epoch 2/2  11 img/s  1.15 steps/s  0:00:00 left  γ 0.212  mse 0.0442  KL 12.3",
    ]


def test_lines_say_what_they_are_told(capsys):
    with Lines() as lines:
        lines.say("run a")
    assert capsys.readouterr().out == "run a\n"


def test_bars_show_the_stage_and_what_is_said(tiny_stage):
    stage = tiny_stage()
    file = io.StringIO()
    with Bars(Console(file=file, force_terminal=True, width=120)) as bars:
        bars.say("run [a]")
        for step in (1, 8):
            stage.step = step
            bars.show(stage, NEWEST)
    text = file.getvalue()
    assert "run [a]" in text
    assert "stage 1" in text
    assert "8/8" in text
    assert "γ 0.212  mse 0.0442  KL 12.3" in text


@pytest.mark.parametrize("width", [40, 80])
def test_bars_fit_narrow_terminals(tiny_stage, width):
    stage = tiny_stage()
    console = Console(file=io.StringIO(), force_terminal=True, width=width)
    with Bars(console) as bars:
        bars.show(stage, NEWEST)
        lines = console.render_lines(bars._progress.get_renderable(), console.options)
    assert len(lines) == 1


def test_lines_tell_how_far_reading_is(capsys, monkeypatch):
    now, lines = iter([0.0, 1.0, 6.0]), Lines()
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    for done in (1, 20_000, 60_000):
        lines.show_reading("decoding", done, 60_000)
    assert capsys.readouterr().out.splitlines() == ["decoding  1/60,000", "decoding  60,000/60,000"]


def test_bars_show_how_far_reading_is_until_it_is_done():
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    with Bars(console) as bars:
        for done, shown in ((0, 1), (30, 1), (60, 0)):
            bars.show_reading("decoding", done, 60)
            lines = console.render_lines(bars._progress.get_renderable(), console.options)
            text = "".join(segment.text for line in lines for segment in line)
            assert ("decoding" in text) == bool(shown)
            assert not shown or f"{done}/60" in text


def test_quiet_is_quiet(tiny_stage, capsys):
    with Quiet() as quiet:
        quiet.say("x")
        quiet.show(tiny_stage(), NEWEST)
        quiet.show_reading("decoding", 1, 2)
    assert capsys.readouterr().out == ""
