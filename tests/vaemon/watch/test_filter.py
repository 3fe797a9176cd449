"""Narrowing a list while one types."""

import pytest
from textual.widgets import Input


@pytest.fixture
def app(fake):
    return fake.App(fake.Source(fake.stage(), shown={1: 700}), clock=fake.Clock(fake.when(fake.stage(), 700)))


def order(app):
    return app.run_screen.picture().order.tolist()


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("z3-9", lambda view, i: 3 <= i <= 9),
        ("12,40-41", lambda view, i: i in (12, 40, 41)),
        ("12, 40-41 , 50", lambda view, i: i in (12, 40, 41, 50)),
        ("var<.5", lambda view, i: view.latest.smoothed["mean_variance"][i] < 0.5),
        ("active", lambda view, i: view.states[i] == 3),
    ],
)
def test_the_wall_lists_what_was_typed_and_keeps_it_after_enter(fake, app, text, holds):
    async def gesture(app, pilot):
        app.run_screen._filter.begin("latents", text[:-1])
        await pilot.press(text[-1], "enter")
        await pilot.pause()
        view = app.run_screen.shown
        there = {i for i in range(64) if holds(view, i)}
        assert there
        assert set(order(app)) == there
        assert f"{len(there)} of 64 by wake" in "\n".join(fake.lines(app))
        assert type(app.focused).__name__ == "Wall"
        await pilot.press("slash")
        assert app.focused.value == text
        await pilot.press("escape")
        await pilot.pause()
        assert len(order(app)) == 64
        assert type(app.focused).__name__ == "Wall"
        assert app.is_running

    fake.play(app, gesture)


def test_keys_of_the_screen_are_letters_while_one_types(fake, app):
    async def gesture(app, pilot):
        await pilot.press("5", "slash", "q", "p", "question_mark", "1", "space", "o")
        await pilot.pause()
        assert app.is_running
        assert app.focused.value == "qp?1 o"
        assert app.run_screen.number == 5
        assert app.run_screen.look.pins == frozenset()

    fake.play(app, gesture)


def test_a_word_that_is_not_understood_is_complained_about(fake, app):
    async def gesture(app, pilot):
        await pilot.press("slash", *"vra")
        await pilot.pause()
        assert "“vra” is not understood" in "\n".join(fake.lines(app))
        assert len(order(app)) == 64
        await pilot.press("backspace", "backspace", "backspace", *"li")
        await pilot.pause()
        assert "not understood" not in "\n".join(fake.lines(app))
        assert 0 < len(order(app)) < 64

    fake.play(app, gesture)


def test_a_list_of_none_is_survived(fake, app):
    async def gesture(app, pilot):
        await pilot.press("slash", *"900", "enter", "j", "enter", "k", "p", "y", "1", "G")
        await pilot.pause()
        assert order(app) == []
        assert "0 of 64" in "\n".join(fake.lines(app))

    fake.play(app, gesture)


def test_events_by_their_words(fake, app):
    async def gesture(app, pilot):
        await pilot.press("5", "slash", *"stage", "enter")
        await pilot.pause()
        text = fake.lines(app)
        assert any("events  1 with “stage”" in line for line in text)
        assert not any(" woke" in line for line in text)
        await pilot.press("slash", "escape")
        await pilot.pause()
        assert any(" woke" in line for line in fake.lines(app))

    fake.play(app, gesture)


def test_pinned_latents_come_first_and_stand_out(fake, app):
    async def gesture(app, pilot):
        await pilot.press("G", "p", "j", "p")
        await pilot.pause()
        pins = app.run_screen.look.pins
        assert len(pins) == 2
        assert set(order(app)[:2]) == pins
        assert "".join(fake.lines(app)[:-1]).count("◆") >= 2
        await pilot.press("p")
        assert len(app.run_screen.look.pins) == 1

    fake.play(app, gesture)


@pytest.mark.parametrize("keys", [(), ("left", "left", "left")])
def test_copy(fake, app, monkeypatch, keys):
    copied = []
    monkeypatch.setattr(type(app), "copy_to_clipboard", lambda self, text: copied.append(text))

    async def gesture(app, pilot):
        await pilot.press(*keys, "y")
        await pilot.pause()
        assert "copied" in fake.lines(app)[-1]
        lines = copied[0].split("\n")
        at, columns, rows = app.run_screen.look.at, app.run_screen.shown.columns, fake.stage().rows
        step = 700 if at is None else int(columns.step[columns.place(at)])
        assert lines[:3] == ["run\trun42", "stage\t1", f"step\t{step}"]
        assert (
            len(lines)
            == 3 + len([name for name in ("gamma", "mse", "kl", "variance_law", "loss", "lr") if name in rows]) + 1 + 64
        )
        last = lines[-1].split("\t")
        assert last[0] == "63"
        if at is not None:
            told = rows["mean_variance"][step - columns.width : step, 63].mean()
            assert float(last[1]) == pytest.approx(told, rel=1e-4)

    fake.play(app, gesture)


def test_the_palette_finds_a_latent_and_changes_the_colours(fake, app):
    async def gesture(app, pilot):
        await pilot.press("ctrl+p", *"latent z17")
        await fake.settle(app, pilot)
        await pilot.press("enter")
        await fake.settle(app, pilot)
        await pilot.pause(0.2)
        assert app.run_screen.look.latent == 17
        before = app.theme
        await pilot.press("colon", *"light background")
        await fake.settle(app, pilot)
        await pilot.press("enter")
        await fake.settle(app, pilot)
        await pilot.pause(0.2)
        assert before != app.theme == "vaemon-light"
        ground = app.pen.palette["ground"]
        colours = {
            style.bgcolor.triplet.hex
            for strip in app.screen._compositor.render_strips()
            for _, style, _ in strip
            if style and style.bgcolor and style.bgcolor.triplet
        }
        assert ground in colours

    fake.play(app, gesture)


@pytest.mark.parametrize(("keys", "light"), [("slash", False), ("slash", True), ("colon", False), ("colon", True)])
def test_what_is_typed_has_the_colours_of_the_screen(fake, keys, light):
    app = fake.App(
        fake.Source(fake.stage(), shown={1: 700}), clock=fake.Clock(fake.when(fake.stage(), 700)), light=light
    )

    async def gesture(app, pilot):
        await pilot.press(keys)
        with app.focused.prevent(Input.Changed):  # the palette is not to look for it
            app.focused.value = "limbo"
        await pilot.pause()
        palette, segments = app.pen.palette, [each for line in app.screen._compositor.render_strips() for each in line]
        style = next(each.style for each in segments if each.text.strip() == "limbo")
        assert (style.color.name, style.bgcolor.name) == (palette["text"], palette["ground"])
        await pilot.press("escape")
        await pilot.pause()

    fake.play(app, gesture)
