"""The keys of a replay."""

import pytest

from vaemon.batch import RunState
from vaemon.playback import Playback
from vaemon.source.replay import ReplaySource


@pytest.fixture
def replayed(fake):
    source, clock = fake.Source(fake.stage(), state=RunState.FINISHED), fake.Clock(0.0)
    playback = Playback(1.0, clock=clock)
    app = fake.App(ReplaySource(source, playback), playback=playback, clock=fake.Clock(fake.when(fake.stage(), 1200)))
    return app, playback, clock


def test_it_is_held_wound_and_paced(fake, replayed):
    app, playback, clock = replayed

    async def rows(pilot, *keys):
        await pilot.press(*keys)
        await pilot.pause()
        app.step()
        await pilot.pause()
        return app.run_screen.shown.rows

    async def gesture(app, pilot):
        assert "replay ×1" in fake.lines(app)[0]
        clock.now += 10.0
        here = await rows(pilot)
        assert abs(here - 400) <= 2
        on = await rows(pilot, "full_stop")
        assert abs(on - here - 12) <= 2
        far = await rows(pilot, "greater_than_sign")
        assert abs(far - on - 120) <= 2
        assert abs(await rows(pilot, "less_than_sign", "comma") - here) <= 3
        await rows(pilot, "space")
        clock.now += 5.0
        assert abs(await rows(pilot) - here) <= 3
        assert "replay held" in fake.lines(app)[0]
        assert "space go on" in fake.lines(app)[-1]
        await rows(pilot, "space", "right_parenthesis", "right_parenthesis")
        assert playback.speed == 4.0
        clock.now += 1.0
        assert abs(await rows(pilot) - here - 160) <= 4
        await rows(pilot, "left_parenthesis")
        assert playback.speed == 2.0
        await rows(pilot, *["less_than_sign"] * 12)
        assert app.run_screen.shown.rows == 1
        clock.now += 100.0
        assert await rows(pilot) == 1200
        assert "finished" in fake.lines(app)[0]

    fake.play(app, gesture)


def test_a_window_goes_back_with_the_run(fake, replayed):
    app, playback, clock = replayed

    async def gesture(app, pilot):
        clock.now += 25.0
        app.step()
        await pilot.press("plus", "plus", "plus")
        app.step()
        held = app.run_screen.look.window
        assert held.follows
        playback.wind(-0.7)
        app.step()
        await pilot.pause()
        app.step()
        await fake.settle(app, pilot)
        look, shown = app.run_screen.look, app.run_screen.shown
        assert look.window.first < shown.rows <= look.window.last < held.first
        assert len(app.run_screen.picture().columns)

    fake.play(app, gesture)


def test_of_a_run_that_is_no_replay_these_keys_say_so(fake):
    app = fake.App(fake.Source(fake.stage(), shown={1: 700}), clock=fake.Clock(fake.when(fake.stage(), 700)))

    async def gesture(app, pilot):
        await pilot.press("comma")
        await pilot.pause()
        assert "no replay" in fake.lines(app)[-1]

    fake.play(app, gesture)
