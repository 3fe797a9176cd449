"""What a paint costs: which widgets Textual styles, what is painted over nothing, how often a screen is."""

import asyncio
from unittest.mock import AsyncMock

from textual._compositor import LayoutUpdate
from textual._styles_cache import StylesCache

from vaemon.watch.app import WatchApp
from vaemon.watch.render.cells import BLANK, Ink, Span
from vaemon.watch.widgets.bare import Bare
from vaemon.watch.widgets.lines import LinesWidget


def test_a_tick_has_no_styles_looked_up_and_draws_only_the_rows_that_changed(fake, monkeypatch):
    source = fake.Source(fake.stage(), shown={1: 700})
    app = fake.App(source, clock=fake.Clock(fake.when(fake.stage(), 700)))
    styled, drawn = [], []
    render, line = StylesCache.render_widget, LinesWidget._line

    async def gesture(app, pilot):
        monkeypatch.setattr(StylesCache, "render_widget", lambda *a: styled.append(a[1]) or render(*a))
        monkeypatch.setattr(LinesWidget, "_line", lambda self, *a: drawn.append(self) or line(self, *a))
        source.shown[1] = 702
        app.step()
        await fake.settle(app, pilot)

    fake.play(app, gesture)
    assert styled == []
    assert 0 < len(drawn) < 40


def test_blanks_over_nothing_are_not_painted(fake):
    asked = []

    class Told(LinesWidget):
        def refresh(self, *regions, **options):
            asked.extend(regions)
            return super().refresh(*regions, **options)

    app = fake.App(fake.Source(fake.stage(), shown={1: 700}))

    async def gesture(app, pilot):
        widget = Told(app.pen)
        await app.screen.mount(widget)
        asked.clear()
        widget.publish([(Span("   "),), BLANK])
        widget.publish([(Span(" "), Span(" ")), (Span("  ", Ink("bad")),)])
        assert asked == []
        widget.publish([(Span("a"),), (Span("  ", Ink(bg="bad")),)])
        assert {region.y for region in asked} == {0, 1}

    fake.play(app, gesture)


def test_a_screen_that_comes_up_is_painted_whole_once(fake, monkeypatch):
    painted = []
    display = WatchApp._display
    app = fake.App(fake.Source(fake.stage(), shown={1: 700}))
    monkeypatch.setattr(
        WatchApp, "_display", lambda self, screen, update: painted.append(update) or display(self, screen, update)
    )

    async def gesture(app, pilot):
        pass

    fake.play(app, gesture)
    assert sum(isinstance(each, LayoutUpdate) for each in painted) == 1


def test_a_widget_of_another_size_is_not_painted_once_more_with_its_next_row(fake):
    app = fake.App(fake.Source(fake.stage(), shown={1: 700}))

    async def gesture(app, pilot):
        await pilot.resize_terminal(100, 30)
        await fake.settle(app, pilot)
        widgets = list(app.screen.walk_children(Bare))
        assert len(widgets) > 20
        assert [each for each in widgets if any(part.height > 1 for part in each._repaint_regions)] == []

    fake.play(app, gesture)


def test_a_screen_is_laid_out_at_its_size_the_first_time(fake, monkeypatch):
    given, update = [], Bare._size_updated
    monkeypatch.setattr(Bare, "_size_updated", lambda self, *a: given.append((self.id, a[0].width)) or update(self, *a))
    app = fake.App(fake.Source(fake.stage(), shown={1: 700}))

    async def gesture(app, pilot):
        assert {width for name, width in given if name == "side"} == {44}

    fake.play(app, gesture)


def test_the_curtain_is_painted_once(fake, monkeypatch):
    painted, display = [], WatchApp._display

    def told(self, screen, update):
        painted.extend([update] if isinstance(update, LayoutUpdate) else getattr(update, "spans", []))
        display(self, screen, update)

    monkeypatch.setattr(WatchApp, "_display", told)
    monkeypatch.setattr(WatchApp, "_open", hold := AsyncMock())
    app = fake.App(fake.Source(fake.stage(), shown={1: 700}), curtain=True)

    async def look():
        async with app.run_test() as pilot:
            for _ in range(5):
                await pilot.pause(0.02)

    asyncio.run(look())
    assert hold.called
    assert [type(each) for each in painted] == [LayoutUpdate]


def test_a_source_that_answers_at_once_is_not_waited_for_in_words(fake, monkeypatch):
    monkeypatch.setattr("vaemon.watch.screens.run.AT_ONCE", 600.0)
    app = fake.App(fake.Source(fake.stage(), shown={1: 700}))

    async def look():
        async with app.run_test(size=(120, 40)) as pilot:
            await fake.settle(app, pilot)
            app.run_screen.draw()
            assert not app.run_screen.has_class("-empty")
            app.run_screen._has_risen()
            assert app.run_screen.has_class("-empty")
            app.step()
            assert not app.run_screen.has_class("-empty")

    asyncio.run(look())
