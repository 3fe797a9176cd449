"""What a paint costs: which widgets Textual styles, what is painted over nothing, how often a screen is."""

from textual._compositor import LayoutUpdate
from textual._styles_cache import StylesCache

from vaemon.watch.app import WatchApp
from vaemon.watch.render.cells import BLANK, Ink, Span
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
