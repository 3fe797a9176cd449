"""The traversal of a latent, in its view."""

import numpy as np
import pytest

from vaemon.batch import ImageSet
from vaemon.watch.widgets.traversal import Traversal


def sets(latent):
    return [ImageSet(1, step, kind, 9, 8, 8, 1) for step in (100, 600) for kind in ("GEN-1", f"traversal {latent}")]


def see(fake, gesture, size=(120, 40), latent=57):
    source = fake.Source(fake.stage(), shown={1: 700})
    source.images = lambda: tuple(sets(latent))
    app = fake.App(source, clock=fake.Clock(fake.when(fake.stage(), 700)))

    async def run(app, pilot):
        await pilot.press("4")
        app.step()
        await fake.settle(app, pilot)
        await gesture(app, pilot)

    fake.play(app, run, size)


def traversal(app):
    return app.run_screen.query_one(Traversal)


@pytest.mark.parametrize("size", [(120, 40), (200, 60), (100, 60)], ids="{0[0]}x{0[1]}".format)
def test_it_is_seen_with_its_latent(fake, size):
    async def gesture(app, pilot):
        panel = traversal(app)
        assert [(each.kind, each.step) for each in panel.shown()] == [("traversal 57", 600)]
        panel.take(panel.shown()[0], np.full((9, 8, 8, 1), 200, np.uint8))
        await fake.settle(app, pilot)
        text = "\n".join(fake.lines(app))
        assert "as z57 varies" in text
        assert "traversal 57  step 600  " in text
        assert "its events" in text

    see(fake, gesture, size)


def test_where_there_is_no_room_for_all_both_ends_are_there():
    panel = Traversal(None, lambda which: None)
    assert panel._some(np.arange(9), 5).tolist() == [0, 2, 4, 6, 8]
    assert panel._some(np.arange(9), 4).tolist() == [0, 3, 5, 8]
    assert panel._some(np.arange(9), 9).tolist() == list(range(9))


def test_of_another_latent_there_is_none(fake):
    async def gesture(app, pilot):
        await pilot.press("j")
        app.step()
        await fake.settle(app, pilot)
        assert not traversal(app).display or not traversal(app).size.area
        assert "varies" not in "\n".join(fake.lines(app))

    see(fake, gesture)


def test_where_there_are_none_the_view_is_as_it_was(fake):
    async def gesture(app, pilot):
        assert "varies" not in "\n".join(fake.lines(app))

    see(fake, gesture, latent=3)


def test_under_the_crosshair_it_is_that_of_the_moment(fake):
    async def gesture(app, pilot):
        app.run_screen.go_to(400)
        await fake.settle(app, pilot)
        assert [each.step for each in traversal(app).shown()] == [100]
        app.run_screen.go_to(50)
        await fake.settle(app, pilot)
        assert "varies" not in "\n".join(fake.lines(app))

    see(fake, gesture)


def test_where_there_is_no_room_the_charts_have_it(fake):
    async def gesture(app, pilot):
        assert "varies" not in "\n".join(fake.lines(app))
        assert "its events" in "\n".join(fake.lines(app))

    see(fake, gesture, (80, 24))
