"""Colours by name: one dark table, one light, one without colour, one of the sixteen named colours.

The heat scale is inferno (S. van der Walt and N. Smith, 2015, CC0; the polynomial fit by M. Zucker), cut at both
ends: it rises evenly in lightness, so that it can be read with any kind of colour blindness and in greyscale.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vaemon.watch.render.levels import LEVELS, SHADES

_INFERNO = (
    (0.0002189403691192265, 0.001651004631001012, -0.01948089843709184),
    (0.1065134194856116, 0.5639564367884091, 3.932712388889277),
    (11.60249308247187, -3.972853965665698, -15.9423941062914),
    (-41.70399613139459, 17.43639888205313, 44.35414519872813),
    (77.162935699427, -33.40235894210092, -81.80730925738993),
    (-71.31942824499214, 32.62606426397723, 73.20951985803202),
    (25.13112622477341, -12.24266895238567, -23.07032500287172),
)


@dataclass(frozen=True, slots=True)
class Palette:
    """What the names of colours mean on one kind of terminal."""

    name: str
    dark: bool
    colours: Mapping[str, str]
    shaded: bool = False
    """Whether heat is told by density, for want of colours."""

    def __getitem__(self, name: str) -> str:
        # A colour of a recorded image is its own name.
        return name if name.startswith("#") else self.colours[name]


def heat_scale(asleep: float, awake: float) -> dict[str, str]:
    """Colours of the levels of heat; level 0 is awake, the last asleep. The bounds are places on inferno, 0 to 1.

    Latents that are awake differ little in colour, those in limbo and the collapsed ones more.
    """
    places = [awake - (awake - asleep) * (i / (LEVELS - 1)) ** 1.3 for i in range(LEVELS)]
    return {f"heat{i}": _inferno(place) for i, place in enumerate(places)}


def _inferno(place: float) -> str:
    channels = (sum(factors[c] * place**power for power, factors in enumerate(_INFERNO)) for c in range(3))
    return "#{:02x}{:02x}{:02x}".format(*(int(min(max(channel, 0.0), 1.0) * 255) for channel in channels))


def _shades(colours: Mapping[str, str]) -> dict[str, str]:
    names = ("active", "waking", "limbo", "limbo", "collapsed")
    return {f"shade{i}": colours[name] for i, name in zip(range(len(SHADES)), names, strict=True)}


def _with_shades(colours: dict[str, str]) -> dict[str, str]:
    return colours | _shades(colours)


RUN_COLOURS = 8
"""Runs that are told apart by colour; the colours are those of M. Okabe and K. Ito (2008), fit to the background."""


def _runs(*colours: str) -> dict[str, str]:
    return {f"run{i}": colour for i, colour in enumerate(colours)}


DARK = Palette(
    "vaemon-dark",
    True,
    _with_shades(
        {
            "ground": "#0e1116",
            "text": "#dde1e8",
            "muted": "#8a93a3",
            "faint": "#3b4350",
            "accent": "#7cc4ff",
            "line": "#7cc4ff",
            "band": "#2f4a61",
            "reference": "#c39a5a",
            "cursor": "#ffffff",
            "good": "#4cc9a4",
            "warn": "#f2b04a",
            "bad": "#ff6a5e",
            "active": "#fcc94a",
            "waking": "#ef7a3a",
            "limbo": "#a45fb8",
            "collapsed": "#6d7688",
            **_runs(
                *("#e69f00", "#56b4e9", "#1fb88f", "#e08fc0", "#f0e442", "#f2703c", "#6f8ff0", "#b9c0cc"),
            ),
            **heat_scale(asleep=0.13, awake=0.97),
        }
    ),
)

LIGHT = Palette(
    "vaemon-light",
    False,
    _with_shades(
        {
            "ground": "#fcfcfa",
            "text": "#1f2329",
            "muted": "#656d78",
            "faint": "#c9ced6",
            "accent": "#075fae",
            "line": "#075fae",
            "band": "#b3d0ea",
            "reference": "#96650f",
            "cursor": "#000000",
            "good": "#0a7a5c",
            "warn": "#995700",
            "bad": "#c42b1c",
            "active": "#a86a00",
            "waking": "#c0431a",
            "limbo": "#7e3a94",
            "collapsed": "#747c87",
            **_runs(
                *("#a86a00", "#0072b2", "#007a5c", "#a8437d", "#7d7300", "#c04a00", "#3b4cc0", "#4a4f57"),
            ),
            **heat_scale(asleep=0.13, awake=0.87),
        }
    ),
)


def _few(name: str, *, dark: bool, ink: str, second: str, ground: str, named: Mapping[str, str]) -> Palette:
    colours = dict.fromkeys(DARK.colours, ink) | {"ground": ground, "muted": second, "faint": second, "band": second}
    return Palette(name, dark, _with_shades(colours | dict(named)), shaded=True)


MONO_DARK = _few("vaemon-mono-dark", dark=True, ink="#ffffff", second="#aaaaaa", ground="#000000", named={})
MONO_LIGHT = _few("vaemon-mono-light", dark=False, ink="#000000", second="#555555", ground="#ffffff", named={})

# Exactly the values that a terminal of sixteen colours is asked for by number.
SIXTEEN_DARK = _few(
    "vaemon-16-dark",
    dark=True,
    ink="#ffffff",
    second="#aaaaaa",
    ground="#000000",
    named={
        "accent": "#55ffff",
        "line": "#55ffff",
        "band": "#0000aa",
        "reference": "#aa5500",
        "good": "#55ff55",
        "warn": "#ffff55",
        "bad": "#ff5555",
        "active": "#ffff55",
        "waking": "#ff5555",
        "limbo": "#ff55ff",
        "collapsed": "#aaaaaa",
        **_runs(*("#ffff55", "#55ffff", "#55ff55", "#ff55ff", "#ff5555", "#5555ff", "#ffffff", "#aaaaaa")),
    },
)
SIXTEEN_LIGHT = _few(
    "vaemon-16-light",
    dark=False,
    ink="#000000",
    second="#555555",
    ground="#ffffff",
    named={
        "accent": "#0000aa",
        "line": "#0000aa",
        "band": "#55ffff",
        "reference": "#aa5500",
        "good": "#0000aa",
        "warn": "#aa5500",
        "bad": "#aa0000",
        "active": "#aa5500",
        "waking": "#aa0000",
        "limbo": "#aa00aa",
        "collapsed": "#555555",
        **_runs(*("#aa5500", "#0000aa", "#00aa00", "#aa00aa", "#aa0000", "#00aaaa", "#000000", "#555555")),
    },
)

ALL = (DARK, LIGHT, MONO_DARK, MONO_LIGHT, SIXTEEN_DARK, SIXTEEN_LIGHT)


def choose(*, dark: bool, colours: bool, depth: str | None) -> Palette:
    """The palette for a terminal.

    Args:
        dark: whether its background is dark.
        colours: whether colours are wanted (not with NO_COLOR).
        depth: what it can show, as rich names it: "truecolor", "256", "standard", or None for nothing.
    """
    if not colours or depth is None:
        return MONO_DARK if dark else MONO_LIGHT
    if depth == "standard":
        return SIXTEEN_DARK if dark else SIXTEEN_LIGHT
    return DARK if dark else LIGHT
