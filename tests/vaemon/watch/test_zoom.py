"""Closer, further off, along: by keys and by the mouse."""

from dataclasses import replace

import numpy as np
import pytest
from textual import events

from vaemon.watch.widgets.window import LEAST, Window


@pytest.fixture
def long(fake):
    """A run of 6,000 rows, of which 5,000 have come, and the app that watches it."""
    stage = fake.Stage(latents=8, steps=6000, rate=200.0)
    source = fake.Source(stage, shown={1: 5000})
    return fake.App(source, clock=fake.Clock(fake.when(stage, 5000))), source, stage


def window(app):
    return app.run_screen.look.window


def columns(app):
    return app.run_screen.picture().columns


async def press(fake, app, pilot, *keys):
    for key in keys:
        await pilot.press(key)
    await pilot.pause()
    app.step()
    await fake.settle(app, pilot)


def title(fake, app):
    return next(line for line in fake.lines(app) if "latents" in line)


def test_plus_ends_in_the_exact_rows_and_zero_leads_back(fake, long):
    app, _, stage = long

    async def gesture(app, pilot):
        seen = []
        for _ in range(5):
            await pilot.press("plus")
            app.step()
            seen.append((window(app).size, columns(app).width))
        assert seen == [(4096, 8), (2048, 4), (1024, 2), (512, 1), (256, 1)]
        await press(fake, app, pilot, *["plus"] * 9)
        assert window(app).size == LEAST
        assert "1 column = 1 step" in title(fake, app)
        near = columns(app)
        rows = slice(near.first, near.first + len(near))
        np.testing.assert_allclose(near.mean["mean_variance"], stage.rows["mean_variance"][rows])
        assert near.rows == 5000
        await press(fake, app, pilot, "minus")
        assert window(app).size == 2 * LEAST
        await press(fake, app, pilot, "0")
        assert window(app) is None
        assert columns(app) is app.run_screen.shown.columns

    fake.play(app, gesture)


def test_closer_at_the_crosshair_keeps_it_in_sight_and_further_leads_back(fake, long):
    app = long[0]

    async def gesture(app, pilot):
        await press(fake, app, pilot, *["left"] * 20)
        at = app.run_screen.look.at
        for _ in range(6):
            await press(fake, app, pilot, "plus")
            assert window(app).first <= at < window(app).last
            assert not window(app).follows
            assert any("▲" in line for line in fake.lines(app))
        await press(fake, app, pilot, *["minus"] * 7)
        assert window(app) is None
        assert app.run_screen.look.at == at

    fake.play(app, gesture)


def test_a_window_that_follows_leaps_on_by_half_when_it_is_full(fake, long):
    app, source, _ = long

    async def gesture(app, pilot):
        await press(fake, app, pilot, *["plus"] * 5)
        held = window(app)
        assert held.follows
        while source.shown[1] < held.last:
            assert window(app) == held
            source.shown[1] += 16
            app.step()
        source.shown[1] += 16
        app.step()
        await press(fake, app, pilot)
        assert window(app).first == source.shown[1] - held.size // 2
        assert columns(app).rows == source.shown[1]

    fake.play(app, gesture)


def test_a_window_that_was_chosen_stays_while_the_run_grows(fake, long):
    app, source, _ = long

    async def gesture(app, pilot):
        await press(fake, app, pilot, *["left"] * 30, *["plus"] * 4)
        held, before = window(app), fake.lines(app)[5:12]
        source.shown[1] = 5900
        app.step()
        await press(fake, app, pilot)
        assert window(app) == held
        assert [line[6:60] for line in fake.lines(app)[5:12]] == [line[6:60] for line in before]
        await press(fake, app, pilot, "end")
        assert window(app).follows
        assert window(app).first < 5900 <= window(app).last

    fake.play(app, gesture)


def test_after_a_resumed_run_took_rows_away_there_is_something_in_sight(fake, long):
    app, source, _ = long

    async def gesture(app, pilot):
        await press(fake, app, pilot, *["plus"] * 6)
        app.asked.clear()  # What is known of the rows after the checkpoint is void.
        source.shown[1] = 2000
        app.step()
        await press(fake, app, pilot)
        assert window(app).first < 2000 <= window(app).last
        assert columns(app).rows == 2000

    fake.play(app, gesture)


def test_a_stage_begins_with_all_of_it(fake):
    stages = fake.stage(), fake.stage(latents=32, number=2, steps=400)
    app = fake.App(fake.Source(*stages, shown={1: 1200, 2: 300}), clock=fake.Clock(fake.when(stages[1], 300)))

    async def gesture(app, pilot):
        await press(fake, app, pilot, "plus", "plus", "left")
        await press(fake, app, pilot, "t")
        assert (window(app), app.run_screen.look.at) == (None, None)

    fake.play(app, gesture)


def test_keys_of_a_closer_look_on_a_short_run_do_no_harm(fake):
    app = fake.App(fake.Source(fake.stage(), shown={1: 9}), clock=fake.Clock(fake.when(fake.stage(), 9)))

    async def gesture(app, pilot):
        await press(fake, app, pilot, "plus", "plus", "left", "plus", "minus", "0", "end")
        assert window(app) is None

    fake.play(app, gesture)


def test_the_wheel_over_a_chart_comes_closer_at_the_pointer(fake, long):
    app = long[0]

    async def gesture(app, pilot):
        chart = app.run_screen.view.charts[0]
        left, cells = chart.time_cells
        for closer, size in ((True, 4096), (True, 2048), (True, 1024), (False, 2048)):
            share = 0.5
            aimed = app.run_screen._row_at(share)
            await pilot._post_mouse_events([scroll(closer)], chart, (left + round(share * cells), 2), button=0, times=1)
            await press(fake, app, pilot)
            assert window(app).size == size
            if size == 4096:  # Of the whole run, the axis shows room for what comes.
                assert window(app).first <= aimed < window(app).last
            else:
                assert abs(window(app).first + share * size - aimed) <= size / cells + size / 256 + 1

    fake.play(app, gesture, (160, 40))


def scroll(closer):
    return events.MouseScrollUp if closer else events.MouseScrollDown


def test_the_wheel_over_a_wall_that_is_all_in_sight_zooms_and_else_scrolls(fake, long):
    async def zooms(app, pilot):
        wall = app.run_screen.view.wall
        await pilot._post_mouse_events([scroll(True)], wall, (40, 5), button=0, times=1)
        await press(fake, app, pilot)
        assert window(app) is not None
        assert wall.top == 0

    async def scrolls(app, pilot):
        wall = app.run_screen.view.wall
        await pilot._post_mouse_events([scroll(False)], wall, (40, 5), button=0, times=1)
        await press(fake, app, pilot)
        assert window(app) is None
        assert wall.top > 0

    fake.play(long[0], zooms)
    many = fake.App(fake.Source(fake.stage(), shown={1: 700}), clock=fake.Clock(fake.when(fake.stage(), 700)))
    fake.play(many, scrolls, (80, 24))


def test_dragging_pans_and_chooses_nothing(fake, long):
    app = long[0]

    async def gesture(app, pilot):
        await press(fake, app, pilot, "plus", "plus", "plus")
        before, chosen = window(app), app.run_screen.picture().chosen
        wall = app.run_screen.view.wall
        cells = wall.time_cells[1]
        await pilot.mouse_down(wall, offset=(20, 12))
        for x in range(21, 41):
            await pilot.hover(wall, offset=(x, 12))
        await pilot.mouse_up(wall, offset=(40, 12))
        await press(fake, app, pilot)
        moved = before.first - window(app).first
        assert moved > 0
        assert abs(moved - 20 / cells * before.size) <= 20 * (before.size // 512 + 1)
        assert not window(app).follows
        assert app.run_screen.picture().chosen == chosen
        await pilot.hover(wall, offset=(60, 12))
        held = window(app)
        await pilot.hover(wall, offset=(20, 12))
        assert window(app) == held

    fake.play(app, gesture)


def test_dragging_the_whole_run_moves_nothing(fake, long):
    app = long[0]

    async def gesture(app, pilot):
        chart = app.run_screen.view.charts[0]
        await pilot.mouse_down(chart, offset=(10, 2))
        await pilot.hover(chart, offset=(20, 2))
        await pilot.mouse_up(chart, offset=(20, 2))
        await press(fake, app, pilot)
        assert window(app) is None

    fake.play(app, gesture)


def test_the_crosshair_takes_the_window_along(fake, long):
    app = long[0]

    async def gesture(app, pilot):
        await press(fake, app, pilot, *["plus"] * 9)
        assert window(app).size == LEAST
        for _ in range(20):
            await pilot.press("left")
            at = app.run_screen.look.at
            assert window(app).first <= at < window(app).last
        assert at < 5000 - 2 * LEAST / 3

    fake.play(app, gesture)


def test_events_one_after_the_other(fake):
    # Every tenth step is logged: a wake need not be at one.
    stage = fake.Stage(latents=16, steps=400)
    stage.rows["step"] = stage.rows["step"] * 10
    stage.events = [replace(each, step=each.step * 10 - (3 if each.latent >= 0 else 9)) for each in stage.events]
    source = fake.Source(stage, shown={1: 400})
    source._answer = lambda *asked: replace(fake.Source._answer(source, *asked), events=tuple(stage.events))
    app = fake.App(source, clock=fake.Clock(fake.when(stage, 400)))

    async def gesture(app, pilot):
        back = []
        for _ in range(40):
            await pilot.press("E")
            back.append((app.run_screen.look.at, app.run_screen.look.latent))
        rows = sorted({(each.step + 9) // 10 - 1 for each in stage.events}, reverse=True)
        assert list(dict.fromkeys(at for at, _ in back)) == rows
        wakes = {(each.step + 9) // 10 - 1: each.latent for each in stage.events if each.latent >= 0}
        assert wakes[back[0][0]] == back[0][1]
        on = [app.run_screen.look.at]
        for _ in range(len(rows) - 1):
            await pilot.press("e")
            on.append(app.run_screen.look.at)
        assert on == rows[::-1]
        await pilot.press("e")
        assert app.run_screen.look.at is None

    fake.play(app, gesture)


def test_a_window_is_kept_with_the_step_of_an_event(fake, long):
    app = long[0]

    async def gesture(app, pilot):
        await press(fake, app, pilot, *["plus"] * 8)
        await press(fake, app, pilot, "E", "E")
        look = app.run_screen.look
        assert isinstance(look.window, Window)
        assert look.window.first <= look.at < look.window.last

    fake.play(app, gesture)
