"""The keys at the foot of the screen: those that do something in the view that is seen."""

from vaemon.watch.screens.bindings import RUN_KEYS
from vaemon.watch.views.catalogue import VIEWS
from vaemon.watch.widgets.gestures import TimeMouse
from vaemon.watch.widgets.keys import WORKS_IN


def test_the_keys_of_lists_and_time_axes_are_told_where_there_are_such(fake):
    app = fake.App(fake.Source(fake.stage(), shown={1: 700}), clock=fake.Clock(fake.when(fake.stage(), 700)))

    async def gesture(app, pilot):
        for number in VIEWS:
            await pilot.press(str(number))
            await pilot.pause()
            foot, view = fake.lines(app)[-1], app.run_screen.view
            timed = any(isinstance(each, TimeMouse) for each in view.walk_children())
            panels = [each for each in view.walk_children() if each.focusable]
            assert ("x steps" in foot, "+ closer" in foot) == (timed, timed)
            assert ("/ filter" in foot) == bool(view.lists)
            assert ("o by wake" in foot, "p pin" in foot) == (view.lists == "latents", view.lists == "latents")
            assert ("tab next" in foot) == (len(panels) > 1)
            assert ("F fold" in foot) == (number == 1)
            assert "? help" in foot
            assert "w write" in foot

    fake.play(app, gesture, size=(220, 60))


def test_only_keys_that_there_are_depend_on_the_view():
    assert WORKS_IN.keys() <= {key.id for key in RUN_KEYS}
