import asyncio

import numpy as np
import pytest
from textual.app import App

from vaemon.batch import ImageSet
from vaemon.watch.render.palette import DARK, LIGHT, MONO_DARK
from vaemon.watch.widgets import samples as samples_module
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.samples import Samples


def a_set(stage, step, kind, count=16, side=16, channels=3):
    return ImageSet(stage, step, kind, count, side, side, channels)


INPUTS = a_set(1, 0, "inputs")
RUN = (
    INPUTS,
    *(a_set(1, step, kind) for step in (100, 200) for kind in ("GEN-1", "reconstructions")),
    a_set(1, 200, "traversal 17"),
    a_set(2, 50, "GEN-2"),
)


def pixels(which):
    bright = 40 + 20 * len(which.kind) % 200
    return np.full((which.count, which.height, which.width, which.channels), bright, np.uint8)


class Gallery(App):
    """Nothing but samples; what is asked for waits for `serve`."""

    CSS = "Samples { height: 1fr; }"

    def __init__(self, pen=None, at_once=False):
        super().__init__(ansi_color=True)
        self.asked = []
        self.at_once = at_once
        self.samples = Samples(pen or Pen(DARK), self.ask)

    def compose(self):
        yield self.samples

    def ask(self, which):
        self.asked.append(which)
        if self.at_once:
            self.samples.take(which, pixels(which))

    def serve(self):
        for which in self.asked:
            self.samples.take(which, pixels(which))

    @property
    def lines(self):
        return [strip.text.rstrip() for strip in self.screen._compositor.render_strips()]

    @property
    def text(self):
        return "\n".join(self.lines)


def visit(gesture, size=(100, 30), **options):
    async def run():
        app = Gallery(**options)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await gesture(app, pilot)

    asyncio.run(run())


def test_images_are_asked_for_once_and_shown_when_they_have_come():
    async def gesture(app, pilot):
        assert "none yet" in app.lines[0]
        assert "recorder.images(kind, images)" in app.text
        app.samples.listed(RUN)
        await pilot.pause()
        kinds = ["inputs", "reconstructions", "GEN-1", "GEN-2"]
        assert [each.kind for each in app.asked] == kinds
        assert app.text.count("reading …") == 4
        app.serve()
        app.samples.listed(RUN)
        await pilot.pause()
        assert "reading" not in app.text
        assert len(app.asked) == 4
        assert "1 of one latent each: ↓" in app.lines[0]
        assert "stage 2, step 50  4 of 4" in app.lines[0]
        assert "inputs  stage 1, step 0" in app.text
        assert "GEN-2  step 50" in app.text

    visit(gesture, (140, 30))


def test_moving_goes_through_the_training_and_back_to_the_newest():
    async def gesture(app, pilot):
        app.samples.listed(RUN)
        assert [each.step for each in app.samples.shown()] == [0, 200, 200, 50]
        app.samples.move(-1)
        assert app.samples.moment == (1, 200)
        app.samples.move(-1)
        assert [(each.kind, each.step) for each in app.samples.shown()] == [
            ("inputs", 0),
            ("reconstructions", 100),
            ("GEN-1", 100),
        ]
        await pilot.pause()
        assert "looking back" in app.lines[0]
        later = (*RUN, a_set(2, 100, "GEN-2"))
        app.samples.listed(later)
        assert app.samples.moment == (1, 100)
        app.samples.move(-9)
        assert app.samples.moment == (1, 0)
        app.samples.move(99)
        app.samples.listed((*later, a_set(2, 150, "GEN-2")))
        assert app.samples.moment == (2, 150)

    visit(gesture)


def test_one_kind_alone_is_larger():
    async def gesture(app, pilot):
        app.samples.listed(RUN)
        app.samples.choose(1)
        assert [each.kind for each in app.samples.shown()] == ["inputs"]
        app.samples.choose(4)
        assert [each.kind for each in app.samples.shown()] == ["traversal 17"]
        app.samples.choose(1)
        assert len(app.samples.shown()) == 4
        app.samples.choose(1)
        app.samples.listed(RUN[-1:])
        assert [each.kind for each in app.samples.shown()] == ["GEN-2"]

    visit(gesture)


def test_a_set_that_cannot_be_had_says_why():
    async def gesture(app, pilot):
        app.samples.listed((INPUTS,))
        app.samples.fail(INPUTS, "1-0-inputs.npy is cut short")
        await pilot.pause()
        assert "cut short" in app.text
        assert app.asked == [INPUTS]
        app.samples.move(0)
        app.serve()
        await pilot.pause()
        assert app.asked == [INPUTS, INPUTS]
        assert "cut short" not in app.text

    visit(gesture)


def test_sets_that_a_resumed_run_replaces_are_let_go():
    async def gesture(app, pilot):
        app.samples.listed(RUN)
        app.serve()
        app.samples.move(-1)
        app.samples.listed(RUN[:3])
        assert app.samples.moment == (1, 100)
        app.samples.take(RUN[-1], pixels(RUN[-1]))
        assert RUN[-1] not in app.samples._fetched

    visit(gesture, at_once=True)


def test_memory_is_bounded_by_what_is_in_sight(monkeypatch):
    monkeypatch.setattr(samples_module, "KEPT_BYTES", 3 * pixels(INPUTS).nbytes)

    async def gesture(app, pilot):
        many = tuple(a_set(1, step, "GEN-1") for step in range(20))
        app.samples.listed(many)
        for _ in range(19):
            app.samples.move(-1)
        assert len(app.samples._fetched) <= 3
        assert many[0] in app.samples._fetched
        app.samples.move(99)
        assert app.asked[-1] == many[-1]
        assert many[-1] in app.samples._fetched

    visit(gesture, at_once=True)


def test_nothing_is_drawn_anew_where_nothing_has_come(monkeypatch):
    async def gesture(app, pilot):
        app.samples.listed(RUN)
        before = app.samples.rows(app.samples.picture, 100, 30)
        assert app.samples.rows(app.samples.picture, 100, 30) is before

    visit(gesture, at_once=True)


@pytest.mark.parametrize("size", [(1, 1), (5, 2), (40, 10), (80, 24), (200, 60)], ids=str)
@pytest.mark.parametrize("pen", [Pen(DARK), Pen(LIGHT), Pen(MONO_DARK), Pen(DARK, ascii_only=True)])
def test_any_terminal_will_do(size, pen):
    async def gesture(app, pilot):
        app.samples.listed(RUN)
        await pilot.pause()
        assert len(app.lines) == size[1]
        if pen.ascii_only:
            assert app.text.isascii()

    visit(gesture, size=size, pen=pen, at_once=True)


def test_samples_are_in_their_own_colours():
    async def gesture(app, pilot):
        app.samples.listed((INPUTS,))
        await pilot.pause()
        colours = {
            segment.style.bgcolor.triplet.hex
            for strip in app.screen._compositor.render_strips()
            for segment in strip
            if segment.style and segment.style.bgcolor
        }
        assert "#a5a5a5" in colours

    visit(gesture, at_once=True)
