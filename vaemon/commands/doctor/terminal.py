"""The terminal: what the dashboard will look like in it."""

import shutil
import sys
from collections.abc import Iterator, Mapping

from vaemon.commands.doctor.asking import Answers, ask_terminal, tmux_option
from vaemon.commands.pictures import draws_pictures
from vaemon.diagnosis import Diagnosis, fine, warning

LEAST = (40, 10)
"""Columns and rows below which the dashboard shows next to nothing."""
ROOMY = (120, 40)
"""Where all of it is seen."""


def examine(environ: Mapping[str, str]) -> Iterator[Diagnosis]:
    """All about the terminal; where there is none, that."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield fine("terminal", "none here: `vaemon watch` prints text", tty=False)
        return
    answers = ask_terminal()
    yield _name(environ, answers)
    yield _size(*shutil.get_terminal_size())
    yield _colours(environ)
    yield _unicode(sys.stdout.encoding, answers)
    yield _pictures(environ, answers)
    yield _clipboard(answers, tmux_option("set-clipboard") if "TMUX" in environ else "")
    yield _mouse(answers, tmux_option("mouse") if "TMUX" in environ else "")


def _name(environ: Mapping[str, str], answers: Answers) -> Diagnosis:
    term = environ.get("TERM", "")
    ways = [("TMUX", "in tmux"), ("STY", "in screen"), ("ZELLIJ", "in Zellij"), ("SSH_CONNECTION", "over ssh")]
    around = [words for variable, words in ways if variable in environ]
    told = answers.name or environ.get("TERM_PROGRAM", "") or ("" if answers.answered else "does not say what it can")
    text = " · ".join(each for each in (f"TERM={term}", told, *around) if each)
    facts = {"tty": True, "term": term, "name": answers.name or None, "answered": answers.answered, "around": around}
    if term in ("", "dumb", "unknown"):
        return warning(
            "terminal", text, "set TERM to what it is, as xterm-256color; or `vaemon watch --follow`", **facts
        )
    return fine("terminal", text, **facts)


def _size(columns: int, rows: int) -> Diagnosis:
    text = f"{columns} x {rows}"
    if columns < LEAST[0] or rows < LEAST[1]:
        advice = f"make it larger: {LEAST[0]} x {LEAST[1]} at least, {ROOMY[0]} x {ROOMY[1]} shows all"
        return warning("size", text, advice, columns=columns, rows=rows)
    return fine("size", text, columns=columns, rows=rows)


def _colours(environ: Mapping[str, str]) -> Diagnosis:
    from rich.console import Console

    system = Console(force_terminal=True).color_system
    if "NO_COLOR" in environ:
        return fine("colours", "none, for $NO_COLOR is set", system=None)
    if system == "truecolor":
        return fine("colours", "all (24 bit)", system=system)
    text = {"256": "256 of them", "standard": "16 of them"}.get(system or "", "none")
    advice = "where the terminal has all: export COLORTERM=truecolor (ssh: SendEnv COLORTERM)"
    return (
        fine("colours", f"{text}; {advice}", system=system)
        if system == "256"
        else warning("colours", text, advice, system=system)
    )


def _unicode(encoding: str, answers: Answers) -> Diagnosis:
    facts = {"encoding": encoding, "cells": answers.cells}
    if encoding.lower().replace("-", "") != "utf8":
        advice = "set a locale of UTF-8, as LC_ALL=C.UTF-8; or `vaemon watch --ascii`"
        return warning("signs", f"{encoding}: charts are drawn in ASCII", advice, **facts)
    if answers.cells not in (None, 1):
        text = f"{encoding}, but the terminal takes a sign of braille for {answers.cells} cells"
        return warning("signs", text, "have it read UTF-8; or `vaemon watch --ascii`", **facts)
    return fine("signs", encoding, **facts)


def _pictures(environ: Mapping[str, str], answers: Answers) -> Diagnosis:
    drawn = draws_pictures("auto", environ)
    facts = {"drawn": drawn, "kitty": answers.kitty, "sixel": answers.sixel}
    if drawn:
        return fine("pictures", "samples are true pictures, by Kitty's protocol", **facts)
    text = "samples are drawn as blocks"
    if answers.kitty:
        text += "; it knows Kitty's protocol: try `vaemon watch --pictures kitty`"
    elif "TMUX" in environ:
        text += "; in Kitty or Ghostty, `tmux set -g allow-passthrough on` lets pictures through"
    elif answers.sixel:
        text += "; it knows Sixel, which vaemon does not use"
    return fine("pictures", text, **facts)


def _clipboard(answers: Answers, tmux: str) -> Diagnosis:
    facts = {"told": answers.clipboard, "tmux": tmux or None}
    if tmux in ("off", "external"):  # with "external", only what tmux itself copies
        text = f"tmux lets nothing through that `y` copies (OSC 52): its set-clipboard is {tmux}"
        return warning("clipboard", text, "tmux set -s set-clipboard on", **facts)
    if answers.clipboard:
        return fine("clipboard", "`y` copies to it (OSC 52)", **facts)
    return fine("clipboard", "the terminal does not say whether `y` copies to it (OSC 52)", **facts)


def _mouse(answers: Answers, tmux: str) -> Diagnosis:
    facts = {"told": answers.mouse, "tmux": tmux or None}
    if tmux == "off":
        # tmux hands the mouse to a program that asks for it only where its own option is on.
        return fine("mouse", "off in tmux: `tmux set -g mouse on`; all can be done with keys", **facts)
    text = {True: "clicks and wheel are told", False: "none; all can be done with keys"}
    return fine("mouse", text[answers.mouse] if answers.mouse is not None else "not told; try it", **facts)
