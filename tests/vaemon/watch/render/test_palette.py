import numpy as np
import pytest

from vaemon.watch.render import palette
from vaemon.watch.render.heat import LEVELS


def luminance(colour):
    """Relative luminance (WCAG 2.2)."""
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("chosen", palette.ALL, ids=lambda each: each.name)
def test_all_names_are_known_to_all_palettes(chosen):
    assert set(chosen.colours) == set(palette.DARK.colours)
    assert all(len(colour) == 7 and int(colour[1:], 16) >= 0 for colour in chosen.colours.values())


@pytest.mark.parametrize("chosen", [palette.DARK, palette.LIGHT], ids=lambda each: each.name)
def test_the_scale_of_heat_falls_evenly_in_light(chosen):
    light = np.array([luminance(chosen[f"heat{i}"]) for i in range(LEVELS)]) ** (1 / 3)
    steps = -np.diff(light)
    assert (steps > 0).all()
    assert steps.max() < 0.12


@pytest.mark.parametrize("chosen", palette.ALL, ids=lambda each: each.name)
@pytest.mark.parametrize(
    "name", ["text", "muted", "accent", "good", "warn", "bad", "line", "active", "waking", "limbo"]
)
def test_text_can_be_read(chosen, name):
    assert contrast(chosen[name], chosen["ground"]) >= 4.0


def test_a_sleeper_is_told_from_what_has_not_happened_yet():
    for chosen in (palette.DARK, palette.LIGHT):
        assert chosen[f"heat{LEVELS - 1}"] != chosen["ground"]
        assert contrast(chosen["heat0"], chosen["ground"]) > 1.4
