"""The keys: one table, from which the footer and the help are made too."""

from collections.abc import Iterable

from textual.binding import Binding

UP_DOWN = Binding.Group("latent (or event) above, below")
TEN = Binding.Group("ten further up, down")
ENDS = Binding.Group("first, last latent (or event)")
ASIDE = Binding.Group("crosshair to earlier, later values")
PANELS = Binding.Group("next panel, the one before")

APP_KEYS = [
    Binding("q,ctrl+c", "quit", "quit", key_display="q", priority=True, id="quit"),
]
RUN_KEYS = [
    Binding("question_mark", "help", "help", key_display="?", id="help"),
    Binding("space", "pause", "pause: the run goes on, the picture waits", id="pause"),
    Binding("t", "other_stage", "the other stage of the run", id="stage"),
    Binding("o", "order", "latents by wake, variance, KL, index", id="order"),
    Binding("x", "axis", "time axis in steps, epochs, time", id="axis"),
    Binding("L", "log", "charts linear, logarithmic", id="log"),
    Binding("s", "smooth", "charts raw, smoothed", id="smooth"),
    Binding("tab", "app.focus_next", "next panel", id="next", group=PANELS),
    Binding("shift+tab", "app.focus_previous", "panel before", show=False, group=PANELS),
    Binding("enter", "enlarge", "enlarge the panel; again, or esc: back", id="enlarge"),
    Binding("escape", "back", "one step back; never quits", key_display="esc", show=False),
    Binding("up,k", "move(-1)", "up", key_display="↑ k", show=False, group=UP_DOWN),
    Binding("down,j", "move(1)", "down", key_display="↓ j", show=False, group=UP_DOWN),
    Binding("pageup", "move(-10)", "ten up", key_display="pgup", show=False, group=TEN),
    Binding("pagedown", "move(10)", "ten down", key_display="pgdn", show=False, group=TEN),
    Binding("g,home", "move(-1000000)", "first", key_display="g home", show=False, group=ENDS),
    Binding("G", "move(1000000)", "last", show=False, group=ENDS),
    Binding("left,h", "cross(-1)", "earlier", key_display="← h", show=False, group=ASIDE),
    Binding("right,l", "cross(1)", "later", key_display="→ l", show=False, group=ASIDE),
    Binding("end", "follow", "crosshair off: the newest values", show=False),
]


def display(binding: Binding) -> str:
    """How a key is written."""
    return binding.key_display or binding.key


def told(bindings: Iterable[Binding]) -> list[tuple[str, str]]:
    """The keys as they are written, those of a group together, each with what it does."""
    lines: dict[str, list[str]] = {}
    for binding in bindings:
        lines.setdefault(binding.group.description if binding.group else binding.description, []).append(
            display(binding)
        )
    return [("  ".join(keys), what) for what, keys in lines.items()]
