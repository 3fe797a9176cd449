"""How far the terminal is behind. Private to Textual 8.2: its writer thread holds a queue of 30 writes."""

from typing import Any

from textual.app import App


def writer_backlog(app: App[Any]) -> int:
    """Frames that the terminal has not taken yet; 0 where it cannot be told.

    When the queue is full, the event loop stands still, and keys with it: on a slow link it must not fill.
    """
    thread = getattr(getattr(app, "_driver", None), "_writer_thread", None)
    queue = getattr(thread, "_queue", None)
    return int(queue.qsize()) if queue is not None else 0
