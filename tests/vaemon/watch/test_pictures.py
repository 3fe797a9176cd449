"""Samples as true pictures: what the terminal is sent, and what stands on the screen."""

import asyncio
import re

import numpy as np
import pytest
from textual.app import App

from vaemon.batch import ImageSet
from vaemon.watch.render.cells import Span
from vaemon.watch.render.kitty import MARKS, PLACEHOLDER
from vaemon.watch.render.palette import DARK, MONO_DARK, SIXTEEN_DARK
from vaemon.watch.render.pixels import Grain
from vaemon.watch.widgets import held as held_module
from vaemon.watch.widgets import samples as samples_module
from vaemon.watch.widgets.held import HeldPictures
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.samples import Samples

RUN = tuple(ImageSet(1, step, kind, 16, 16, 16, 3) for step in (100, 200) for kind in ("GEN-1", "reconstructions"))


def pixels(which):
    return np.random.default_rng(which.step).integers(0, 256, (which.count, 16, 16, 3), np.uint8)


class Terminal:
    """Takes what is written, and keeps the numbers of the pictures that it holds."""

    def __init__(self):
        self.sent = []
        self.holds = {}

    def write(self, text):
        self.sent.append(text)
        if drawn := re.match(r"\x1b_Ga=T,.*?i=(\d+),c=(\d+),r=(\d+),", text):
            number, *size = map(int, drawn.groups())
            self.holds[number] = tuple(size)
        elif forgotten := re.fullmatch(r"\x1b_Ga=d,d=I,i=(\d+),q=2\x1b\\", text):
            del self.holds[int(forgotten[1])]
        else:
            raise AssertionError(text[:60])


class Gallery(App):
    CSS = "Samples { height: 1fr; }"

    def __init__(self, pen):
        super().__init__(ansi_color=True)
        self.samples = Samples(pen, lambda which: self.samples.take(which, pixels(which)))

    def compose(self):
        yield self.samples

    def cells(self):
        """Every placeholder on the screen: (colour, first byte of the number, row, column) by place."""
        found = {}
        for y, strip in enumerate(self.screen._compositor.render_strips()):
            x = 0
            for segment in strip:
                for sign in re.findall(f"{PLACEHOLDER}[{MARKS}]*|.", segment.text):
                    if sign.startswith(PLACEHOLDER):
                        row, column, first = map(MARKS.index, sign[1:])
                        found[x, y] = (segment.style.color.number, first, row, column)
                    x += 1
        return found

    def pictures(self):
        """The numbers of the pictures on the screen, and how many cells each has."""
        counts = {}
        for colour, first, *_ in self.cells().values():
            counts[first << 24 | colour] = counts.get(first << 24 | colour, 0) + 1
        return counts


def visit(gesture, palette=DARK, size=(100, 30), ascii_only=False, **options):
    terminal = Terminal()
    pen = Pen(palette, ascii_only=ascii_only)
    pen.pictures = HeldPictures(terminal.write, **options)

    async def run():
        app = Gallery(pen)
        async with app.run_test(size=size) as pilot:
            app.samples.listed(RUN)
            await pilot.pause()
            await gesture(app, pilot, terminal)

    asyncio.run(run())
    return terminal


def test_a_picture_is_where_its_placeholders_are():
    async def look(app, pilot, terminal):
        assert len(terminal.holds) == 2
        assert app.pictures() == {number: cells * rows for number, (cells, rows) in terminal.holds.items()}
        for number, (cells, rows) in terminal.holds.items():
            places = {at: each for at, each in app.cells().items() if each[:2] == (number & 255, number >> 24)}
            left, top = min(places)
            assert places == {
                (left + x, top + y): (number & 255, number >> 24, y, x) for x in range(cells) for y in range(rows)
            }

    visit(look)


def test_each_is_sent_once_and_none_when_nothing_has_changed():
    async def look(app, pilot, terminal):
        first = app.pictures()
        app.samples.move(-1)
        await pilot.pause()
        assert len(terminal.sent) == 4
        assert not first.keys() & app.pictures().keys()
        app.samples.move(1)
        for _ in range(3):
            app.samples.show(app.samples.picture)
            await pilot.pause()
        assert app.pictures() == first
        assert len(terminal.sent) == 4

    visit(look)


def test_another_size_is_another_picture():
    async def look(app, pilot, terminal):
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        assert {*app.pictures()} <= {*terminal.holds}
        assert app.pictures() == {number: np.prod(terminal.holds[number]) for number in app.pictures()}

    visit(look)


def test_the_terminal_forgets_those_seen_longest_ago_and_all_when_left(monkeypatch):
    monkeypatch.setattr(held_module, "HELD", 3)

    async def look(app, pilot, terminal):
        app.samples.move(-1)
        await pilot.pause()
        assert len(terminal.holds) == 3
        assert {*app.pictures()} <= {*terminal.holds}
        app.samples.pen.pictures.clear()

    terminal = visit(look)
    assert terminal.holds == {}
    assert sum("a=T" in each for each in terminal.sent) == sum("a=d" in each for each in terminal.sent) == 4


@pytest.mark.parametrize("options", [{"palette": MONO_DARK}, {"palette": SIXTEEN_DARK}, {"ascii_only": True}], ids=str)
def test_where_colours_are_few_there_are_no_pictures(options):
    async def look(app, pilot, terminal):
        assert app.cells() == {}

    assert visit(look, **options).sent == []


def test_over_a_thin_link_large_pictures_are_blocks(monkeypatch):
    monkeypatch.setattr(held_module, "AFAR", 20_000)

    async def look(app, pilot, terminal):
        assert app.cells() == {}
        assert any("▀" in strip.text for strip in app.screen._compositor.render_strips())

    assert visit(look, afar=True).sent == []
    monkeypatch.setattr(held_module, "AFAR", 200_000)

    async def smaller(app, pilot, terminal):
        assert len(app.pictures()) == 2

    visit(smaller, afar=True)


def test_what_is_written_to_a_file_has_blocks():
    async def look(app, pilot, terminal):
        before = app.cells()
        with app.samples.as_text():
            assert app.cells() == {}
            assert any("▀" in strip.text for strip in app.screen._compositor.render_strips())
        assert app.cells() == before
        assert len(terminal.sent) == 2

    visit(look)


def test_no_run_can_name_itself_into_a_picture():
    async def look(app, pilot, terminal):
        evil = ImageSet(1, 300, PLACEHOLDER + MARKS[0], 4, 16, 16, 3)
        app.samples.listed((evil,))
        await pilot.pause()
        assert len(app.pictures()) == 1

    visit(look)
    assert PLACEHOLDER not in Pen(DARK).strip((Span(PLACEHOLDER + MARKS[0]),), 1).text


@pytest.mark.parametrize(
    ("across", "down", "size"),
    [
        # A place is 48 cells by 28 rows; four by four samples of 16 pixels, 1 between them, are enlarged …
        (10, 20, (67, 67)),
        # … or made smaller: 10 pixels each, 2 between them.
        (1, 2, (46, 46)),
    ],
)
def test_no_more_pixels_are_sent_than_a_sample_or_the_screen_has(monkeypatch, across, down, size):
    grain = Grain(across, down, least=9, gap=2)
    monkeypatch.setattr(samples_module, "grain_of_terminal", lambda: grain)

    async def look(app, pilot, terminal):
        for text in terminal.sent:
            cells, rows = (int(each) for each in re.search(r"c=(\d+),r=(\d+)", text).groups())
            data = "".join(re.findall(r";([^\x1b]*)\x1b", text))
            assert _png_size(data) == size
            assert cells <= 48
            assert rows <= 28
            assert abs(cells * across - rows * down) <= max(across, down), "they are as square as the samples"

    visit(look)


def _png_size(data):
    from base64 import b64decode

    head = b64decode(data)[16:24]
    return int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")
