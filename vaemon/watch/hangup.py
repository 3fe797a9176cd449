"""Whether the terminal has gone."""

import select
from typing import TextIO

GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL


def hung_up(terminal: TextIO | None) -> bool:
    """Whether nobody is at the other end of a terminal any more; Textual would go on reading nothing from it."""
    if terminal is None or terminal.closed:
        return True
    waiting = select.poll()
    waiting.register(terminal.fileno(), 0)  # a hang-up is told unasked
    return any(what & GONE for _, what in waiting.poll(0))
