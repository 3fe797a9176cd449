"""What stands in the place of the panels while there is nothing to draw: what is waited for, and where."""

from collections.abc import Sequence
from textwrap import wrap

from rich.cells import cell_len, chop_cells

from vaemon.view.signs import safe
from vaemon.view.status import Kind
from vaemon.watch.render.cells import BLANK, Row, said
from vaemon.watch.widgets.lines import Panel
from vaemon.watch.widgets.picture import Picture


class Notice(Panel):
    """A few centred lines."""

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """The lines, in the middle."""
        lines = [(line, strong) for text, strong in told(picture) for line in _wrapped(text, max(width - 2, 1))]
        above = [BLANK] * max((height - len(lines)) // 2, 0)
        return [
            *above,
            *(
                (said(" " * ((width - cell_len(text)) // 2)), said(text, "text" if strong else "muted", bold=strong))
                for text, strong in lines
            ),
        ][:height]


def _wrapped(text: str, width: int) -> list[str]:
    # By characters first, at blanks; what is wider than its characters are many is cut once more.
    return [part for line in wrap(safe(text), width) for part in chop_cells(line, width)]


def told(picture: Picture) -> list[tuple[str, bool]]:
    """The lines, and whether each is the main one."""
    name, info, kind = picture.name, picture.view.info, picture.status.kind
    where = info.address if info is not None else ""
    if kind is Kind.LOST:
        return [
            (f"No answer from {name or 'the source'}", True),
            (picture.status.reason, False),
            ("It is asked again and again; nothing needs to be done here.", False),
        ]
    if kind is Kind.OPENING:
        return [(f"Opening {name}" if name else "Opening", True)]
    if kind is Kind.WAITING:
        return [
            (f"Waiting for {name}" if name else "Waiting for a run", True),
            (f"Nothing has been recorded at {where} yet." if where else "Nothing has been recorded yet.", False),
            ("This screen fills as soon as the first batch is logged.", False),
        ]
    if picture.view.rows or picture.status.live:
        return [(f"{name} has begun", True), ("The first batch has not been logged yet.", False)]
    return [(f"{name} has no rows", True), (f"It {kind} before the first batch was logged.", False)]
