"""The view of a run as far as it is recorded, for whoever looks at it once."""

from collections.abc import Callable

from vaemon.batch import Batch, Cursor, Want
from vaemon.view.fold import fold
from vaemon.view.state import RunView


def whole(poll: Callable[[Cursor, Want], Batch], want: Want) -> RunView:
    """All that a source has of what is wanted, however often it must be asked for it.

    Args:
        poll: of the source; what it raises is raised.
        want: what is asked for, each time.
    """
    view = fold(RunView(), poll(Cursor(), want))
    while view.loading:
        view = fold(view, poll(view.cursor, want))
    return view
