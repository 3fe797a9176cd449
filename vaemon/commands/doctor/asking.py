"""What a terminal answers when it is asked what it can do.

All questions go out at once; the last, for its attributes (DA1), every terminal answers, so that nothing is waited for
that will not come. The dashboard itself asks nothing: Textual takes an answer that it does not know for keys.
"""

import os
import re
import select
import termios
import time
import tty
from dataclasses import dataclass

from vaemon.commands.pictures import ask as ask_program

PATIENCE = 1.0
"""Seconds that a terminal may take; over a slow network most need a tenth of it."""
MOST_BYTES = 4096
"""Of its answers: those of real ones have some hundred."""
LONGEST_NAME = 80
SIGN = "⣿"
"""Of braille: what the charts are made of. Where it takes one cell, the terminal reads UTF-8."""
MUTE = ("", "dumb", "unknown", "linux", "cons25")
"""Terminals, as $TERM has them, that would write questions down in place of answering."""
QUESTIONS = (
    f"\r{SIGN}\x1b[6n\r\x1b[K"  # where the cursor is after it (DSR)
    "\x1b[>0q"  # name and version (XTVERSION)
    "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"  # Kitty's pictures
    "\x1bP+q4d73\x1b\\"  # writing to the clipboard: the capability Ms (XTGETTCAP)
    "\x1b[?1006$p"  # the mouse, by its extended protocol (DECRQM)
    "\x1b[c"
)


@dataclass(frozen=True, slots=True)
class Answers:
    """What was understood of it; None where nothing was said."""

    name: str = ""
    """As "kitty(0.36.4)"."""
    cells: int | None = None
    """That `SIGN` takes."""
    kitty: bool = False
    sixel: bool = False
    clipboard: bool = False
    mouse: bool | None = None
    answered: bool = False
    """Whether it said anything in time."""


def ask_terminal() -> Answers:
    """What the terminal of standard input answers; nothing where it is none, or this runs in its background."""
    if os.environ.get("TERM", "") in MUTE:
        return Answers()
    try:
        descriptor = os.open(os.ttyname(0), os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return Answers()
    try:
        return Answers() if _in_background(descriptor) else understood(_asked(descriptor))
    except (OSError, termios.error):
        return Answers()
    finally:
        os.close(descriptor)


def _in_background(descriptor: int) -> bool:
    """Whether the terminal would stop this process for changing its mode."""
    try:
        return os.tcgetpgrp(descriptor) != os.getpgrp()
    except OSError:  # it is not the terminal that controls this process
        return False


def _asked(descriptor: int) -> bytes:
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor, termios.TCSAFLUSH)
        os.write(descriptor, QUESTIONS.encode())
        return _answer(descriptor)
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)  # what comes late is not taken for keys
        os.write(descriptor, b"\r\x1b[K")


def _answer(descriptor: int) -> bytes:
    answer, until = b"", time.monotonic() + PATIENCE
    # Something that sends without an end, a file that is being pasted, neither keeps us nor is kept.
    while not re.search(rb"\x1b\[\?[\d;]*c", answer) and len(answer) < MOST_BYTES:
        left = until - time.monotonic()
        ready, _, _ = select.select([descriptor], [], [], max(left, 0))
        if left < 0 or not ready or not (more := os.read(descriptor, MOST_BYTES)):
            break
        answer += more
    return answer


def understood(answer: bytes) -> Answers:
    """What the answers say."""
    text = answer.decode("ascii", "replace")
    name = re.search(r"\x1bP>\|([^\x1b]*)\x1b\\", text)
    column = re.search(r"\x1b\[\d+;(\d{1,5})R", text)
    attributes = re.search(r"\x1b\[\?([\d;]*)c", text)
    known = attributes[1].split(";") if attributes else []
    mouse = re.search(r"\x1b\[\?1006;(\d)\$y", text)
    return Answers(
        name=name[1][:LONGEST_NAME] if name else "",
        cells=int(column[1]) - 1 if column else None,
        kitty="\x1b_Gi=31;OK" in text,
        sixel="4" in known[1:],
        clipboard="52" in known[1:] or "\x1bP1+r4d73" in text.replace("4D73", "4d73"),
        mouse=mouse[1] != "0" if mouse else None,
        answered=bool(attributes),
    )


def tmux_option(name: str) -> str:
    """What an option of the tmux around us is set to; "" where it cannot be told."""
    kinds = ("-gqv", "-sqv")  # of a session, of the server
    return next(filter(None, (ask_program(("tmux", "show-options", kind, name)) for kind in kinds)), "")
