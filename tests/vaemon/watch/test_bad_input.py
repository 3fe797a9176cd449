"""Names, clocks and numbers that nobody expects: no cell is displaced, no state is in doubt."""

from dataclasses import replace

import numpy as np
import pytest

from vaemon.batch import Event, RunState
from vaemon.errors import SourceLost
from vaemon.watch.views.catalogue import VIEWS

NAMES = {
    "controls": "a\x1b[2Jb\x07c\x00d\x9be\nf\tg",
    "right-to-left": "a\u202eb\u2066c\u200fd\u061ce",
    "wide": "潜在変数の収束" * 4,
    "emoji": "run 🔥👩‍🔬🇩🇪❤️\ufe0f" * 3,
    "combining": "e\u0301" * 30,
    "no width": "\u200b\ufeff\u00ad" * 20,
    "halves": "a\ud800b",
    "endless": "x" * 5000,
    "markup": "[bold red]run[/] [@click=app.quit]q[/]",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_no_name_displaces_a_cell(fake, name):
    source = fake.Source(
        fake.stage(latents=12), shown={1: 700}, name=name, state=RunState.FAILED, reason=f"it failed at {name}"
    )
    answer = source._answer

    def with_events(*asked):
        batch = answer(*asked)
        told = (Event(600, fake.CREATED + 20, 1, "note", text=name), Event(610, fake.CREATED + 21, 1, name, text=name))
        return replace(batch, events=(*batch.events, *told), events_anew=True)

    source._answer = with_events
    app = fake.App(source, clock=fake.Clock(fake.when(fake.stage(latents=12), 700)), title=name)

    async def gesture(app, pilot):
        # Every view where all is told; where there is little room, those with most words.
        for size, numbers in (((120, 40), VIEWS), ((40, 10), (1, 5, 9)), ((7, 3), (1,))):
            await pilot.resize_terminal(*size)
            for number in numbers:
                await app.run_screen.action_view(number)
                app.step()
                await pilot.pause()
                for strip in app.screen._compositor.render_strips():
                    assert strip.cell_length == size[0] == sum(segment.cell_length for segment in strip)
                    assert strip.text.isprintable()

    fake.play(app, gesture)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_no_name_displaces_what_is_told_of_a_run_that_is_not_there(fake, name):
    source = fake.Source(fake.stage(), shown={1: 0}, state=RunState.WAITING, name=name)
    app = fake.App(source, clock=fake.Clock(), title=name)

    async def gesture(app, pilot):
        for broken in (None, SourceLost(name)):
            source.broken = broken
            app.step()
            for size in ((80, 24), (20, 30)):
                await pilot.resize_terminal(*size)
                await pilot.pause()
                for strip in app.screen._compositor.render_strips():
                    assert strip.cell_length == size[0] == sum(segment.cell_length for segment in strip)
                    assert strip.text.isprintable()

    fake.play(app, gesture)


def test_a_wide_name_is_told_in_full_over_several_lines(fake):
    name = "".join(chr(0x4E00 + i) for i in range(30))
    source = fake.Source(fake.stage(), shown={1: 0}, state=RunState.WAITING, name=name)

    async def gesture(app, pilot):
        assert set(name) <= set("".join(fake.lines(app)[5:]))

    fake.play(fake.App(source, clock=fake.Clock()), gesture, (30, 24))


@pytest.mark.parametrize("hours", [-5, 5])
def test_the_readers_clock_jumps(fake, hours):
    source, clock = fake.Source(fake.stage(), shown={1: 700}), fake.Clock(fake.when(fake.stage(), 700))
    app = fake.App(source, clock=clock)

    async def gesture(app, pilot):
        clock.now += 3600 * hours
        app.run_screen._tick()
        await pilot.pause()
        head = fake.lines(app)[0]
        assert ("running" in head) if hours < 0 else ("stalled 5 h" in head)
        assert "-" not in head.replace("run42", "")
        source.shown[1] += 20
        app.step()
        await pilot.pause()
        assert "running" in fake.lines(app)[0]
        clock.now += 33
        app.run_screen._tick()
        await pilot.pause()
        assert "stalled 33 s" in fake.lines(app)[0]
        clock.now -= 3600 * hours
        source.shown[1] += 20
        app.step()
        await pilot.pause()
        assert "running" in fake.lines(app)[0]

    fake.play(app, gesture)


@pytest.mark.parametrize("hours", [-5.0, 5.0])
def test_recorded_times_jump(fake, hours):
    stage = fake.Stage(latents=8, steps=600)
    stage.rows["time"] = stage.rows["time"] + np.where(np.arange(600) >= 300, 3600 * hours, 0.0)
    source = fake.Source(stage, shown={1: 500})
    app = fake.App(source, clock=fake.Clock(float(stage.rows["time"].max()) + 1))

    async def gesture(app, pilot):
        for _ in range(3):
            await pilot.press("x")
            for number in VIEWS:
                await app.run_screen.action_view(number)
                app.step()
                await pilot.pause()
                head = fake.lines(app)[0]
                assert "running" in head or "stalled" in head
                assert "-" not in head
        await pilot.press("1", "left", "left", "plus", "plus", "E", "end")
        source.state = RunState.FINISHED
        source.shown[1] = 600
        app.step()
        await pilot.pause()
        assert "finished" in fake.lines(app)[0]

    fake.play(app, gesture)
