"""The dashboard with somebody who looks out: alerts, a condition to close at."""

import asyncio

import pytest
from textual.drivers.headless_driver import HeadlessDriver

from vaemon.batch import Event
from vaemon.errors import UnknownName
from vaemon.view.alerts import Told, among_events, look, parse_rule
from vaemon.view.lookout import Seen
from vaemon.watch.app import WatchApp, watch


class Guard:
    """Looks out for some rules, and is done at a step."""

    def __init__(self, *rules, until=10**9, escapes=""):
        self.rules = [parse_rule(rule) for rule in rules]
        self.until, self.escapes, self.troubles = until, escapes, ()
        self.told, self.alerts, self.kinds = Told(), [], []

    def see(self, view, fares):
        self.kinds.append(fares.kind)
        self.told, new = look(self.told, self.rules, view, fares)
        self.alerts += new
        step = view.latest.step if view.latest else 0
        escapes = self.escapes if new else ""
        return Seen(among_events(view, self.alerts), tuple(new), self.troubles, escapes, step >= self.until)


class Tape(HeadlessDriver):
    """A terminal that keeps everything."""

    written = ""

    @property
    def is_headless(self):
        return False

    def write(self, data):
        type(self).written += data


def app_of(fake, guard, rows=700, **options):
    source = fake.Source(fake.stage(), shown={1: rows})
    app = fake.App(source, clock=fake.Clock(fake.when(fake.stage(), rows)), lookouts=[guard], **options)
    return source, app


def test_an_alert_is_told_at_the_bottom_and_among_the_events(fake):
    source, app = app_of(fake, Guard("step>=800"))

    async def gesture(app, pilot):
        assert not any("alert" in line for line in fake.lines(app))
        source.shown[1] = 800
        app.step()
        await pilot.pause()
        assert "alert: step>=800: step 800" in fake.lines(app)[-1]
        assert any("▲ alert: step>=800: step 800" in line for line in fake.lines(app)[:-1])
        source.shown[1] = 900
        app.step()
        await pilot.pause()
        assert any("▲ alert: step>=800: step 800" in line for line in fake.lines(app)[:-1])

    fake.play(app, gesture, (160, 50))


def test_a_run_that_stalls_is_noticed_without_a_new_view(fake):
    guard = Guard("stall")
    _, app = app_of(fake, guard)

    async def gesture(app, pilot):
        app.poller._clock.now += 60
        app._look_again()
        await pilot.pause()
        assert "alert: stalled 1 min" in fake.lines(app)[-1]
        assert [alert.rule for alert in guard.alerts] == ["stall"]

    fake.play(app, gesture, (160, 50))


def two_stages(fake, guard, **options):
    first, second = fake.stage(number=1), fake.stage(number=2)
    source = fake.Source(first, second, shown={1: 1200, 2: 300})
    return source, fake.App(source, clock=fake.Clock(fake.when(second, 300)), lookouts=[guard], **options)


def test_the_newest_stage_is_looked_out_for_while_an_older_one_is_looked_at(fake):
    guard = Guard("step>=400 and stage=2", "stall")
    source, app = two_stages(fake, guard)

    async def gesture(app, pilot):
        await pilot.press("t")
        app.step()
        await pilot.pause()
        assert (app.run_screen.shown.stage, guard.alerts) == (1, [])
        assert "● running" in fake.lines(app)[0]
        assert "stage 1" in fake.lines(app)[0]
        source.shown[2] = 400
        app.step()
        await pilot.pause()
        assert "alert: step>=400 and stage=2: step 400; stage 2" in fake.lines(app)[-1]
        assert app.run_screen.shown.stage == 1
        assert app.run_screen.shown.events[-1].kind == "alert"
        asked = len(source.wants)
        app.step()
        assert [want.stage for want in source.wants[asked:]] == [1, None]
        app.poller._clock.now += 60
        app._look_again()
        assert [alert.rule for alert in guard.alerts] == ["step>=400 and stage=2", "stall"]
        await pilot.press("t")
        asked = len(source.wants)
        app.step()
        assert [want.stage for want in source.wants[asked:]] in ([2], [None])
        assert app.run_screen.shown.ahead is None

    fake.play(app, gesture, (160, 50))


def test_it_closes_by_the_newest_stage_while_an_older_one_is_looked_at(fake):
    source, app = two_stages(fake, Guard(until=1100), linger=0.0)
    source.shown[1] = 1000

    async def gesture(app, pilot):
        await pilot.press("t")
        app.step()
        await pilot.pause()
        assert app.is_running
        source.shown[2] = 1100
        app.step()
        while app.is_running:
            await pilot.pause(0.01)

    fake.play(app, gesture)


def test_bells_and_notifications_go_to_the_terminal_once(fake):
    Tape.written = ""
    source, app = app_of(fake, Guard("step>=800", escapes="\x1b]9;x\x07"), driver_class=Tape)

    async def run():
        async with app.run_test(headless=False, size=(120, 40)) as pilot:
            for rows in (700, 800, 900):
                source.shown[1] = rows
                app.step()
                await pilot.pause()
                assert Tape.written.count("\x1b]9;x\x07") == (rows > 700)

    asyncio.run(run())


def test_what_failed_is_told_at_the_bottom(fake):
    guard = Guard()
    guard.troubles = ("--webhook failed: no route",)
    _, app = app_of(fake, guard)

    async def gesture(app, pilot):
        assert "--webhook failed: no route" in fake.lines(app)[-1]

    fake.play(app, gesture, (160, 50))


def test_it_closes_when_the_lookout_is_done(fake):
    source, app = app_of(fake, Guard(until=800), linger=0.0)

    async def gesture(app, pilot):
        assert app.is_running
        source.shown[1] = 800
        app.step()
        while app.is_running:
            await pilot.pause(0.01)

    fake.play(app, gesture)


def test_a_key_keeps_it_open_though_the_lookout_is_done(fake):
    _, app = app_of(fake, Guard(until=700), linger=60.0)

    async def gesture(app, pilot):
        assert "closes in" in fake.lines(app)[-1]
        await pilot.press("j")
        app._look_again()
        await pilot.pause()
        assert "closes" not in fake.lines(app)[-1]

    fake.play(app, gesture)


def test_a_lookout_that_cannot_go_on_closes_the_dashboard_with_its_reason(fake, monkeypatch):
    guard = Guard()
    guard.see = lambda view, fares: (_ for _ in ()).throw(UnknownName("name in --until", "mze", ["mse"]))
    _, app = app_of(fake, guard)

    async def gesture(app, pilot):
        while app.is_running:
            await pilot.pause(0.01)

    fake.play(app, gesture)
    monkeypatch.setattr(WatchApp, "run", lambda self: setattr(self, "failure", app.failure))
    with pytest.raises(UnknownName, match="did you mean 'mse'"):
        watch(fake.Source(fake.stage()))


def test_alerts_of_a_long_list_of_events_do_not_move_the_others(fake):
    source, app = app_of(fake, Guard("step>=800"))
    before = []

    async def gesture(app, pilot):
        before.extend(app.asked[0].events)
        source.shown[1] = 800
        app.step()
        shown = app.run_screen.picture().view.events
        assert [event for event in shown if event.kind != "alert"] == list(app.asked[0].events)
        assert isinstance(shown[-1], Event)
        assert len(shown) == len(app.asked[0].events) + 1

    fake.play(app, gesture)
    assert before


def test_each_of_several_runs_is_looked_out_for_and_all_must_be_done(fake):
    shown = fake.Source(fake.stage(), shown={1: 700})
    aside = fake.Source(fake.stage(), shown={1: 700}, name="run43")
    guards = [Guard(until=800), Guard("step>=900", until=900)]
    clock = fake.Clock(fake.when(fake.stage(), 700))
    others = [("run43", aside)]
    app = fake.App(shown, title="run42", others=others, clock=clock, lookouts=guards, linger=60.0)

    async def gesture(app, pilot):
        shown.shown[1] = 800
        app.step()
        await pilot.pause()
        assert "closes" not in fake.lines(app)[-1]
        assert not any("alert" in line for line in fake.lines(app))
        aside.shown[1] = 900
        app.step()
        await pilot.pause()
        assert "closes in" in fake.lines(app)[-1]
        assert [event.kind for event in app.seats[1].view.events].count("alert") == 1
        assert "alert" not in [event.kind for event in app.seats[0].view.events]

    fake.play(app, gesture, (160, 50))


def test_an_alert_of_a_run_that_is_not_shown_says_whose_it_is(fake):
    aside = fake.Source(fake.stage(), shown={1: 700}, name="run43")
    app = fake.App(
        fake.Source(fake.stage(), shown={1: 700}),
        title="run42",
        others=[("run43", aside)],
        clock=fake.Clock(fake.when(fake.stage(), 700)),
        lookouts=[Guard(), Guard("step>=900")],
    )

    async def gesture(app, pilot):
        aside.shown[1] = 900
        app.step()
        await pilot.pause()
        assert "run43: alert: step>=900: step 900" in fake.lines(app)[-1]

    fake.play(app, gesture, (160, 50))
