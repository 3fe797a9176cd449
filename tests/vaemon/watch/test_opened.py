"""Runs opened from the list: a few are watched on, the others are let go."""

import asyncio
import os

import numpy as np

from vaemon import Recorder
from vaemon.source.open import open_directory, open_source
from vaemon.watch.app import WatchApp
from vaemon.watch.memory import Memory
from vaemon.watch.messages import ViewChanged
from vaemon.watch.several import OPENED
from vaemon.watch.widgets.gestures import RunAsked, RunOpened


def app_of(fake, count=9, **options):
    sources = [fake.Source(fake.stage(steps=100, latents=4), name=f"run-{i}") for i in range(count)]
    clock = fake.Clock(fake.when(fake.stage(), 100))
    return fake.App(sources[0], title="run-0", directory=fake.Directory(*sources), clock=clock, **options)


async def open_run(fake, app, pilot, name):
    app.post_message(RunOpened(name, f"runs/{name}"))
    await fake.settle(app, pilot)
    app.step()
    await fake.settle(app, pilot)


def test_those_looked_at_longest_ago_are_let_go_those_named_at_first_never(fake):
    async def look(app, pilot):
        for i in range(1, 7):
            await open_run(fake, app, pilot, f"run-{i}")
        assert [seat.name for seat in app.seats] == ["run-0", *(f"run-{i}" for i in range(2, 7))]
        assert len(app.seats) == 1 + OPENED + 1
        assert app.seat.name == "run-6"
        app.post_message(RunAsked("run-2"))
        await fake.settle(app, pilot)
        await open_run(fake, app, pilot, "run-7")
        assert [seat.name for seat in app.seats] == ["run-0", "run-2", "run-4", "run-5", "run-6", "run-7"]
        assert app.seat.name == "run-7"
        assert app.run_screen.runs == tuple(seat.name for seat in app.seats)

    fake.play(app_of(fake), look)


def test_what_still_comes_of_a_run_that_was_let_go_is_not_shown(fake):
    async def look(app, pilot):
        await open_run(fake, app, pilot, "run-1")
        gone = app.seat
        for i in range(2, 7):
            await open_run(fake, app, pilot, f"run-{i}")
        assert gone not in app.seats
        before = fake.lines(app)
        app.on_view_changed(ViewChanged(gone.view, gone.key))
        await fake.settle(app, pilot)
        assert fake.lines(app) == before

    fake.play(app_of(fake), look)


def test_opened_again_it_is_looked_at_as_before(fake, tmp_path):
    async def look(app, pilot):
        await open_run(fake, app, pilot, "run-1")
        await pilot.press("x", "3")
        await fake.settle(app, pilot)
        axis = app.run_screen.look.axis
        for i in range(2, 7):
            await open_run(fake, app, pilot, f"run-{i}")
        assert app.run_screen.look.axis != axis
        await open_run(fake, app, pilot, "run-1")
        assert app.run_screen.look.axis == axis

    fake.play(app_of(fake, memory=lambda: Memory(tmp_path / "v.json")), look)


def open_files(folder):
    found = (os.path.realpath(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd"))
    return {path.split("/")[-2] for path in found if path.startswith(f"{folder}/") and path.endswith(".h5")}


def test_no_file_of_a_run_that_was_let_go_stays_open(runs):
    names = [f"run-{i}" for i in range(8)]
    for name in names:
        with Recorder(name, latents=2) as recorder:
            for step in range(1, 9):
                recorder.log(step, mean_variance=np.full(2, 0.5))

    async def session():
        directory = open_directory(runs)
        source = open_source("run-0", runs)
        app = WatchApp(source, directory=directory, title="run-0", hz=10.0)
        async with app.run_test(size=(80, 24)) as pilot:

            async def until(what):
                for _ in range(3000):
                    if what():
                        return
                    await pilot.pause(0.01)
                raise AssertionError("it never came")

            for name in names[1:]:
                app.post_message(RunOpened(name, str(runs.resolve() / name)))
                await until(lambda name=name: app.seat.name == name and app.seat.view.rows == 8)
            kept = {seat.name for seat in app.seats}
            assert kept == {"run-0", *names[-OPENED - 1 :]}
            await until(lambda: open_files(runs.resolve()) == kept)
        for each in (source, directory):
            each.close()

    asyncio.run(session())
