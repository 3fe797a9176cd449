"""What the screen looks like, as text: states by sizes.

VAEMON_UPDATE_GOLDEN=1 pytest tests/vaemon/watch/test_golden.py writes the pictures anew; look at the difference.
"""

import os
from pathlib import Path

import pytest

from vaemon.batch import Event, RunState
from vaemon.errors import SourceLost
from vaemon.watch.render.palette import DARK

GOLDEN = Path(__file__).parent / "golden"
SIZES = [(80, 24), (120, 40), (200, 60), (40, 10)]
SMALL = [(80, 24), (40, 10)]


def compare(name, found):
    path = GOLDEN / f"{name}.txt"
    text = "\n".join(found) + "\n"
    if os.environ.get("VAEMON_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def running(fake):
    return fake.Source(fake.stage(), shown={1: 700}), fake.when(fake.stage(), 700)


def finished(fake):
    return fake.Source(fake.stage(), state=RunState.FINISHED), fake.when(fake.stage(), 1200) + 7200


def waiting(fake):
    return fake.Source(fake.stage(), shown={1: 0}, state=RunState.WAITING), fake.CREATED


def stalled(fake):
    source, now = running(fake)
    return source, now + 42


def stopped(fake):
    return fake.Source(fake.stage(), shown={1: 700}, state=RunState.STOPPED), fake.when(fake.stage(), 700) + 30


def failed(fake):
    source = fake.Source(
        fake.stage(), shown={1: 700}, state=RunState.FAILED, reason="mse is NaN at step 700 of stage 1"
    )
    return source, fake.when(fake.stage(), 700)


def crashed(fake):
    return fake.Source(fake.stage(), shown={1: 700}, state=RunState.CRASHED), fake.when(fake.stage(), 700) + 90


def in_trouble(fake):
    source = fake.Source(
        fake.stage(), shown={1: 700}, reason="nothing can be recorded now: runs/run42: only 12 MiB are free"
    )
    return source, fake.when(fake.stage(), 700) + 3


def in_alarm(fake):
    stage = fake.Stage(steps=1200, per_epoch=150, awake=0.0)
    stage.rows["mean_variance"] = 1.0 + 0.1 * (stage.rows["mean_variance"] - 1.0)
    stage.rows["latent_kl"] = stage.rows["latent_kl"] / 100
    stage.rows["mu_squared"] = stage.rows["mu_squared"] / 100
    stage.events.append(
        Event(640, stage.begins + 16.0, 1, "collapse", text="64 of 64 latents tell nothing of the data")
    )
    return fake.Source(stage, shown={1: 700}), fake.when(stage, 700)


def lost_before_any(fake):
    source = fake.Source(fake.stage())
    source.broken = SourceLost("ssh: connect to host gpu7: no route to host")
    return source, fake.CREATED


def few_latents(fake):
    return fake.Source(fake.stage(latents=12), shown={1: 700}), fake.when(fake.stage(latents=12), 700)


def second_stage(fake):
    stages = fake.stage(), fake.stage(latents=32, number=2, steps=400)
    return fake.Source(*stages, shown={1: 1200, 2: 300}), fake.when(stages[1], 300)


STATES = [waiting, stalled, in_trouble, in_alarm, stopped, failed, crashed, lost_before_any, few_latents, second_stage]


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("state", [running, finished], ids=lambda state: state.__name__)
def test_main_states(fake, state, size):
    show(fake, state, size)


@pytest.mark.parametrize("size", SMALL, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_other_states(fake, state, size):
    show(fake, state, size)


def show(fake, state, size):
    source, now = state(fake)

    async def look(app, pilot):
        compare(f"{state.__name__}-{size[0]}x{size[1]}", fake.lines(app))

    fake.play(fake.App(source, clock=fake.Clock(now), title="run42"), look, size)


@pytest.mark.parametrize("size", SMALL, ids="{0[0]}x{0[1]}".format)
def test_lost(fake, size):
    source, now = running(fake)
    clock = fake.Clock(now)

    async def look(app, pilot):
        source.broken = SourceLost("ssh: connection reset by peer")
        clock.now += 75
        app.step()
        await fake.settle(app, pilot)
        compare(f"lost-{size[0]}x{size[1]}", fake.lines(app))

    fake.play(fake.App(source, clock=clock), look, size)


@pytest.mark.parametrize("size", SMALL, ids="{0[0]}x{0[1]}".format)
def test_paused(fake, size):
    source, now = running(fake)

    async def look(app, pilot):
        await pilot.press("space")
        source.shown[1] = 760
        app.step()
        await fake.settle(app, pilot)
        compare(f"paused-{size[0]}x{size[1]}", fake.lines(app))

    fake.play(fake.App(source, clock=fake.Clock(now)), look, size)


def test_ascii(fake):
    source, now = running(fake)

    async def look(app, pilot):
        found = fake.lines(app)
        assert all(line.isascii() for line in found)
        compare("ascii-80x24", found)

    fake.play(fake.App(source, clock=fake.Clock(now), ascii=True), look, (80, 24))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids="{0[0]}x{0[1]}".format)
def test_help(fake, size):
    source, now = running(fake)

    async def look(app, pilot):
        await pilot.press("question_mark")
        await fake.settle(app, pilot)
        compare(f"help-{size[0]}x{size[1]}", fake.lines(app))

    fake.play(fake.App(source, clock=fake.Clock(now)), look, size)


VIEWED = [("2", (80, 24)), ("2", (120, 40)), ("3", (120, 40)), ("4", (120, 40))]


@pytest.mark.parametrize(("view", "size"), VIEWED, ids=lambda each: "x".join(map(str, each)))
def test_views(fake, view, size):
    source, now = running(fake)

    async def look(app, pilot):
        for key in (view, "p", "j", "j"):
            await pilot.press(key)
            await fake.settle(app, pilot)
        app.step()
        await fake.settle(app, pilot)
        compare(f"view-{view}-{size[0]}x{size[1]}", fake.lines(app))

    fake.play(fake.App(source, clock=fake.Clock(now)), look, size)


def test_colours_of_the_trajectories(fake):
    source, now = few_latents(fake)
    names = {colour: name for name, colour in reversed(DARK.colours.items())}

    async def look(app, pilot):
        for key in ("2", "p", "j", "j"):
            await pilot.press(key)
            await fake.settle(app, pilot)
        told = []
        for strip in app.screen._compositor.render_strips()[3:23]:
            runs = ((text, names[style.color.triplet.hex], "*" * bool(style.bold)) for text, style, _ in strip)
            told.append(" ".join(f"{len(text)}{'' if text.isspace() else ink + bold}" for text, ink, bold in runs))
        compare("colours-of-the-trajectories", told)

    fake.play(fake.App(source, clock=fake.Clock(now)), look, (80, 24))


def test_colours_of_the_wall(fake):
    source, now = few_latents(fake)
    names = {colour: name for name, colour in DARK.colours.items() if name.startswith("heat") or name == "ground"}

    async def look(app, pilot):
        strips = app.screen._compositor.render_strips()[4:24]
        told = []
        for strip in strips:
            cells = strip.crop(6, 58)
            told.append(" ".join(f"{len(text)}{named(names, style, text)}" for text, style, _ in cells))
        compare("colours-of-the-wall", told)

    fake.play(fake.App(source, clock=fake.Clock(now)), look, (120, 40))


def compared(fake):
    first = fake.Source(fake.stage(), name="cifar-a", shown={1: 700}, config={"lr": 1e-3, "seed": 1, "latents": 64})
    second = fake.Source(
        fake.stage(latents=12), name="cifar-b", state=RunState.FINISHED, config={"lr": 1e-4, "seed": 1, "latents": 12}
    )
    third = fake.Source(fake.stage(latents=0, steps=300), name="plain", state=RunState.CRASHED, config={"seed": 2})
    return first, second, third


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("part", ["charts", "walls", "config", "runs"])
def test_several_runs(fake, part, size):
    first, *others = compared(fake)
    keys = {"charts": [], "walls": ["8"], "config": ["8", "8"], "runs": ["9"]}[part]
    directory = fake.Directory(first, *others, fake.Source(fake.stage(), name="older", state=RunState.STOPPED))

    async def look(app, pilot):
        await pilot.press(*keys)
        await fake.settle(app, pilot)
        compare(f"several-{part}-{size[0]}x{size[1]}", fake.lines(app))

    named = [(each.name, each) for each in others]
    clock = fake.Clock(fake.when(fake.stage(), 700))
    fake.play(fake.App(first, title="cifar-a", others=named, directory=directory, clock=clock), look, size)


def named(names, style, text):
    """A run of cells by the names of its colours: the ground alone for blanks."""
    below = names[style.bgcolor.triplet.hex]
    return below if text.isspace() else f"{names[style.color.triplet.hex]}/{below}"


@pytest.mark.parametrize("size", SIZES[:2], ids="{0[0]}x{0[1]}".format)
def test_four_thousand_latents_at_one_glance(fake, size):
    stage = fake.Stage(latents=4096, steps=300, per_epoch=75)
    source = fake.Source(stage, state=RunState.FINISHED)

    async def look(app, pilot):
        await pilot.press("F", "j", "j")
        await fake.settle(app, pilot)
        compare(f"folded-{size[0]}x{size[1]}", fake.lines(app))

    fake.play(fake.App(source, clock=fake.Clock(fake.when(stage, 300)), title="run42"), look, size)
