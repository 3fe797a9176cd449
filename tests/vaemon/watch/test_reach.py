from contextlib import contextmanager

import pytest

from vaemon.errors import NeedsPerson, SourceLost


@pytest.fixture
def lent(fake, monkeypatch):
    """How often the terminal was lent to another program, and whether it still is."""
    told = {"times": 0, "now": False}

    @contextmanager
    def suspend(app):
        told["times"] += 1
        told["now"] = True
        yield
        told["now"] = False

    monkeypatch.setattr(fake.App, "suspend", suspend)
    return told


def test_r_makes_a_lost_link_anew_while_the_terminal_is_lent(fake, lent):
    source = fake.Source(fake.stage(), shown={1: 700})

    async def gesture(app, pilot):
        source.broken = NeedsPerson("gpu1 needs your password")
        app.step()
        await fake.settle(app, pilot)
        assert "press r" in "\n".join(fake.lines(app))
        await pilot.press("r")
        await fake.settle(app, pilot)
        assert (source.reached, lent) == (1, {"times": 1, "now": False})
        app.step()
        await fake.settle(app, pilot)
        assert "password" not in "\n".join(fake.lines(app))

    fake.play(fake.App(source, clock=fake.Clock(fake.when(fake.stage(), 700))), gesture)


def test_a_link_that_cannot_be_made_is_told_and_the_picture_stays(fake, lent):
    source = fake.Source(fake.stage(), shown={1: 700})

    async def gesture(app, pilot):
        source.broken = SourceLost("the link was closed")
        source.unreachable = SourceLost("ssh cannot reach gpu1: no route to host")
        app.step()
        await pilot.press("r")
        await fake.settle(app, pilot)
        screen = "\n".join(fake.lines(app))
        assert "no route to host" in screen
        assert "700" in screen
        assert not lent["now"]

    fake.play(fake.App(source, clock=fake.Clock(fake.when(fake.stage(), 700))), gesture)


def test_r_leaves_a_link_that_stands(fake, lent):
    source = fake.Source(fake.stage(), shown={1: 700})

    async def gesture(app, pilot):
        await pilot.press("r")
        await fake.settle(app, pilot)
        assert (source.reached, lent["times"]) == (0, 0)
        assert "no link to be made anew" in "\n".join(fake.lines(app))

    fake.play(fake.App(source, clock=fake.Clock(fake.when(fake.stage(), 700))), gesture)
    assert source.hung_up
