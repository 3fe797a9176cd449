"""The app around the screen: frames, ends, terminals."""

import asyncio
import inspect
import io
import subprocess
import sys
from types import SimpleNamespace

import pytest
from textual.drivers._writer_thread import WriterThread
from textual.drivers.headless_driver import HeadlessDriver
from textual.drivers.linux_driver import LinuxDriver

from vaemon.batch import RunState
from vaemon.errors import SourceLost, VaemonError
from vaemon.view.lookout import Seen
from vaemon.watch.app import WatchApp, watch
from vaemon.watch.asked import Asked
from vaemon.watch.messages import SourceAsked, ViewChanged
from vaemon.watch.render import palette
from vaemon.watch.screens import run as run_module
from vaemon.watch.screens.backlog import writer_backlog
from vaemon.watch.views.home import HomeView
from vaemon.watch.widgets.picture import Picture


class CountingDriver(HeadlessDriver):
    """A terminal that takes everything and counts it."""

    sent = 0

    @property
    def is_headless(self):
        return False

    def write(self, data):
        type(self).sent += len(data.encode())


def test_a_newer_view_takes_the_place_of_an_older_one():
    assert ViewChanged(None).can_replace(ViewChanged(None))
    assert not ViewChanged(None).can_replace(SourceAsked(Asked()))
    assert not ViewChanged(None).can_replace(ViewChanged(None, seat=1))


def test_the_thread_brings_the_run_to_the_screen(fake):
    source = fake.Source(fake.stage(), shown={1: 700})
    app = WatchApp(source, hz=50.0, clock=fake.Clock(fake.when(fake.stage(), 700)))

    async def gesture(app, pilot):
        while "step 700" not in fake.lines(app)[0]:
            await pilot.pause(0.01)
        source.shown[1] = 800
        while "step 800" not in fake.lines(app)[0]:
            await pilot.pause(0.01)

    fake.play(app, gesture)
    assert not source.closed


def test_the_thread_changes_the_stage(fake):
    first, second = fake.stage(), fake.stage(latents=32, number=2, steps=400)
    source = fake.Source(first, second, shown={1: 1200, 2: 300})
    app = WatchApp(source, hz=50.0, clock=fake.Clock(fake.when(second, 300)))

    async def gesture(app, pilot):
        while "stage 2" not in fake.lines(app)[0]:
            await pilot.pause(0.01)
        await pilot.press("t")
        while "stage 1" not in fake.lines(app)[0]:
            await pilot.pause(0.01)

    fake.play(app, gesture)


def test_a_source_that_comes_back(fake):
    source = fake.Source(fake.stage(), shown={1: 700})
    source.broken = SourceLost("no route to host")
    app = WatchApp(source, hz=50.0, clock=fake.Clock(fake.when(fake.stage(), 700)), title="run42")

    async def gesture(app, pilot):
        while not any("no route to host" in line for line in fake.lines(app)):
            await pilot.pause(0.01)
        source.broken = None
        while "running" not in fake.lines(app)[0]:
            await pilot.pause(0.01)

    fake.play(app, gesture)


def test_a_fault_of_our_own_closes_the_dashboard_and_is_told(fake, monkeypatch):
    source = fake.Source(fake.stage())
    source.broken = ZeroDivisionError("a bug")
    app = WatchApp(source, hz=50.0)

    async def gesture(app, pilot):
        while app.is_running:
            await pilot.pause(0.01)

    fake.play(app, gesture)
    assert isinstance(app.failure, ZeroDivisionError)
    monkeypatch.setattr(WatchApp, "run", lambda self: setattr(self, "failure", ZeroDivisionError("a bug")))
    with pytest.raises(VaemonError, match="ZeroDivisionError: a bug"):
        watch(source)


class over:
    """A lookout that is done when the run is over."""

    def see(self, view, fares):
        return Seen(view, done=view.info is not None and view.info.state.over)


def test_it_closes_by_itself_when_the_run_is_over(fake):
    source = fake.Source(fake.stage(), state=RunState.FINISHED)
    app = fake.App(source, lookouts=[over()], linger=0.02, clock=fake.Clock(fake.when(fake.stage(), 1200)))

    async def gesture(app, pilot):
        while app.is_running:
            await pilot.pause(0.01)

    fake.play(app, gesture)
    assert app.return_code == 0


def test_a_key_keeps_it_open(fake):
    source = fake.Source(fake.stage(), state=RunState.FINISHED)
    app = fake.App(source, lookouts=[over()], linger=60.0, clock=fake.Clock(fake.when(fake.stage(), 1200)))

    async def gesture(app, pilot):
        assert "closes in 60 s, any key keeps it open" in fake.lines(app)[-1]
        await pilot.press("j")
        await pilot.pause()
        assert "closes" not in fake.lines(app)[-1]
        app.step()
        await pilot.pause()
        assert "closes" not in fake.lines(app)[-1]

    fake.play(app, gesture, (120, 40))


def test_a_run_that_goes_on_does_not_close(fake):
    app = fake.App(fake.Source(fake.stage()), lookouts=[over()], linger=0.0)

    async def gesture(app, pilot):
        await pilot.pause()
        assert app.is_running

    fake.play(app, gesture)


def frames(fake, stage, start, step, ticks, size=(120, 40)):
    """Bytes sent to the terminal for each of the ticks of a live run."""
    source, clock = fake.Source(stage, shown={1: start}), fake.Clock()
    app = fake.App(source, clock=clock, driver_class=CountingDriver)
    sizes = []

    async def run():
        async with app.run_test(headless=False, size=size) as pilot:
            for tick in range(ticks):
                source.shown[1] = start + tick * step
                clock.now = fake.when(stage, source.shown[1])
                CountingDriver.sent = 0
                app.step()
                await pilot.pause(0.02)
                await pilot.pause()
                sizes.append(CountingDriver.sent)

    asyncio.run(run())
    return sorted(sizes[2:])


def test_a_tick_of_a_live_run_sends_few_bytes(fake):
    """64 latents, 20 rows a second; the bars stand some way above what was measured: 1,500 and 4,800 bytes."""
    sizes = frames(fake, fake.Stage(steps=4400, rate=20.0), 4000, 10, 32)
    assert sizes[len(sizes) // 2] < 2500
    assert sizes[-1] < 8000


def test_nothing_is_sent_when_nothing_is_new(fake):
    assert set(frames(fake, fake.stage(), 600, 0, 8)) == {0}


def test_no_frame_is_drawn_while_the_terminal_is_behind(fake, monkeypatch):
    source = fake.Source(fake.stage(), shown={1: 700})
    app = fake.App(source, clock=fake.Clock(fake.when(fake.stage(), 700)))
    behind = [0]
    monkeypatch.setattr(run_module, "writer_backlog", lambda app: behind[0])

    async def gesture(app, pilot):
        behind[0] = 3
        source.shown[1] = 800
        app.step()
        await pilot.pause()
        assert "step 700" in fake.lines(app)[0]
        behind[0] = 0
        app.run_screen._tick()
        await pilot.pause()
        assert "step 800" in fake.lines(app)[0]

    fake.play(app, gesture)


def test_the_backlog_is_that_of_textuals_writer():
    thread = WriterThread(io.StringIO())
    thread.write("one")
    thread.write("two")
    app = SimpleNamespace(_driver=SimpleNamespace(_writer_thread=thread))
    assert writer_backlog(app) == 2
    assert writer_backlog(SimpleNamespace(_driver=None)) == 0
    assert "self._writer_thread = WriterThread(" in inspect.getsource(LinuxDriver)


def test_a_screen_that_is_not_in_front_is_drawn_when_it_comes_back(fake):
    source = fake.Source(fake.stage(), shown={1: 700})
    app = fake.App(source, clock=fake.Clock(fake.when(fake.stage(), 700)))

    async def gesture(app, pilot):
        await pilot.press("question_mark")
        source.shown[1] = 800
        app.step()
        await pilot.pause()
        assert app.run_screen._header.picture.view.rows == 700
        await pilot.press("escape")
        await pilot.pause()
        assert "step 800" in fake.lines(app)[0]

    fake.play(app, gesture)


def test_a_run_grows_old_by_itself(fake):
    source, clock = fake.Source(fake.stage(), shown={1: 700}), fake.Clock(fake.when(fake.stage(), 700))
    app = fake.App(source, clock=clock)

    async def gesture(app, pilot):
        assert "running" in fake.lines(app)[0]
        clock.now += 33
        app.run_screen._tick()
        await pilot.pause()
        assert "▲ stalled 33 s" in fake.lines(app)[0]

    fake.play(app, gesture)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 2), (20, 5), (79, 17), (300, 4)])
def test_any_size_is_survived(fake, size):
    source = fake.Source(fake.stage(), shown={1: 700})
    app = fake.App(source, clock=fake.Clock(fake.when(fake.stage(), 700)))

    async def gesture(app, pilot):
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        await pilot.resize_terminal(*size)
        await pilot.press("enter", "tab", "left", "enter", "G")
        await pilot.pause()
        assert len(fake.lines(app)) == size[1]

    fake.play(app, gesture, size)


def test_one_line_is_still_of_use(fake):
    source = fake.Source(fake.stage(), shown={1: 700})
    app = fake.App(source, clock=fake.Clock(fake.when(fake.stage(), 700)))

    async def gesture(app, pilot):
        assert fake.lines(app)[0].startswith(" run42  ● running  step 700/1,200")

    fake.play(app, gesture, (40, 3))


def test_hostile_words_do_not_reach_the_terminal(fake):
    source = fake.Source(
        fake.stage(), shown={1: 700}, name="a\x1b]0;x\x07[red]b", state=RunState.FAILED, reason="no\n\x9b2J"
    )
    app = fake.App(source, clock=fake.Clock(fake.when(fake.stage(), 700)))

    async def gesture(app, pilot):
        text = "\n".join(fake.lines(app))
        assert not any(ord(sign) < 0x20 for sign in text.replace("\n", ""))
        assert "\x9b" not in text
        assert "a?]0;x?[red]b" in text

    fake.play(app, gesture)


@pytest.mark.parametrize(
    ("environment", "light", "chosen"),
    [
        ({"COLORTERM": "truecolor"}, None, palette.DARK),
        ({"COLORTERM": "truecolor"}, True, palette.LIGHT),
        ({"COLORTERM": "truecolor", "COLORFGBG": "0;15"}, None, palette.LIGHT),
        ({"COLORTERM": "truecolor", "COLORFGBG": "15;0"}, None, palette.DARK),
        ({"COLORTERM": "truecolor", "COLORFGBG": "0;15"}, False, palette.DARK),
        ({"COLORTERM": "", "TERM": "xterm-256color"}, None, palette.DARK),
        ({"COLORTERM": "", "TERM": "xterm"}, None, palette.SIXTEEN_DARK),
        ({"COLORTERM": "", "TERM": "xterm"}, True, palette.SIXTEEN_LIGHT),
        ({"NO_COLOR": "1"}, None, palette.MONO_DARK),
        ({"NO_COLOR": "1"}, True, palette.MONO_LIGHT),
    ],
)
def test_the_palette_fits_the_terminal(fake, monkeypatch, environment, light, chosen):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert WatchApp(fake.Source(fake.stage()), light=light).theme == chosen.name


def test_no_color_sends_no_colour(fake, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    source = fake.Source(fake.stage(), shown={1: 700})
    app = fake.App(source, clock=fake.Clock(fake.when(fake.stage(), 700)))

    async def gesture(app, pilot):
        strips = app.screen._compositor.render_strips()
        for _, style, _ in (segment for strip in strips for segment in strip):
            assert style is None or {colour.name for colour in (style.color, style.bgcolor) if colour} <= {"default"}
        drawn = "".join(strip.text for strip in strips)
        assert all(shade in drawn for shade in "░▒▓█·")

    fake.play(app, gesture)


@pytest.mark.parametrize(
    ("ssh", "hz", "period"), [(None, None, 0.5), ("1.2.3.4 5 6 7", None, 1.0), ("1.2.3.4 5 6 7", 4.0, 0.25)]
)
def test_frames_a_second(fake, monkeypatch, ssh, hz, period):
    if ssh:
        monkeypatch.setenv("SSH_CONNECTION", ssh)
    app = WatchApp(fake.Source(fake.stage()), hz=hz)
    assert app.poller.pace(app.poller.ask(app.run_screen.picture().view, Asked()), 0) == period


def test_the_dashboard_loads_nothing_heavy():
    question = "import sys, vaemon.watch.app; print(*sorted({'torch', 'scipy', 'plotext', 'h5py'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == ""


def test_a_picture_before_the_screen_has_come_to_rest_does_no_harm(fake):
    view = HomeView(fake.App(fake.Source(fake.stage())).pen)
    view.show(Picture())
    assert len(view.charts) == 4
