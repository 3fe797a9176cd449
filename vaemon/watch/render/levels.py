"""The scale of heat, without what draws it."""

LEVELS = 16
"""Steps of the scale; more would cost bytes, for the noise of a batch would cross them all the time."""
SHADES = "█▓▒░·"
"""From awake to asleep, where there are no colours."""
