"""The views: any of them, of any run, at any size; and the way there and back."""

import pytest

from vaemon.batch import RunState
from vaemon.errors import SourceLost
from vaemon.watch.views.catalogue import VIEWS

SIZES = [(120, 40), (1, 1), (200, 60), (40, 10), (80, 24)]
FEWER = [(1, 1), (80, 24)]


def source_of(fake, kind):
    if kind == "waiting":
        return fake.Source(fake.stage(), shown={1: 0}, state=RunState.WAITING)
    if kind == "lost":
        return fake.Source(fake.stage(), shown={1: 700})
    if kind == "running":
        return fake.Source(fake.stage(), shown={1: 700})
    latents = int(kind.split()[0])
    return fake.Source(fake.Stage(latents=latents, steps=120, per_epoch=50), state=RunState.FINISHED)


KINDS = ["running", "waiting", "lost", "0 latents", "2 latents", "512 latents", "4096 latents"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_view_of_every_run_is_drawn_at_every_size(fake, kind):
    source = source_of(fake, kind)
    app = fake.App(source, clock=fake.Clock(fake.when(fake.stage(), 700)))

    async def gesture(app, pilot):
        if kind == "lost":
            source.broken = SourceLost("no route to host")
        for size in SIZES if kind == "running" else FEWER:
            await pilot.resize_terminal(*size)
            for number in VIEWS:
                await app.run_screen.action_view(number)
                app.step()
                await pilot.pause()
                check(fake, app, size)
        for number in VIEWS:
            await pilot.press(str(number), "j", "left", "f", "plus", "f", "0", "G")
            check(fake, app, size)

    fake.play(app, gesture)


def check(fake, app, size):
    seen = fake.lines(app)
    assert len(seen) == size[1]
    if size[0] >= 40:
        assert "run42" in seen[0]
    strips = app.screen._compositor.render_strips()
    assert {strip.cell_length for strip in strips} == {size[0]}


def test_digits_pick_the_views_and_brackets_turn_them(fake):
    app = fake.App(fake.Source(fake.stage(), shown={1: 700}), clock=fake.Clock(fake.when(fake.stage(), 700)))

    async def gesture(app, pilot):
        numbers, screen = sorted(VIEWS), app.run_screen
        for number in numbers:
            await pilot.press(str(number))
            assert (screen.number, type(screen.view)) == (number, VIEWS[number])
            assert [view.display for view in screen._views.values()].count(True) == 1
        await pilot.press("1")
        turned = []
        for _ in numbers:
            await pilot.press("]")
            turned.append(screen.number)
        assert turned == [*numbers[1:], 1]
        await pilot.press("[")
        assert screen.number == numbers[-1]

    fake.play(app, gesture)


def test_esc_leads_back_layer_by_layer_and_never_quits(fake):
    app = fake.App(fake.Source(fake.stage(), shown={1: 700}), clock=fake.Clock(fake.when(fake.stage(), 700)))

    async def gesture(app, pilot):
        screen = app.run_screen
        await pilot.press("3", "5", "3", "plus", "left", "f")
        await pilot.pause()
        seen = []
        for _ in range(7):
            look = screen.look
            seen.append((screen.number, screen.view.solo is not None, look.at is not None, look.window is not None))
            await pilot.press("escape")
            await pilot.pause()
        assert seen == [
            (3, True, True, True),
            (3, False, True, True),
            (3, False, False, True),
            (3, False, False, False),
            (5, False, False, False),
            (1, False, False, False),
            (1, False, False, False),
        ]
        assert app.is_running

    fake.play(app, gesture)


def test_enter_on_the_wall_leads_into_a_latent_and_esc_back(fake):
    app = fake.App(fake.Source(fake.stage(), shown={1: 700}), clock=fake.Clock(fake.when(fake.stage(), 700)))

    async def gesture(app, pilot):
        screen = app.run_screen
        await pilot.press("j", "j", "enter")
        await pilot.pause()
        app.step()
        await fake.settle(app, pilot)
        order = screen.picture().order
        assert screen.number == 4
        assert app.poller.asked.latent == order[2]
        text = "\n".join(fake.lines(app))
        assert f"z{order[2]} " in text
        assert "rank" in text
        assert screen.shown.portrait.latent == order[2]
        await pilot.press("j")
        await pilot.pause()
        app.step()
        await fake.settle(app, pilot)
        assert screen.shown.portrait.latent == order[3]
        await pilot.press("escape")
        await pilot.pause()
        assert screen.number == 1
        assert screen.picture().chosen == order[3]

    fake.play(app, gesture)


def test_enter_on_an_event_leads_to_its_moment_on_the_wall(fake):
    app = fake.App(fake.Source(fake.stage(), shown={1: 700}), clock=fake.Clock(fake.when(fake.stage(), 700)))

    async def gesture(app, pilot):
        screen = app.run_screen
        await pilot.press("5", "j", "j")
        await pilot.pause()
        line = app.focused.chosen
        await pilot.press("enter")
        await fake.settle(app, pilot)
        assert screen.number == 1
        assert screen.shown.columns.step[screen.shown.columns.place(screen.look.at)] >= line.step
        assert abs(screen.look.at + 1 - line.step) <= screen.shown.columns.width
        assert screen.picture().chosen == line.latent
        assert any(f"z{line.latent} " in each and "at step" in each for each in fake.lines(app))

    fake.play(app, gesture)


def test_an_event_of_another_stage_is_gone_to_once_that_stage_is_here(fake):
    first, second = fake.stage(), fake.stage(latents=32, number=2, steps=400)
    source = fake.Source(first, second, shown={1: 1200, 2: 300})
    app = fake.App(source, clock=fake.Clock(fake.when(second, 300)))

    async def gesture(app, pilot):
        screen = app.run_screen
        await pilot.press("5", "slash", *"woke")
        await pilot.press("enter", "G", "k", "k")
        await pilot.pause()
        line = app.focused.chosen
        assert line.stage == 1
        await pilot.press("enter")
        await pilot.pause()
        assert screen.look.at is None
        app.step()
        await fake.settle(app, pilot)
        assert (screen.shown.stage, screen.number) == (1, 1)
        assert abs(screen.look.at + 1 - line.step) <= screen.shown.columns.width
        assert screen.picture().chosen == line.latent

    fake.play(app, gesture)


def test_an_event_of_the_newest_stage_leads_back_to_following_the_newest(fake):
    stages = [fake.stage(latents=32, number=number, steps=400) for number in (1, 2, 3)]
    source = fake.Source(*stages, shown={1: 400, 2: 300})
    app = fake.App(source, clock=fake.Clock(fake.when(stages[1], 300)))

    async def gesture(app, pilot):
        screen = app.run_screen
        await pilot.press("t")
        app.step()
        await fake.settle(app, pilot)
        assert screen.shown.stage == 1
        await pilot.press("5", "g", "enter")
        app.step()
        await fake.settle(app, pilot)
        assert screen.shown.stage == 2
        source.shown[3] = 100
        app.step()
        await fake.settle(app, pilot)
        assert screen.shown.stage == 3

    fake.play(app, gesture)


def test_the_events_choose_by_key_and_mouse(fake):
    app = fake.App(fake.Source(fake.stage(), shown={1: 700}), clock=fake.Clock(fake.when(fake.stage(), 700)))

    async def gesture(app, pilot):
        await pilot.press("5", "j", "j")
        panel = app.focused
        assert panel.place == 2
        await pilot.press("G")
        assert "begins" in panel.chosen.text
        await pilot.press("g")
        await pilot.click(panel, offset=(10, 4))
        await pilot.pause()
        assert (panel.place, app.run_screen.number) == (3, 5)
        await pilot.click(panel, offset=(10, 4))
        await fake.settle(app, pilot)
        assert app.run_screen.number == 1

    fake.play(app, gesture)


def test_next_run_and_the_one_before(fake):
    stages = [fake.stage(latents=latents) for latents in (64, 32, 12)]
    sources = [
        fake.Source(stage, shown={1: 700}, name=name) for stage, name in zip(stages, ("one", "two", "six"), strict=True)
    ]
    app = fake.App(
        sources[0],
        others=[("two", sources[1]), ("six", sources[2])],
        title="one",
        clock=fake.Clock(fake.when(fake.stage(), 700)),
    )

    async def gesture(app, pilot):
        screen, seen = app.run_screen, []
        assert "next run" in "\n".join(fake.lines(app))
        await pilot.press("o", "p")
        await pilot.pause()
        for key in ("n", "n", "n", "N"):
            await pilot.press(key)
            await fake.settle(app, pilot)
            seen.append((screen.picture().name, screen.shown.latents, screen.look.order, len(screen.look.pins)))
            assert f" {seen[-1][0]} " in fake.lines(app)[0]
            assert [seat.poller.is_watched for seat in app.seats].count(True) == 1
        assert seen == [
            ("two", 32, "wake", 0),
            ("six", 12, "wake", 0),
            ("one", 64, "variance", 1),
            ("six", 12, "wake", 0),
        ]

    fake.play(app, gesture)


def test_of_one_run_there_is_no_next(fake):
    app = fake.App(fake.Source(fake.stage(), shown={1: 700}), clock=fake.Clock(fake.when(fake.stage(), 700)))

    async def gesture(app, pilot):
        await pilot.press("n", "N")
        await pilot.pause()
        assert app.place == 0
        assert "next run" not in "\n".join(fake.lines(app))

    fake.play(app, gesture)
