"""What of a run is news, to be told at once: more than further rows, of which a person reads the figures at leisure."""

from vaemon.batch import Batch, Want
from vaemon.view.state import RunView
from vaemon.watch.asked import Asked

AT_LEISURE = 1.0
"""Seconds that may pass between two questions for further rows."""


def only_news(asked: Asked) -> Want:
    """The question for that alone."""
    return Want((), stage=asked.stage, columns=0, end=asked.end, newest=False)


def can_wait(view: RunView, wait: float) -> bool:
    """Whether the further rows of a run can wait until the question after the next, which comes in `wait` seconds.

    Not where two questions take longer, nor where they come sooner: who has chosen to see more frames is to see them.
    """
    return view.latest is not None and wait < AT_LEISURE <= 2 * wait


def is_news(view: RunView, batch: Batch) -> bool:
    """Whether an answer to that question has more than what is on the screen."""
    told, info = view.info, batch.info
    if told is None or batch.events or batch.events_anew or batch.rewound_to is not None:
        return True
    same = (told.state, told.reason, told.stages) == (info.state, info.reason, info.stages)
    return not same or batch.stage != view.stage or batch.rows < view.rows or batch.more
