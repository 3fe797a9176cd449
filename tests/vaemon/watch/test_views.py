"""Trajectories, balance, one latent: what they show, and what keys and mouse do in them."""

import numpy as np
import pytest

from vaemon.batch import RunState
from vaemon.watch.render.trajectories import MOST_LINES
from vaemon.watch.widgets.card import LatentCard
from vaemon.watch.widgets.roll import Roll
from vaemon.watch.widgets.trajectories import Trajectories

SIZES = [(80, 24), (120, 40), (200, 60), (40, 10)]


@pytest.fixture
def app(fake):
    return running(fake, fake.stage())


def running(fake, stage, rows=700, **options):
    return fake.App(fake.Source(stage, shown={1: rows}), clock=fake.Clock(fake.when(stage, rows)), **options)


def see(fake, app, view, look, size=(120, 40), keys=()):
    async def gesture(app, pilot):
        for key in (view, *keys):
            await pilot.press(key)
            await fake.settle(app, pilot)
            app.step()
            await fake.settle(app, pilot)
        await look(app, pilot)

    return fake.play(app, gesture, size)


def still(check):
    async def look(app, pilot):
        check(app)

    return look


def chosen(app):
    return app.run_screen.picture().chosen


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("view", ["2", "3", "4"])
def test_every_size(fake, app, view, size):
    told = {"2": ["44 below 0.8"], "3": ["gamma  0.1256", "KL  33.50", "loss  33.99"], "4": ["E[μ²]  0.92", "z57 ●"]}

    def check(app):
        text = "\n".join(fake.lines(app))
        assert all(each in text for each in told[view])
        assert all(len(line) <= size[0] for line in fake.lines(app))

    see(fake, app, view, still(check), size)


@pytest.mark.parametrize("size", [(1, 1), (9, 4), (20, 5)], ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("view", ["2", "3", "4"])
def test_sizes_that_are_too_small(fake, app, view, size):
    def check(app):
        lines = fake.lines(app)
        assert len(lines) == size[1]
        assert all(len(line) <= size[0] for line in lines)

    see(fake, app, view, still(check), size)


@pytest.mark.parametrize(("width", "listed"), [(80, False), (120, True)])
def test_the_list_stands_beside_the_lines_where_it_is_wide(fake, app, width, listed):
    def check(app):
        assert bool(app.query_one(Roll).size.area) == listed

    see(fake, app, "2", still(check), (width, 40))


def test_up_and_down_choose_the_next_of_the_list(fake, app):
    def check(app):
        assert chosen(app) == app.run_screen.picture().order[2]
        assert any(f"▸● z{chosen(app)} " in line for line in fake.lines(app))

    see(fake, app, "2", still(check), keys=["j", "j", "j", "k"])


def test_only_what_is_listed_is_drawn(fake, app):
    def check(app):
        assert "19 of 64 latents  19 below 0.8" in fake.lines(app)[3]
        assert len(app.query_one(Trajectories)._made[1].latents) == 19

    see(fake, app, "2", still(check), keys=["slash", *"active", "enter"])


def test_the_pinned_are_named_and_told(fake, app):
    def check(app):
        first, second = app.run_screen.picture().order[:2]
        lines = fake.lines(app)
        plot = "\n".join(line[:94] for line in lines[4:36])
        assert f"z{first}" in plot
        assert f"z{second}" in plot
        assert lines[-2].startswith(f" z{second} ●")
        assert f"z{first} 0.0" in lines[-2]

    see(fake, app, "2", still(check), keys=["p", "j"])


def test_values_under_the_crosshair(fake, app):
    def check(app):
        columns, at = app.run_screen.picture().columns, app.run_screen.look.at
        place = columns.place(at)
        below = int((columns.mean["mean_variance"][place] < 0.8).sum())
        lines = fake.lines(app)
        assert f"at step {columns.step[place]:,}: {below} below 0.8" in lines[3]
        assert f"E[σ²] {columns.mean['mean_variance'][place, chosen(app)]:.4f}" in lines[-2]

    see(fake, app, "2", still(check), keys=["left"] * 9)


def test_many_latents_make_a_fan(fake):
    def check(app):
        assert "min, 5, 25, 50, 75, 95 %, max" in fake.lines(app)[3]

    stage = fake.Stage(latents=MOST_LINES + 44, steps=600)
    see(fake, running(fake, stage, 500), "2", still(check))


def test_what_is_behind_the_lines_can_be_written(fake, app):
    def check(app):
        assert app.run_screen.view.data().channels == ("mean_variance",)

    see(fake, app, "2", still(check))


def test_no_latents_at_all(fake):
    def check(app):
        assert "E[σ²]" in "\n".join(fake.lines(app))

    see(fake, running(fake, fake.Stage(latents=0, steps=300), 200), "2", still(check), keys=["j", "k", "p", "left"])


def test_what_is_not_finite_is_counted(fake):
    stage = fake.Stage(latents=8, steps=600)
    stage.rows["mean_variance"][300:400, 3] = np.nan

    def check(app):
        assert "1 not finite" in fake.lines(app)[3]

    see(fake, running(fake, stage, 600), "2", still(check))


def test_nothing_is_drawn_anew_before_a_cell_is_complete(fake):
    stage = fake.stage(steps=4000)
    app = running(fake, stage, 3000)

    async def look(app, pilot):
        panel = app.query_one(Trajectories)
        before = panel._made
        app.poller._source.shown[1] += 1
        app.step()
        assert panel._made is before
        app.poller._source.shown[1] += 400
        app.step()
        assert panel._made is not before

    see(fake, app, "2", look)


def test_a_click_chooses_the_line_there(fake):
    stage = fake.stage(latents=12)
    app = fake.App(fake.Source(stage, state=RunState.FINISHED), clock=fake.Clock(fake.when(stage, 1200)))

    async def look(app, pilot):
        panel = app.query_one(Trajectories)
        variance = app.run_screen.picture().columns.mean["mean_variance"][-1]
        await pilot.click(panel, offset=(panel.room.gutter + panel.room.cells - 1, 1))
        await fake.settle(app, pilot)
        assert variance[chosen(app)] > 0.9
        await pilot.click(panel, offset=(panel.room.gutter + panel.room.cells - 1, panel.size.height - 3))
        await fake.settle(app, pilot)
        assert variance[chosen(app)] < 0.1

    see(fake, app, "2", look)


def test_click_in_the_list(fake, app):
    async def look(app, pilot):
        order, roll = app.run_screen.picture().order, app.query_one(Roll)
        await pilot.click(roll, offset=(5, 6))
        await fake.settle(app, pilot)
        assert chosen(app) == order[4]
        roll.move(60)
        await fake.settle(app, pilot)
        assert chosen(app) == order[-1]
        assert roll.top == 64 - (roll.size.height - 2)

    see(fake, app, "2", look)


def test_zoom_and_logarithm_and_smoothing(fake, app):
    seen = set()

    async def look(app, pilot):
        for key in ("L", "s", "plus", "plus", "0", "x"):
            await pilot.press(key)
            await fake.settle(app, pilot)
            app.step()
            await fake.settle(app, pilot)
            seen.add("\n".join(fake.lines(app)[3:38]))
        assert "0.003" in "\n".join(fake.lines(app))

    see(fake, app, "2", look)
    assert len(seen) == 5  # all of the run is as it was before coming closer


def test_where_it_is_narrow_the_card_lies_below_the_charts(fake, app):
    def check(app):
        card = app.query_one(LatentCard)
        assert (card.size.width, card.size.height) == (80, 3)
        lines = fake.lines(app)
        assert lines[-4].startswith(" z57 ● active   E[σ²] 0.0802 rank 16 of 64")
        assert "prior: 1" in lines[-3]
        assert lines[-2].startswith(" its events  1    88  ● z57 woke")

    see(fake, app, "4", still(check), (80, 24))


def test_one_latents_charts_have_its_own_events_only(fake, app):
    def check(app):
        for chart in app.run_screen.view.charts:
            assert [colour for _, colour in chart._made[1].marks] == ["active"]

    see(fake, app, "4", still(check))


@pytest.mark.parametrize(("size", "axes"), [((80, 24), 2), ((120, 40), 6)])
def test_low_charts_share_the_time_axis_at_the_foot(fake, app, size, axes):
    def check(app):
        assert "\n".join(fake.lines(app)).count("step ╵0") == axes

    see(fake, app, "3", still(check), size)


def test_an_enlarged_chart_has_a_time_axis(fake, app):
    async def look(app, pilot):
        lines = fake.lines(app)
        assert lines[3].startswith("▸gamma")
        assert lines[-2].lstrip().startswith("step ╵0")
        await pilot.press("escape")
        await fake.settle(app, pilot)
        assert "\n".join(fake.lines(app)).count("step ╵0") == 2

    see(fake, app, "3", look, (80, 24), ["enter"])
