"""Unusual runs on the screen: values that are not finite, scalars of their own, no latents, next to no room."""

import numpy as np

from vaemon.watch.widgets.wall import Wall


def test_values_that_are_not_finite_are_marked(fake):
    stage = fake.Stage(latents=8, steps=200)
    stage.rows["mse"][150:160] = float("nan")
    stage.rows["mean_variance"][150:160, 3] = float("inf")
    app = fake.App(fake.Source(stage), clock=fake.Clock(fake.when(stage, 200)))

    async def gesture(app, pilot):
        text = fake.lines(app)
        assert any("MSE" in line and "10 not finite" in line for line in text)
        assert sum("×" in line for line in text) >= 1

    fake.play(app, gesture)


def test_the_keys_go_to_the_wall_of_a_run_that_has_just_begun(fake):
    source = fake.Source(fake.stage(), shown={1: 0})
    app = fake.App(source, clock=fake.Clock(fake.when(fake.stage(), 700)))

    async def gesture(app, pilot):
        assert any("has begun" in line for line in fake.lines(app))
        source.shown[1] = 700
        app.step()
        await fake.settle(app, pilot)
        assert isinstance(app.screen.focused, Wall)

    fake.play(app, gesture)


def test_a_tiny_screen_shows_latents_before_anything_around_them(fake):
    app = fake.App(fake.Source(fake.stage(), shown={1: 700}), clock=fake.Clock(fake.when(fake.stage(), 700)))

    async def gesture(app, pilot):
        below = fake.lines(app)[3:]
        assert len(below) == 2
        assert all("0." in line or "1.0" in line for line in below)

    fake.play(app, gesture, size=(20, 5))


def titles(fake, app, *names):
    text = "\n".join(fake.lines(app)[3:])
    return {name for name in names if f" {name}" in text or f"▸{name}" in text}


def test_the_scalars_of_a_trainings_own_are_drawn(fake):
    stage = fake.Stage(latents=4, steps=200)
    del stage.rows["lr"]
    own = [f"own_{i}" for i in range(5)]
    stage.rows |= {name: np.linspace(i, i + 1, 200) for i, name in enumerate(own)}
    app = fake.App(fake.Source(stage), clock=fake.Clock(fake.when(stage, 200)))

    async def gesture(app, pilot):
        assert not titles(fake, app, *own)  # beside the wall the usual ones have all of the room
        await pilot.press("3")
        await fake.settle(app, pilot)
        assert titles(fake, app, "gamma", "loss", "learning rate", *own) == {"gamma", "loss", "own_0"}
        assert "3: 4 more" in fake.lines(app)[-1]
        await pilot.press("3")
        await fake.settle(app, pilot)
        assert titles(fake, app, "gamma", "loss", *own) == set(own[1:])
        await pilot.press("3")
        await fake.settle(app, pilot)
        assert titles(fake, app, "gamma", "loss", *own) == {"gamma", "loss", "own_0"}

    fake.play(app, gesture)


def test_own_scalars_take_the_room_of_those_that_are_not_recorded(fake):
    stage = fake.Stage(latents=0, steps=200)
    for name in ("gamma", "kl", "variance_law", "loss", "lr"):
        del stage.rows[name]
    stage.rows["elbo"] = np.linspace(0, 1, 200)
    app = fake.App(fake.Source(stage), clock=fake.Clock(fake.when(stage, 200)))

    async def gesture(app, pilot):
        assert titles(fake, app, "gamma", "MSE", "KL", "elbo") == {"MSE", "elbo"}

    fake.play(app, gesture)


def test_a_run_whose_model_has_no_posterior_says_so(fake):
    stage = fake.Stage(latents=0, steps=200)
    source = fake.Source(stage, config={"not_defined": {"RAE": ["mean_variance"]}})
    app = fake.App(source, clock=fake.Clock(fake.when(stage, 200)))

    async def gesture(app, pilot):
        assert "states of latents: not defined for RAE" in fake.lines(app)[1]

    fake.play(app, gesture)


def test_a_run_without_latents_still_has_its_charts(fake):
    stage = fake.Stage(latents=0, steps=200)
    app = fake.App(fake.Source(stage), clock=fake.Clock(fake.when(stage, 200)))

    async def gesture(app, pilot):
        await pilot.press("j", "G", "left")
        text = fake.lines(app)
        assert any("gamma" in line for line in text)
        assert "no latents recorded" in text[1]
        assert not any("latents  " in line for line in text)

    fake.play(app, gesture)
