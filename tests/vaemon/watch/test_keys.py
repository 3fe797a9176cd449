"""Every key does what the help says."""

import re

import pytest

from vaemon.batch import RunState
from vaemon.view.order import Order
from vaemon.watch.render.axis import TimeAxis
from vaemon.watch.screens.bindings import APP_KEYS, RUN_KEYS
from vaemon.watch.screens.help import HelpScreen
from vaemon.watch.screens.run import RunScreen


@pytest.fixture
def app(fake):
    source = fake.Source(fake.stage(), shown={1: 700})
    return fake.App(source, clock=fake.Clock(fake.when(fake.stage(), 700)))


def play_keys(fake, app, keys, look, size=(120, 40)):
    async def gesture(app, pilot):
        for key in keys:
            await pilot.press(key)
        await pilot.pause()
        look(app)

    return fake.play(app, gesture, size)


def row(fake, app, *needles):
    """The first line of the screen that has all of these in it."""
    found = [line for line in fake.lines(app) if all(needle in line for needle in needles)]
    assert found, f"no line with {needles}"
    return found[0]


def look_of(app):
    return app.run_screen.picture().look


def focused(app):
    return type(app.focused).__name__


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
def test_quit(fake, app, key):
    async def gesture(app, pilot):
        await pilot.press(key)
        await pilot.pause()

    fake.play(app, gesture)
    assert app.return_code == 0
    assert not app.is_running


def test_quit_from_the_help(fake, app):
    play_keys(fake, app, ["question_mark", "q"], lambda app: None)
    assert app.return_code == 0


@pytest.mark.parametrize("back", ["escape", "question_mark", "enter", "space"])
def test_help_and_back(fake, app, back):
    async def gesture(app, pilot):
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        await pilot.press(back)
        await pilot.pause()
        assert isinstance(app.screen, RunScreen)

    fake.play(app, gesture)


def test_the_help_scrolls_where_it_is_too_long(fake, app):
    def look(app):
        assert "a latent is" in "\n".join(fake.lines(app))

    play_keys(fake, app, ["question_mark", *("j" * 40), "k"], look, (80, 24))


def test_every_key_is_in_the_help(fake, app):
    def look(app):
        text = "\n".join(fake.lines(app))
        for binding in (*APP_KEYS, *RUN_KEYS):
            shown = binding.key_display or binding.key
            assert re.search(rf"(^|\s){re.escape(shown)}\s", text), shown

    play_keys(fake, app, ["question_mark"], look, (120, 60))


def test_escape_never_quits(fake, app):
    def look(app):
        assert app.is_running
        assert isinstance(app.screen, RunScreen)

    play_keys(fake, app, ["escape"] * 4, look)


def test_pause_stands_still_and_goes_on(fake, app):
    async def gesture(app, pilot):
        await pilot.press("space")
        app.poller._source.shown[1] = 900
        app.step()
        await pilot.pause()
        assert "step 700/1,200" in fake.lines(app)[0]
        assert "paused, 200 rows behind" in fake.lines(app)[0]
        await pilot.press("space")
        await pilot.pause()
        assert "step 900/1,200" in fake.lines(app)[0]
        assert "paused" not in fake.lines(app)[0]

    fake.play(app, gesture)


def test_order(fake, app):
    seen = []

    async def gesture(app, pilot):
        for _ in Order:
            await pilot.press("o")
            await pilot.pause()
            seen.append((look_of(app).order, app.run_screen.picture().order.tolist(), fake.lines(app)[3]))

    fake.play(app, gesture)
    assert [order for order, _, _ in seen] == [Order.VARIANCE, Order.KL, Order.INDEX, Order.WAKE]
    assert seen[2][1] == list(range(64))
    assert all(f"64 by {order}" in title for order, _, title in seen)


def test_time_axis(fake, app):
    seen = []

    async def gesture(app, pilot):
        for _ in TimeAxis:
            await pilot.press("x")
            await pilot.pause()
            seen.append(next(line for line in fake.lines(app) if "╵0" in line[:20]))

    fake.play(app, gesture)
    assert [line.split()[0] for line in seen] == ["epoch", "time", "step"]
    assert "╵5 " in seen[0]
    assert "╵20 s" in seen[1]


def test_log(fake, app):
    def look(app):
        assert look_of(app).log
        assert "L log" in fake.lines(app)[-1]
        assert row(fake, app, " 0.01 ")

    play_keys(fake, app, ["L"], look)


def test_smooth(fake, app):
    async def gesture(app, pilot):
        raw = fake.lines(app)
        assert "s raw" in raw[-1]
        for weight in ("0.6", "0.9", "0.99"):
            await pilot.press("s")
            await pilot.pause()
            assert f"s EMA {weight}" in fake.lines(app)[-1]
            assert f"EMA {weight} a row" in row(fake, app, "gamma")
            assert fake.lines(app)[4:30] != raw[4:30]
        await pilot.press("s")
        await pilot.pause()
        assert fake.lines(app) == raw

    fake.play(app, gesture)


def test_tab_goes_round_the_panels(fake, app):
    seen = []

    async def gesture(app, pilot):
        for _ in range(6):
            seen.append(app.focused.quantity.name if focused(app) == "Chart" else focused(app))
            await pilot.press("tab")
        assert focused(app) == "Wall"
        await pilot.press("shift+tab")
        await pilot.pause()
        assert focused(app) == "Events"
        assert any("▸events" in line for line in fake.lines(app))

    fake.play(app, gesture)
    assert seen == ["Wall", "gamma", "MSE", "KL", "variance law", "Events"]


@pytest.mark.parametrize("back", ["enter", "escape"])
def test_enlarge_a_chart_and_back(fake, app, back):
    async def gesture(app, pilot):
        before = fake.lines(app)
        await pilot.press("tab", "enter")
        await pilot.pause()
        large = fake.lines(app)
        assert large[3].startswith("▸gamma")
        assert large[-2].split()[:2] == ["step", "╵0"]
        assert not any("latents" in line for line in large)
        await pilot.press(back, "shift+tab")
        await pilot.pause()
        assert fake.lines(app) == before

    fake.play(app, gesture)


def test_enlarge_the_wall(fake, app):
    def look(app):
        text = fake.lines(app)
        assert text[3].startswith("▸latents")
        assert not any("gamma" in line for line in text)
        assert app.run_screen.view.wall.size.width == 120

    play_keys(fake, app, ["f"], look)


def test_enlarge_the_events(fake, app):
    def look(app):
        assert sum(" woke" in line for line in fake.lines(app)) == 19

    play_keys(fake, app, ["shift+tab", "enter"], look)


@pytest.mark.parametrize(("down", "up"), [("j", "k"), ("down", "up")])
def test_move_in_the_wall(fake, app, down, up):
    def look(app):
        assert app.run_screen.picture().chosen == app.run_screen.picture().order[2]
        assert row(fake, app, f" z{app.run_screen.picture().order[2]} ● active")
        assert row(fake, app, f"▸{app.run_screen.picture().order[2]:>2} ")

    play_keys(fake, app, [down] * 3 + [up], look)


@pytest.mark.parametrize(("keys", "place"), [(["pagedown"], 10), (["pagedown", "pageup"], 0), (["G"], 63)])
def test_leaps_in_the_wall(fake, app, keys, place):
    def look(app):
        assert app.run_screen.picture().chosen == app.run_screen.picture().order[place]

    play_keys(fake, app, keys, look)


@pytest.mark.parametrize("key", ["g", "home"])
def test_first_latent(fake, app, key):
    def look(app):
        assert app.run_screen.picture().chosen == app.run_screen.picture().order[0]

    play_keys(fake, app, ["G", key], look)


def test_the_wall_scrolls_with_the_chosen_latent(fake, app):
    def look(app):
        wall, text = app.run_screen.view.wall, fake.lines(app)
        assert wall.top == 32 - 17
        assert f"{app.run_screen.picture().order[-1]} " in text[20][:8]
        assert row(fake, app, "↑ 15  ↓ 0")

    play_keys(fake, app, ["G"], look, (80, 24))


def test_move_in_the_events(fake, app):
    async def gesture(app, pilot):
        await pilot.press("shift+tab", "j")
        await pilot.pause()
        assert app.run_screen.view.events.top == 1
        await pilot.press("G")
        await pilot.pause()
        assert any("stage 1 begins" in line for line in fake.lines(app))
        await pilot.press("g")
        assert app.run_screen.view.events.top == 0

    fake.play(app, gesture)


@pytest.mark.parametrize(("left", "right"), [("h", "l"), ("left", "right")])
def test_crosshair(fake, app, left, right):
    async def gesture(app, pilot):
        await pilot.press(left, left, left)
        await pilot.pause()
        at = look_of(app).at
        assert row(fake, app, "╵0", "▲")
        assert re.search(r"at step [56]\d\d  E\[σ²\] 0\.0\d+  KL 1\.\d+", row(fake, app, "at step", "nats"))
        await pilot.press(right)
        assert look_of(app).at > at
        await pilot.press(right, right)
        assert look_of(app).at is None

    fake.play(app, gesture)


def test_the_crosshair_stops_at_the_first_column(fake):
    source = fake.Source(fake.stage(), shown={1: 4})
    app = fake.App(source, clock=fake.Clock(fake.when(fake.stage(), 4)))

    def look(app):
        assert look_of(app).at == 0

    play_keys(fake, app, ["left"] * 6, look)


@pytest.mark.parametrize("key", ["end", "escape"])
def test_crosshair_off(fake, app, key):
    def look(app):
        assert look_of(app).at is None

    play_keys(fake, app, ["left", "left", key], look)


def test_crosshair_in_a_chart_that_stands_alone(fake, app):
    async def gesture(app, pilot):
        await pilot.press("tab", "enter", "left", "left")
        await pilot.pause()
        assert 500 < look_of(app).at < 700

    fake.play(app, gesture)


def test_other_stage_and_back(fake):
    first, second = fake.stage(), fake.stage(latents=32, number=2, steps=400)
    source = fake.Source(first, second, shown={1: 1200, 2: 300})
    app = fake.App(source, clock=fake.Clock(fake.when(second, 300)))

    async def gesture(app, pilot):
        assert "t stage 1" in fake.lines(app)[-1]
        await pilot.press("t")
        await pilot.pause()
        app.step()
        await pilot.pause()
        assert [want.stage for want in source.wants[-2:]] == [1, None]
        assert "stage 1" in fake.lines(app)[0]
        assert "64 by wake" in fake.lines(app)[3]
        await pilot.press("t")
        await pilot.pause()
        app.step()
        await pilot.pause()
        assert source.wants[-1].stage is None
        assert "32 by wake" in fake.lines(app)[3]

    fake.play(app, gesture)


def test_no_other_stage(fake, app):
    def look(app):
        assert app.poller.asked.stage is None
        assert "stage 2" not in fake.lines(app)[-1]

    play_keys(fake, app, ["t"], look)


def test_keys_on_an_empty_screen_do_no_harm(fake):
    source = fake.Source(fake.stage(), shown={1: 0}, state=RunState.WAITING)
    keys = [key for binding in RUN_KEYS for key in binding.key.split(",") if key not in ("question_mark", "enter")]

    def look(app):
        assert any("Waiting for" in line for line in fake.lines(app))

    play_keys(fake, fake.App(source, clock=fake.Clock()), keys, look)


def test_wheel_and_click(fake, app):
    async def gesture(app, pilot):
        wall = app.run_screen.view.wall
        await pilot.click(offset=(20, 9))
        await pilot.pause()
        assert app.run_screen.picture().chosen == app.run_screen.picture().order[10]
        await pilot.click(offset=(20, 9))
        await pilot.pause()
        assert app.run_screen.picture().chosen == app.run_screen.picture().order[11]
        wall.wheel(1)
        assert wall.top == 3
        wall.wheel(-1)
        assert wall.top == 0
        await pilot.click(offset=(60, 10))
        assert focused(app) == "Chart"

    fake.play(app, gesture, (80, 24))
