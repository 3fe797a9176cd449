"""A logarithmic time axis, shared by all panels."""

import re

import numpy as np
import pytest

from vaemon.batch import RunState
from vaemon.watch.memory import dict_to_look, look_to_dict
from vaemon.watch.widgets.chart import Chart
from vaemon.watch.widgets.gestures import Zoomed
from vaemon.watch.widgets.picture import Look
from vaemon.watch.widgets.wall import Wall


def app_of(fake, rows=700, state=RunState.RUNNING):
    stage = fake.stage()
    return fake.App(fake.Source(stage, shown={1: rows}, state=state), clock=fake.Clock(fake.when(stage, rows)))


def play_keys(fake, app, keys, look, size=(120, 40)):
    async def gesture(app, pilot):
        await pilot.press(*keys)
        await fake.settle(app, pilot)
        look(app)

    return fake.play(app, gesture, size)


def axes(fake, app):
    return [line for line in fake.lines(app) if "step ╵" in line]


def test_powers_of_ten_on_the_wall_and_below_the_charts(fake):
    def look(app):
        wall, charts = axes(fake, app)[-1][:75], axes(fake, app)[0][77:]
        assert re.search(r"╵1 .*╵10 .*╵100 .*╵1,000", wall)
        assert re.search(r"╵1 .*╵10 .*╵100 ", charts)
        assert "x log steps" in fake.lines(app)[-1]

    play_keys(fake, app_of(fake), "X", look)


def test_again_and_it_is_linear(fake):
    found = []
    play_keys(fake, app_of(fake), [], lambda app: found.append(fake.lines(app)))
    play_keys(fake, app_of(fake), "XX", lambda app: found.append(fake.lines(app)))
    assert found[0] == found[1]


def test_the_panels_share_it(fake):
    def look(app):
        wall = app.run_screen.query_one(Wall)
        spans = {each.picture.span for each in app.run_screen.query(Chart) if each.display and each.size.area}
        assert spans == {wall.span}
        assert wall.span.log

    play_keys(fake, app_of(fake), "X", look)


def test_the_crosshair_goes_by_cells_and_comes_back(fake):
    async def gesture(app, pilot):
        await pilot.press("X", "left")
        await fake.settle(app, pilot)
        seen = []
        for _ in range(200):
            at = app.run_screen.look.at
            assert not seen or at <= seen[-1]
            if seen and at == seen[-1] == 0:
                break
            seen.append(at)
            await pilot.press("left")
        assert seen[-1] == 0
        assert len(seen) < 60
        steps = -np.diff(seen)
        assert steps[0] > 5 * steps[-2]

    fake.play(app_of(fake), gesture)


def test_events_stand_where_the_crosshair_goes(fake):
    def look(app):
        wall = app.run_screen.query_one(Wall)
        chart = next(each for each in app.run_screen.query(Chart) if each.size.area)
        event = next(each for each in app.run_screen.shown.events if each.kind == "wake")
        app.run_screen.go_to(event.step)
        app.run_screen.draw()
        cells = wall.time_cells[1]
        plot = chart._made[1]
        assert plot.at in {dot for dot, _ in plot.marks}
        assert wall._at_cell() == wall.span.cell(event.step // app.run_screen.shown.columns.width, cells)

    play_keys(fake, app_of(fake), "X", look)


def test_it_grows_with_the_run(fake):
    async def gesture(app, pilot):
        await pilot.press("X")
        await fake.settle(app, pilot)
        source = app.poller._source
        painted = []
        for rows in range(700, 1000, 20):
            source.shown[1] = rows
            app.step()
            await pilot.pause()
            wall = app.run_screen.query_one(Wall)
            painted.append((wall.span.total, wall.span.seen(wall.time_cells[1]) * app.run_screen.shown.columns.width))
        assert all(rows - seen < 150 for rows, (_, seen) in zip(range(700, 1000, 20), painted, strict=True))
        assert [seen for _, seen in painted] == sorted(seen for _, seen in painted)

    fake.play(app_of(fake), gesture)


def test_the_wheel_zooms_at_the_pointer(fake):
    async def gesture(app, pilot):
        await pilot.press("X")
        await fake.settle(app, pilot)
        wall, screen = app.run_screen.query_one(Wall), app.run_screen
        share = 0.6
        row = float(wall.span.column(np.array(share))) * screen.shown.columns.width
        assert screen._row_at(share) == pytest.approx(row, abs=2)
        assert row < 0.2 * screen.shown.rows
        for _ in range(3):
            screen.on_zoomed(Zoomed(closer=True, share=share))
            row = screen._row_at(share)
            app.step()
            await fake.settle(app, pilot)
            assert screen.look.window.first <= row < screen.look.window.last
        assert screen.look.window.size == 256
        assert wall.span.log

    fake.play(app_of(fake, 1200, RunState.FINISHED), gesture)


@pytest.mark.parametrize("view", ["2", "3", "4", "8"])
@pytest.mark.parametrize("axis", [[], ["x"], ["x", "x"]], ids=["step", "epoch", "time"])
def test_every_view_can_be_seen_so(fake, view, axis):
    def look(app):
        assert app.is_running
        assert any("╵" in line for line in fake.lines(app))

    play_keys(fake, app_of(fake), ["s", "X", "left", view, *axis, "L", "plus"], look)


def test_it_is_remembered():
    assert dict_to_look(look_to_dict(Look(log_time=True), 1)).log_time
    assert not dict_to_look({"log_time": "yes"}).log_time
