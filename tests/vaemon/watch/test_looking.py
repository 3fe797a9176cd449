"""How a run is looked at while it changes below: other stages, other runs, a pause, events between recorded steps."""

import asyncio

import numpy as np

from vaemon.batch import Event, RunState
from vaemon.view.state import RunView
from vaemon.watch.app import WatchApp
from vaemon.watch.screens.curtain import Curtain
from vaemon.watch.screens.looking import row_of, rows_of


def app_of(fake, *sources, **options):
    first, *others = sources
    named = [(each.name, each) for each in others]
    return fake.App(first, title=first.name, others=named, clock=fake.Clock(fake.when(fake.stage(), 1200)), **options)


def body(fake, app):
    return "\n".join(fake.lines(app)[4:])


def test_of_two_runs_of_the_same_length_each_has_its_own_lines(fake):
    runs = [
        fake.Source(fake.Stage(steps=1200, seed=seed), name=name, state=RunState.FINISHED)
        for seed, name in ((1, "alpha"), (2, "beta"))
    ]

    async def look(app, pilot):
        for view in ("3", "2"):
            await pilot.press(view)
            await fake.settle(app, pilot)
            alpha = body(fake, app)
            await pilot.press("n")
            await fake.settle(app, pilot)
            shown = body(fake, app)
            assert app.seat.name == "beta"
            plots = [line for line in zip(alpha.splitlines(), shown.splitlines(), strict=True) if line[0] != line[1]]
            assert len(plots) > 12, "titles alone differ: the lines are those of the other run"
            await pilot.press("N")
            await fake.settle(app, pilot)

    fake.play(app_of(fake, *runs), look)


def two_stages(fake, shown):
    stages = fake.stage(), fake.stage(latents=16, number=2)
    return fake.Source(*stages, name="alpha", shown=shown)


def test_a_new_stage_is_seen_whole_whatever_was_seen_closely_of_the_one_before(fake):
    source = two_stages(fake, {1: 1200})

    async def look(app, pilot):
        await pilot.press("+", "+", "left", "p")
        source.shown[2] = 100
        app.step()
        look = app.run_screen.look
        assert (look.at, look.window, look.latent) == (None, None, None)
        assert look.pins == frozenset(), "they are other latents"

    fake.play(app_of(fake, source), look)


def test_pins_are_of_a_stage_and_there_again_when_it_is(fake):
    source = two_stages(fake, {1: 1200, 2: 100})

    async def to_other_stage(app, pilot):
        await pilot.press("t")
        app.step()
        await fake.settle(app, pilot)

    async def look(app, pilot):
        pins = []
        for keys in (["j", "j", "p"], ["j", "p"], [], []):
            await pilot.press(*keys)
            pins.append((app.run_screen.shown.stage, app.run_screen.look.pins))
            await to_other_stage(app, pilot)
        assert [stage for stage, _ in pins] == [2, 1, 2, 1]
        assert pins[0][1] != pins[1][1]
        assert [len(each) for _, each in pins] == [1, 1, 1, 1]
        assert pins[2:] == pins[:2]

    fake.play(app_of(fake, source), look)


def test_after_a_pause_over_a_new_stage_it_is_seen_whole(fake):
    source = two_stages(fake, {1: 1200})

    async def look(app, pilot):
        await pilot.press("+", "+", "space")
        source.shown[2] = 100
        app.step()
        assert (app.run_screen.shown.stage, app.run_screen.look.window is None) == (1, False)
        await pilot.press("space")
        assert (app.run_screen.shown.stage, app.run_screen.look.window) == (2, None)

    fake.play(app_of(fake, source), look)


def test_back_at_a_run_whose_older_stage_was_seen_closely_the_newest_is_seen_whole(fake):
    source, other = two_stages(fake, {1: 1200, 2: 600}), fake.Source(fake.stage(), name="beta")

    async def look(app, pilot):
        await pilot.press("1", "t")
        app.step()
        await pilot.press("+", "+", "left")
        assert app.run_screen.shown.stage == 1
        await pilot.press("n")
        app.step()
        await pilot.press("N")
        app.step()
        assert (app.run_screen.shown.stage, app.run_screen.look.window, app.run_screen.look.at) == (2, None, None)

    fake.play(app_of(fake, source, other), look)


def test_a_paused_picture_is_looked_into_closely_but_not_beyond_its_end(fake):
    source = fake.Source(fake.Stage(steps=4000), shown={1: 3000})

    async def look(app, pilot):
        await pilot.press("space", "+", "+", "+", "+")
        source.shown[1] = 3100
        app.step()
        columns = app.run_screen.picture().columns
        assert columns.width == 1
        assert columns.rows == 3000

    fake.play(app_of(fake, source), look)


def test_events_between_recorded_steps_are_gone_through_one_by_one_both_ways(fake):
    stage = fake.Stage(steps=2000)
    stage.rows = {**stage.rows, "step": 10 * stage.rows["step"]}
    steps = (1004, 1014, 1119, 1337, 1903)
    stage.events = [Event(step, stage.begins, 1, "evaluation", text='{"mse": 1}') for step in steps]

    async def look(app, pilot):
        rows = sorted({row_of(app.run_screen.shown, step) for step in steps})
        assert len(rows) > 3
        seen = []
        for _ in range(len(rows) + 1):
            await pilot.press("E")
            seen.append(app.run_screen.look.at)
        assert seen == [*rows[::-1], rows[0]]
        seen = []
        for _ in range(len(rows)):
            await pilot.press("e")
            seen.append(app.run_screen.look.at)
        assert seen == [*rows[1:], None]

    fake.play(app_of(fake, fake.Source(stage, state=RunState.FINISHED)), look)


def test_rows_of_steps_rise_with_them():
    assert rows_of(RunView(), np.array([3, 5])).tolist() == [0, 0]


def test_right_leads_off_the_newest_column_though_rows_beyond_it_are_not_in_one_yet(fake):
    source = fake.Source(fake.Stage(steps=2051), state=RunState.FINISHED)

    async def look(app, pilot):
        assert app.run_screen.shown.columns.rows < app.run_screen.shown.rows
        app.run_screen.look_so(at=app.run_screen.shown.columns.rows - 1)
        for _ in range(3):
            await pilot.press("right")
        assert app.run_screen.look.at is None

    fake.play(app_of(fake, source), look, size=(700, 40))


def test_an_event_told_late_is_marked_where_it_happened(fake):
    stage = fake.Stage(steps=1200, latents=4, awake=0.0)
    source = fake.Source(stage, state=RunState.FINISHED)
    stage.events = []

    async def look(app, pilot):
        await pilot.press("3")
        await fake.settle(app, pilot)
        before = body(fake, app)
        stage.events = [Event(600, stage.begins, 1, "error", text="late")]
        app.step()
        await fake.settle(app, pilot)
        assert body(fake, app) != before

    fake.play(app_of(fake, source), look)


def test_an_event_of_the_first_column_is_marked(fake):
    stage = fake.Stage(steps=4000, latents=4, awake=0.0)
    stage.events = []

    async def look(app, pilot):
        await pilot.press("3")
        await fake.settle(app, pilot)
        before = body(fake, app)
        assert app.run_screen.shown.columns.width > 3
        stage.events = [Event(2, stage.begins, 1, "error", text="early")]
        app.step()
        await fake.settle(app, pilot)
        assert body(fake, app) != before

    fake.play(app_of(fake, fake.Source(stage, state=RunState.FINISHED)), look)


def test_what_is_written_while_paused_is_what_is_seen(fake, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = fake.Source(fake.Stage(steps=4000), shown={1: 500})

    async def look(app, pilot):
        await pilot.press("space")
        source.shown[1] = 900
        app.step()
        await pilot.press("w", "s")
        while not list(tmp_path.iterdir()):
            await pilot.pause(0.01)
        assert [each.name for each in tmp_path.iterdir()] == ["run42-latents-500.svg"]

    fake.play(app_of(fake, source), look)


def test_more_runs_are_watched_than_asyncio_has_threads(fake):
    sources = [fake.Source(fake.stage(8), name=f"run{i}") for i in range(24)]

    async def run():
        app = WatchApp(sources[0], title="run0", others=[(each.name, each) for each in sources[1:]])
        async with app.run_test() as pilot:
            for _ in range(500):
                if all(each.wants for each in sources):
                    return
                await pilot.pause(0.01)
        raise AssertionError(f"{sum(not each.wants for each in sources)} runs were never asked")

    asyncio.run(run())


def test_keys_in_the_list_of_runs_do_not_multiply_its_questions(fake):
    source = fake.Source(fake.stage())
    place = fake.Directory(source)

    async def look(app, pilot):
        set_timer, begun = app.set_timer, []
        app.set_timer = lambda *given, **options: begun.append(set_timer(*given, **options)) or begun[-1]
        await pilot.press("9")
        await fake.settle(app, pilot)
        for _ in range(5):
            await pilot.press("L")
            await fake.settle(app, pilot)
        assert place.asked > 3
        assert sum(timer._task is not None for timer in begun) == 1

    fake.play(app_of(fake, source, directory=place), look)


def test_a_run_with_a_strange_name_spoils_neither_palette_nor_curtain(fake):
    sources = [fake.Source(fake.stage(8), name=name) for name in ("a[/b]", "b\x1b]0;c\x07[red]")]

    async def look(app, pilot):
        await pilot.press("colon", *"run")
        await fake.settle(app, pilot)
        seen = "\n".join(fake.lines(app))
        assert "run a(/b)" in seen
        assert "\x1b" not in seen

    fake.play(app_of(fake, *sources), look, size=(100, 60))


def test_the_curtain_says_no_control_characters(fake):
    async def look(app, pilot):
        curtain = Curtain("a\x1b]0;b\x07", app._colours)
        await app.push_screen(curtain)
        await pilot.pause()
        assert "\x1b" not in fake.lines(app)[0]
        assert "a?]0;b?" in fake.lines(app)[0]

    fake.play(app_of(fake, fake.Source()), look)


def test_keys_draw_nothing_while_the_terminal_is_behind_and_what_they_changed_once_it_is_not(fake, monkeypatch):
    behind = []
    monkeypatch.setattr("vaemon.watch.screens.run.writer_backlog", lambda app: len(behind))

    async def look(app, pilot):
        seen = fake.lines(app)
        behind.append("a frame")
        await pilot.press("j", "+", "o")
        await pilot.pause(0.1)
        assert fake.lines(app) == seen
        behind.clear()
        await fake.settle(app, pilot)
        while fake.lines(app) == seen:
            await pilot.pause(0.01)

    fake.play(app_of(fake, fake.Source(fake.stage())), look)


def test_that_a_live_run_is_not_seen_at_its_newest_is_said(fake):
    async def look(app, pilot):
        def says():
            return "looking back" in fake.lines(app)[0]

        assert not says()
        for keys, told in ((["left"], True), (["+"] * 3, True), (["escape"], True), (["end"], False), (["t"], True)):
            await pilot.press(*keys)
            app.step()
            await fake.settle(app, pilot)
            assert says() is told, keys

    fake.play(app_of(fake, two_stages(fake, {1: 1200, 2: 1000})), look)


def test_esc_takes_the_crosshair_off_and_leaves_the_rows_in_sight(fake):
    async def look(app, pilot):
        await pilot.press(*["left"] * 10, "+", "+", "+")
        window = app.run_screen.look.window
        await pilot.press("escape")
        assert (app.run_screen.look.at, app.run_screen.look.window) == (None, window)

    fake.play(app_of(fake, fake.Source(fake.Stage(steps=4000))), look)


def test_under_the_crosshair_the_state_of_a_latent_is_that_of_then(fake):
    async def look(app, pilot):
        woke = app.run_screen.shown.woke
        latent = int(np.argmax(woke))  # the last to wake
        app.run_screen.go_to(int(woke[latent]) - 200, latent)
        await fake.settle(app, pilot)
        assert any(f"z{latent} ○ limbo  at step" in line for line in fake.lines(app))
        await pilot.press("end")
        await fake.settle(app, pilot)
        assert any(f"z{latent} ● active  E[σ²]" in line for line in fake.lines(app))

    fake.play(app_of(fake, fake.Source(fake.stage())), look)
