"""The keys: one table, from which the footer, the help and the palette are made too.

The help tells what a group of keys does in one line; the palette lists each by what it does itself.
"""

from collections.abc import Iterable

from textual.binding import Binding

from vaemon.watch.names import VIEW_NAMES

UP_DOWN = Binding.Group("latent (event, run) above, below")
TEN = Binding.Group("ten further up, down")
ENDS = Binding.Group("first, last of a list")
ASIDE = Binding.Group("crosshair to earlier, later values")
EVENTS = Binding.Group("crosshair to the next event, the one before")
PANELS = Binding.Group("next panel, the one before")
VIEWS = Binding.Group("view before, after")
ZOOM = Binding.Group("closer, further off, all of the run")
RUNS = Binding.Group("next run, the one before")
SCRUB = Binding.Group("replay: a hundredth back, on")
LEAP = Binding.Group("replay: a tenth back, on")
SPEED = Binding.Group("replay: half, twice as fast")

APP_KEYS = [
    Binding("q,ctrl+c", "quit", "quit", key_display="q", priority=True, id="quit"),
]
RUN_KEYS = [
    Binding("question_mark", "help", "help", key_display="?", id="help"),
    Binding("colon", "app.command_palette", "all commands, by name", key_display=": ctrl+p", show=False),
    *(Binding(str(n), f"view({n})", f"view: {name}", show=False) for n, name in VIEW_NAMES.items()),
    Binding("left_square_bracket", "turn(-1)", "view before", key_display="[", show=False, group=VIEWS),
    Binding("right_square_bracket", "turn(1)", "view after", key_display="]", id="view", group=VIEWS),
    Binding("space", "pause", "pause: the run goes on, the picture waits", id="pause"),
    Binding("t", "other_stage", "the other stage of the run", id="stage"),
    Binding("r", "app.reach", "link lost: make it anew; may ask for a password", show=False),
    Binding("n", "other_run(1)", "next run", id="run", group=RUNS),
    Binding("N", "other_run(-1)", "run before", show=False, group=RUNS),
    Binding("o", "order", "latents by wake, variance, KL, index", id="order"),
    Binding("x", "axis", "time axis in steps, epochs, time", id="axis"),
    Binding("X", "log_time", "time axis linear, logarithmic: early steps have more room", show=False),
    Binding("L", "log", "values of charts linear, logarithmic", id="log"),
    Binding("s", "smooth", "charts raw, smoothed: a weight of .6, .9, .99 a recorded row", id="smooth"),
    Binding("tab", "app.focus_next", "next panel", id="next", group=PANELS),
    Binding("shift+tab", "app.focus_previous", "panel before", show=False, group=PANELS),
    Binding("enter", "enter", "into: the latent, the event, the run; a chart large", id="into"),
    Binding("f", "enlarge", "the panel with all of the room; again, or esc: back", show=False),
    Binding("escape", "back", "one step back; never quits", key_display="esc", show=False),
    Binding("up,k", "move(-1)", "latent (event, run) above", key_display="↑ k", show=False, group=UP_DOWN),
    Binding("down,j", "move(1)", "latent (event, run) below", key_display="↓ j", show=False, group=UP_DOWN),
    Binding("pageup", "move(-10)", "ten further up", key_display="pgup", show=False, group=TEN),
    Binding("pagedown", "move(10)", "ten further down", key_display="pgdn", show=False, group=TEN),
    Binding("g,home", "move(-1000000)", "first of a list", key_display="g home", show=False, group=ENDS),
    Binding("G", "move(1000000)", "last of a list", show=False, group=ENDS),
    Binding("left,h", "cross(-1)", "crosshair to earlier values", key_display="← h", show=False, group=ASIDE),
    Binding("right,l", "cross(1)", "crosshair to later values", key_display="→ l", show=False, group=ASIDE),
    Binding("e", "event(1)", "crosshair to the next event", show=False, group=EVENTS),
    Binding("E", "event(-1)", "crosshair to the event before", show=False, group=EVENTS),
    Binding("end", "follow", "crosshair off: the newest values", show=False),
    Binding("plus,equals_sign", "zoom(1)", "closer", key_display="+", id="zoom", group=ZOOM),
    Binding("minus", "zoom(-1)", "further off", key_display="-", show=False, group=ZOOM),
    Binding("0", "zoom(0)", "all of the run", show=False, group=ZOOM),
    Binding("slash", "filter", "only some latents (events, runs)", key_display="/", id="filter"),
    Binding("F", "fold", "wall folded to fit: strips of several latents; all of them again", id="fold"),
    Binding("p", "pin", "pin the latent: it comes first, and stands out", id="pin"),
    Binding("y", "copy", "copy the values shown", show=False),
    Binding("w", "write", "write what is seen: picture or data", id="write"),
    Binding("comma", "scrub(-0.01)", "replay: a hundredth back", key_display=",", show=False, group=SCRUB),
    Binding("full_stop", "scrub(0.01)", "replay: a hundredth on", key_display=".", show=False, group=SCRUB),
    Binding("less_than_sign", "scrub(-0.1)", "replay: a tenth back", key_display="<", show=False, group=LEAP),
    Binding("greater_than_sign", "scrub(0.1)", "replay: a tenth on", key_display=">", show=False, group=LEAP),
    Binding("left_parenthesis", "pace(0.5)", "replay: half as fast", key_display="(", show=False, group=SPEED),
    Binding("right_parenthesis", "pace(2.0)", "replay: twice as fast", key_display=")", show=False, group=SPEED),
]


def display(binding: Binding) -> str:
    """How a key is written."""
    return binding.key_display or binding.key


def footer(bindings: Iterable[Binding]) -> list[tuple[str, str]]:
    """The keys at the foot of the screen, each with its id."""
    shown = [each for each in bindings if each.show and each.id]
    return [("1-9" if each.id == "view" else display(each), each.id or "") for each in shown]


def told(bindings: Iterable[Binding]) -> list[tuple[str, str]]:
    """The keys as they are written, those of a group together, each with what it does."""
    lines: dict[str, list[str]] = {}
    for binding in bindings:
        lines.setdefault(binding.group.description if binding.group else binding.description, []).append(
            display(binding)
        )
    return [("  ".join(keys), what) for what, keys in lines.items()]
