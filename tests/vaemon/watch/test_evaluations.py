import asyncio

from textual.app import App

from vaemon.batch import RunInfo, RunState, StageInfo
from vaemon.evaluations import to_events
from vaemon.view.state import RunView
from vaemon.watch.render.palette import DARK
from vaemon.watch.widgets.evaluations import Evaluations
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture

ROWS = [(1, 400 * 2**i, {"mse": 0.5 / 2**i, "variance_law": 1.2 - 0.1 * i, "inactive": 40 - i}) for i in range(4)]


def picture(rows):
    events = tuple(event for stage, step, values in rows for event in to_events(stage, step, 0.0, values))
    info = RunInfo("r", "runs/r", RunState.RUNNING, stages=(StageInfo(1, 64, steps_per_epoch=400), StageInfo(2, 64)))
    return Picture(view=RunView(info=info, events=events))


def seen(rows, size=(60, 8), gesture=lambda widget: None):
    widget = Evaluations(Pen(DARK))

    class Table(App):
        CSS = "Evaluations { height: 1fr; }"

        def compose(self):
            yield widget

    async def run():
        app = Table(ansi_color=True)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            widget.show(picture(rows))
            gesture(widget)
            await pilot.pause()
            strips = app.screen._compositor.render_strips()
            bold = [segment.text.strip() for strip in strips[1:] for segment in strip if segment.style.bold]
            return [strip.text.rstrip() for strip in strips], bold

    return asyncio.run(run())


def test_the_table_of_the_paper_with_the_best_in_strong():
    lines, bold = seen(ROWS)
    assert lines[0].strip() == "▸evaluations  4"
    assert lines[1:6] == [
        "  step  epoch     mse  variance law  inactive",
        "   400      1  0.5000         1.200        40",
        "   800      2  0.2500         1.100        39",
        " 1,600      4  0.1250         1.000        38",
        " 3,200      8  0.0625        0.9000        37",
    ]
    assert bold == ["1.000", "0.0625", "37"]


def test_stages_are_told_apart_where_there_are_two():
    lines, _ = seen([*ROWS, (2, 9, {"mse": 1.0})])
    assert lines[1].split()[0] == "stage"
    assert lines[6].split() == ["2", "9", "–", "1.000", "–", "–"]


def test_the_newest_are_in_sight_and_the_others_by_scrolling():
    rows = [(1, step, {"mse": 1.0 + step}) for step in range(30)]
    lines, _ = seen(rows)
    assert "24 earlier ↑" in lines[0]
    assert lines[-1].split()[0] == "29"
    lines, _ = seen(rows, gesture=lambda widget: widget.move(-10))
    assert "14 earlier ↑  10 later ↓" in lines[0]
    assert lines[-1].split()[0] == "19"
    lines, _ = seen(rows, gesture=lambda widget: (widget.move(-1000), widget.move(-1)))
    assert lines[2].split()[0] == "0"


def test_columns_that_do_not_fit_are_counted_and_reached_by_shifting():
    rows = [(1, 1, {f"figure {i}": 0.5 for i in range(9)})]
    lines, _ = seen(rows, size=(40, 5))
    assert "figure 0" in lines[1]
    assert lines[0].endswith("7 more columns ← →")
    for width in (44, 48, 52):
        lines, _ = seen(rows, size=(width, 5))
        assert lines[0].endswith(f"{9 - lines[1].count('figure')} more columns ← →")
    lines, _ = seen(rows, size=(40, 5), gesture=lambda widget: widget.shift(99))
    assert "figure 8" in lines[1]


def test_no_evaluations_and_no_room_are_no_trouble():
    lines, _ = seen([])
    assert "none yet" in lines[0]
    assert "recorder.evaluation(mse=…)" in lines[2]
    for size in ((1, 1), (3, 2), (10, 40)):
        assert len(seen(ROWS, size=size)[0]) == size[1]
