"""A made-up but lifelike run, a source that tells it row by row, and ways to look at the screen."""

import asyncio
from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace

import numpy as np
import pytest
from textual.css.stylesheet import Stylesheet

from vaemon import latents
from vaemon.batch import Batch, Columns, Cursor, Event, Latest, Listed, RunInfo, RunState, StageInfo, Want
from vaemon.decimate import pool, width_for
from vaemon.errors import SourceLost
from vaemon.view.state import RunView
from vaemon.watch.app import WatchApp
from vaemon.watch.messages import ViewChanged

CREATED = 1_760_000_000.0
SCALARS = ("lr", "loss", "gamma", "mse", "kl", "variance_law")


@dataclass
class FakeStage:
    """All rows of a stage, made at once: latents start at 1, hang around .8 and wake one by one."""

    number: int = 1
    latents: int = 64
    steps: int = 4000
    awake: float = 0.45
    rate: float = 40.0
    per_epoch: int = 400
    seed: int = 7
    begins: float = CREATED + 5.0
    rows: dict = field(default_factory=dict)
    events: list = field(default_factory=list)

    def __post_init__(self):
        rng = np.random.default_rng(self.seed)
        n, k = self.steps, self.latents
        t = np.arange(n)
        noise = 0.027 * rng.standard_normal((n, k))
        variance = self._variance(rng, t)
        moves = np.clip(1.0 - variance, 0.0, 1.0)
        law = 1.0 + 0.6 * np.exp(-t / (0.03 * n)) + 0.02 * rng.standard_normal(n)
        mse = (0.18 * np.exp(-t / (0.05 * n)) + 0.05 / (1 + 6 * t / n) + 0.004) * np.exp(0.08 * rng.standard_normal(n))
        self.rows = {
            "step": t + 1,
            "time": self.begins + t / self.rate,
            "epoch": t // self.per_epoch,
            "lr": np.full(n, 1e-3),
            "mse": mse,
            "gamma": np.sqrt(np.minimum.accumulate(np.convolve(np.r_[np.ones(49), mse], np.ones(50) / 50, "valid"))),
            "variance_law": law,
            "mean_variance": np.clip(variance + noise, 0.0, 1.05),
            "mean_mu": 0.1 * np.sqrt(moves) * rng.standard_normal((n, k)),
            "mu_squared": moves * (1.0 + noise),
            "latent_kl": np.maximum(
                -0.5 * np.log(np.clip(variance, 1e-3, 1.0)) + 0.02 * rng.random((n, k)) * (variance < 0.95), 0.0
            ),
        }
        self.rows["kl"] = self.rows["latent_kl"].sum(axis=1)
        self.rows["loss"] = self.rows["mse"] / (2 * self.rows["gamma"] ** 2) + self.rows["kl"]
        self.events = [Event(1, self.begins, self.number, "stage")]
        if k:
            tracker = latents.WakeTracker(k)
            for p in tracker.update(self.rows["mean_variance"]):
                self.events.append(
                    Event(p.row + 1, self.rows["time"][p.row], self.number, "wake" if p.woke else "sleep", p.latent)
                )
        self.events.sort(key=lambda event: event.step)

    def _variance(self, rng, t):
        n, k = self.steps, self.latents
        wakes = np.full(k, np.inf)
        sleepers = rng.permutation(k)
        count = int(self.awake * k)
        wakes[sleepers[:count]] = 0.04 * n + 0.9 * n * (np.arange(count) / max(count, 1)) ** 1.4
        dead = sleepers[count : count + k // 5]
        limbo = 0.8 + 0.05 * rng.standard_normal(k)
        limbo[dead] = 1.0
        start = 1.0 - (1.0 - limbo) * np.clip(t / (0.06 * n), 0, 1)[:, None]
        fall = 1.0 / (1.0 + np.exp(-(t[:, None] - wakes) / (0.012 * n)))
        return start * (1 - fall) + (0.03 + 0.05 * rng.random(k)) * fall


class FakeSource:
    """Answers polls as a source does, from stages that are all there; `shown` says how much has happened."""

    def __init__(self, *stages, state=RunState.RUNNING, reason="", shown=None, name="run42", total=None, config=None):
        self.stages = stages or (FakeStage(),)
        self.state = state
        self.reason = reason
        self.shown = {s.number: s.steps for s in self.stages} if shown is None else dict(shown)
        self.name = name
        self.total = total
        self.config = config or {}
        self.broken = None
        self.wants = []
        self.closed = self.hung_up = False
        self.reached, self.unreachable = 0, None

    def info(self):
        begun = [s for s in self.stages if self.shown.get(s.number)]
        return RunInfo(
            self.name,
            f"runs/{self.name}",
            self.state,
            self.reason,
            CREATED,
            "host",
            1234,
            config=self.config,
            stages=tuple(StageInfo(s.number, s.latents, self.total or s.steps, s.per_epoch) for s in begun),
        )

    def poll(self, since, want):
        self.wants.append(want)
        if self.broken is not None:
            raise self.broken
        info = self.info()
        stages = {s.number: s for s in self.stages if self.shown.get(s.number)}
        if not stages or want.stage not in (None, *stages):
            return Batch(info, since)
        stage = stages[want.stage or max(stages)]
        return self._answer(info, stage, since, want)

    def _answer(self, info, stage, since, want):
        rows = min(self.shown[stage.number], want.end or 2**62)
        same = since.stage == stage.number
        width = max(width_for(rows, want.columns) if want.columns else 1, since.width if same else 1)
        start = min(since.rows, rows) // width if same else 0
        end = rows // width if want.columns else start
        until = stage.rows["time"][rows - 1] if want.end else np.inf
        events = [e for s in self.stages for e in s.events if e.step <= self.shown.get(s.number, 0) and e.time <= until]
        return Batch(
            info=info,
            cursor=Cursor(stage.number, 1, end * width, width, len(events)),
            stage=stage.number,
            rows=rows,
            columns=columns_of(stage, start, end, width, names_of(stage, want)),
            latest=latest_of(stage, rows),
            events=tuple(events[since.events if same and since.events <= len(events) else 0 :]),
            events_anew=not same or since.events > len(events),
            rate=stage.rate,
        )

    def excerpt(self, asked):
        stage = next((s for s in self.stages if s.number == asked.stage), None)
        if stage is None:
            return Columns()
        last = min(asked.last, self.shown.get(stage.number, 0))
        width = asked.width or width_for(max(last - asked.first, 1), asked.columns)
        end = min(-(-last // width), self.shown[stage.number] // width)
        if asked.latent is None:
            return columns_of(stage, min(asked.first // width, end), end, width, names_of(stage, asked))
        one = {name: rows if rows.ndim == 1 else rows[:, asked.latent] for name, rows in stage.rows.items()}
        return columns_of(SimpleNamespace(rows=one), min(asked.first // width, end), end, width, asked.channels)

    def series(self, channel, window, points):
        raise SourceLost("a made-up run has no series")

    def images(self):
        return ()

    def image(self, which):
        raise SourceLost("a made-up run has no images")

    def reach(self):
        self.reached += 1
        if self.unreachable is not None:
            raise self.unreachable
        self.broken = None

    def hang_up(self):
        self.hung_up = True

    def close(self):
        self.closed = True


def names_of(stage, asked):
    known = ("step", "time", "epoch", *asked.channels)
    others = [name for name, rows in stage.rows.items() if rows.ndim == 1 and name not in known]
    return (*asked.channels, *others[: asked.scalars])


def columns_of(stage, start, end, width, channels):
    names = [name for name in channels if name in stage.rows]
    piece = slice(start * width, end * width)
    pooled = {name: pool(stage.rows[name][piece], width) for name in names}
    scalars = {name: each for name, each in pooled.items() if each.mean.ndim == 1}
    last = slice(start * width + width - 1, end * width, width)
    return Columns(
        first=start,
        width=width,
        step=stage.rows["step"][last],
        time=stage.rows["time"][last],
        epoch=stage.rows["epoch"][last],
        mean={name: each.mean for name, each in pooled.items()},
        low={name: each.low for name, each in scalars.items()},
        high={name: each.high for name, each in scalars.items()},
        bad={name: each.bad for name, each in scalars.items()},
    )


def latest_of(stage, rows):
    newest = slice(max(0, rows - 125), rows)
    named = {name: values for name, values in stage.rows.items() if name not in ("step", "time", "epoch")}
    return Latest(
        step=int(stage.rows["step"][rows - 1]),
        epoch=int(stage.rows["epoch"][rows - 1]),
        time=float(stage.rows["time"][rows - 1]),
        scalars={name: float(v[rows - 1]) for name, v in named.items() if v.ndim == 1},
        smoothed={name: latents.smooth(v[newest]) for name, v in named.items()},
    )


class FakeDirectory:
    """A place where fake sources are; `read` of them are read at each call, by default all."""

    def __init__(self, *sources, read=99):
        self.sources = list(sources)
        self.read = read
        self.known = {}
        self.opened = []
        self.broken = None
        self.asked = 0

    def runs(self, seconds):
        self.asked += 1
        if self.broken is not None:
            raise self.broken
        left = self.read
        for source in self.sources:
            address = f"runs/{source.name}"
            held = self.known.get(address)
            if held is None or (left > 0 and held.batch is None and not held.reason):
                self.known[address] = self.glance(source, address) if left > 0 else Listed(source.name, address, 1.0)
                left -= 1
        return [self.known[f"runs/{source.name}"] for source in self.sources]

    def glance(self, source, address):
        try:
            return Listed(source.name, address, 1.0, source.poll(Cursor(), Want((), columns=1)))
        except SourceLost as error:
            return Listed(source.name, address, 1.0, reason=str(error))

    def open(self, address):
        self.opened.append(address)
        return next(source for source in self.sources if f"runs/{source.name}" == address)

    def close(self):
        pass


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self, now=CREATED):
        self.now = now

    def __call__(self):
        return self.now


class SteppedApp(WatchApp):
    """The dashboard, asking its source only when told to, in the test's own thread."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.asked = {}

    def poll(self, key):
        """Wait for `step`."""

    def _fetch(self, message, poller):
        """Nobody asks the source between two steps, and who waited for it would wait long."""
        message.fail(message.which, "no images")

    def ask_directory(self):
        """Ask in the test's own thread."""
        self.post_message(self.roster.ask())

    def step(self):
        """Ask each source once, and show the answers."""
        for seat in self.seats:
            before = self.asked.get(seat.key, RunView())
            if seat.poller.asked.stage not in (None, before.stage):
                before = RunView()
            self.asked[seat.key] = seat.poller.ask(before, seat.poller.asked)
            self.on_view_changed(ViewChanged(self.asked[seat.key], seat.key))


@lru_cache(maxsize=8)
def short_stage(latents=64, number=1, steps=1200):
    """A stage of 30 s."""
    return FakeStage(
        number=number, latents=latents, steps=steps, per_epoch=150, begins=CREATED + 5.0 + 40.0 * (number - 1)
    )


def when(stage, rows):
    """The moment just after so many rows of a stage."""
    return stage.begins + rows / stage.rate + 0.3


def lines(app):
    """What is on the screen, as lines of text."""
    return [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]


async def settle(app, pilot):
    """Wait until the screen has come to rest: a change of layout takes it several rounds."""
    seen, calm = None, 0
    while calm < 3:
        await pilot.pause(0.01)
        seen, before = lines(app), seen
        calm = calm + 1 if seen == before else 0


def play(app, gesture, size=(120, 40)):
    """Run the app without a terminal and do something with it."""

    async def run():
        async with app.run_test(size=size) as pilot:
            if isinstance(app, SteppedApp):
                app.step()
            await settle(app, pilot)
            await gesture(app, pilot)

    asyncio.run(run())
    return app


@pytest.fixture(autouse=True)
def full_colour(monkeypatch):
    """A terminal of full colour, near, and dark, whatever the tests run in."""
    for name in ("NO_COLOR", "COLORFGBG", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")


@pytest.fixture(autouse=True, scope="session")
def parsed_once():
    """A stylesheet is parsed once for all apps of the tests: every app has the same."""
    parsed, parse = {}, Stylesheet._parse_rules

    def parse_once(self, *place, **kind):
        asked = (frozenset(self._variables.items()), place, tuple(kind.items()))
        if asked not in parsed:
            parsed[asked] = parse(self, *place, **kind)
        return parsed[asked]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Stylesheet, "_parse_rules", parse_once)
        yield


@pytest.fixture
def fake():
    """All of the above, for the tests."""
    return SimpleNamespace(
        Stage=FakeStage,
        Source=FakeSource,
        Directory=FakeDirectory,
        Clock=Clock,
        App=SteppedApp,
        stage=short_stage,
        when=when,
        lines=lines,
        settle=settle,
        play=play,
        CREATED=CREATED,
    )
