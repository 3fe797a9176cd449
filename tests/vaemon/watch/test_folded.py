"""The wall folded: all latents in sight, strips of several of them."""

import re

import numpy as np

from vaemon.watch.memory import dict_to_look, look_to_dict
from vaemon.watch.names import HOME, LATENT
from vaemon.watch.render.fold import Fold
from vaemon.watch.widgets.picture import Look
from vaemon.watch.widgets.wall import Wall


def app_of(fake, stage=None, rows=700, **options):
    stage = stage or fake.stage()
    return fake.App(fake.Source(stage, shown={1: rows}, **options), clock=fake.Clock(fake.when(stage, rows)))


def wall_of(app):
    return app.run_screen.query_one(Wall)


def play_keys(fake, app, keys, look, size=(80, 24)):
    async def gesture(app, pilot):
        await pilot.press(*keys)
        await fake.settle(app, pilot)
        look(app)

    return fake.play(app, gesture, size)


def title(fake, app):
    return next(line for line in fake.lines(app) if "latents  " in line)


def test_all_are_in_sight_once_folded(fake):
    def look(app):
        assert "1 strip = 2 latents" in title(fake, app)
        assert not any("more" in line for line in fake.lines(app)[:-4] if "╵" in line)
        assert "unfold" not in title(fake, app)

    play_keys(fake, app_of(fake), "F", look)


def test_folding_changes_nothing_where_all_fit(fake):
    before = []
    play_keys(fake, app_of(fake), [], lambda app: before.extend(fake.lines(app)), (120, 40))
    play_keys(fake, app_of(fake), "F", lambda app: before.append(fake.lines(app)), (120, 40))
    assert before[-1][:-1] == before[:-2]


def test_the_crosshair_moves_by_strips(fake):
    def look(app):
        order = app.run_screen.picture().order
        assert app.run_screen.picture().chosen == order[6]
        assert any(" #7-8 " in line for line in fake.lines(app))

    play_keys(fake, app_of(fake), "Fjjj", look)


def test_the_ends_are_the_first_and_the_last_strip(fake):
    play_keys(fake, app_of(fake), "FG", lambda app: next(line for line in fake.lines(app) if " #63-64 " in line))
    play_keys(fake, app_of(fake), "FGg", lambda app: next(line for line in fake.lines(app) if " #1-2 " in line))


def test_enter_unfolds_there(fake):
    def look(app):
        look, wall = app.run_screen.look, wall_of(app)
        order = app.run_screen.picture().order.tolist()
        assert app.run_screen.number == HOME
        assert not look.folded
        seen = [latent for shelf in wall._all[wall.top :] for latent in shelf.latents]
        assert set(order[20:22]) <= set(seen[:4])

    play_keys(fake, app_of(fake), ["F", *"j" * 10, "enter"], look)


def test_enter_opens_a_latent_that_has_a_strip_of_its_own(fake):
    def look(app):
        assert app.run_screen.number == LATENT
        assert app.run_screen.look.latent in app.run_screen.look.pins

    play_keys(fake, app_of(fake), ["j", "p", "F", "g", "enter"], look)


def test_pinned_latents_keep_rows_of_their_own(fake):
    def look(app):
        pinned = next(iter(app.run_screen.look.pins))
        assert any(re.match(rf".\s+{pinned}◆", line) for line in fake.lines(app))

    play_keys(fake, app_of(fake), "jpF", look)


def test_a_strip_of_several_is_not_pinned(fake):
    def look(app):
        assert not app.run_screen.look.pins
        assert any("enter unfolds this strip" in line for line in fake.lines(app))

    play_keys(fake, app_of(fake), "Fjp", look, (120, 24))


def test_a_filter_narrows_what_is_folded(fake):
    def look(app):
        assert "1 strip =" not in title(fake, app)

    play_keys(fake, app_of(fake), ["F", "slash", *"limbo", "enter"], look)


def test_a_click_chooses_the_strip(fake):
    async def gesture(app, pilot):
        await pilot.press("F")
        await fake.settle(app, pilot)
        order = app.run_screen.picture().order
        for expected in (4, 6, 4):
            await pilot.click(Wall, offset=(12, 2))
            await fake.settle(app, pilot)
            assert app.run_screen.picture().chosen == order[expected]

    fake.play(app_of(fake), gesture, (80, 24))


def test_under_the_crosshair_a_wall_tells_of_that_moment(fake):
    told = {}

    def look(app):
        found = fake.lines(app)
        told[len(told)] = found
        wall = [line[:47] for line in found[4:21]]
        told[len(told)] = "".join(wall).count("●")

    play_keys(fake, app_of(fake), [], look)
    play_keys(fake, app_of(fake), ["left"] * 9, look)
    assert re.search(r"at step \d+", next(line for line in told[2] if "latents  " in line))
    assert told[3] < told[1]


def test_a_wall_with_a_value_that_is_not_finite_marks_its_strip(fake):
    stage = fake.Stage(steps=300, per_epoch=150)
    stage.rows["mean_variance"][120:130, 5] = np.nan

    def look(app):
        assert any("×" in line[:47] for line in fake.lines(app)[4:21])

    play_keys(fake, app_of(fake, stage, 300), "F", look)


def test_folding_is_remembered():
    assert dict_to_look(look_to_dict(Look(folded=True), 1)).folded
    assert not dict_to_look({"folded": 1}).folded


def test_a_frame_costs_no_more_than_one_reduction(fake, monkeypatch):
    calls = []
    reduce = Fold.mean
    monkeypatch.setattr(Fold, "mean", lambda self, values: calls.append(values.shape) or reduce(self, values))
    source = fake.Source(fake.stage(), shown={1: 700})
    app = fake.App(source, clock=fake.Clock(fake.when(fake.stage(), 700)))

    async def gesture(app, pilot):
        await pilot.press("F")
        await fake.settle(app, pilot)
        calls.clear()
        source.shown[1] = 702
        app.step()
        await fake.settle(app, pilot)
        assert not [shape for shape in calls if len(shape) > 1]  # no cell was completed: nothing to paint

    fake.play(app, gesture, (80, 24))
