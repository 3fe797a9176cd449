"""Colours as Textual wants them, and which the terminal asks for."""

from textual.theme import Theme

from vaemon.watch.render.palette import Palette


def is_light(colorfgbg: str) -> bool:
    """Whether $COLORFGBG, "foreground;background" by number, tells of a light background."""
    background = colorfgbg.rpartition(";")[2]
    return background in ("7", "15")


def theme_of(palette: Palette) -> Theme:
    """The theme in which Textual's own widgets fit the palette."""
    return Theme(
        name=palette.name,
        dark=palette.dark,
        primary=palette["accent"],
        foreground=palette["text"],
        background=palette["ground"],
        surface=palette["ground"],
        panel=palette["ground"],
        warning=palette["warn"],
        error=palette["bad"],
        success=palette["good"],
        accent=palette["accent"],
    )
