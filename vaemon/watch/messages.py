"""What the parts of the dashboard tell each other."""

from collections.abc import Callable, Sequence

from textual.message import Message

from vaemon.batch import Array, ImageSet, Listed
from vaemon.view.state import RunView
from vaemon.watch.asked import Asked
from vaemon.watch.export.frame import Frame
from vaemon.watch.widgets.data import PanelData


class ViewChanged(Message):
    """A poller has a newer view. One that was not handled yet may be skipped."""

    def __init__(self, view: RunView, seat: int = 0) -> None:
        """Carry the view, and the key of the seat it is of."""
        super().__init__()
        self.view = view
        self.seat = seat

    def can_replace(self, message: Message) -> bool:
        """A newer view takes the place of an older one of the same run."""
        return isinstance(message, ViewChanged) and message.seat == self.seat


class SourceAsked(Message):
    """A person wants to see something else of the run."""

    def __init__(self, asked: Asked) -> None:
        """Carry the question."""
        super().__init__()
        self.asked = asked


class ReplayAsked(Message):
    """A person winds a replay on or back, or changes its speed."""

    def __init__(self, share: float = 0.0, times: float = 1.0, hold: bool | None = None) -> None:
        """Carry by which share of the run, by how many times the speed, and whether it is to stand still."""
        super().__init__()
        self.share = share
        self.times = times
        self.hold = hold


class ImagesAsked(Message):
    """Images of a set are to be seen."""

    def __init__(
        self, which: ImageSet, take: Callable[[ImageSet, Array], object], fail: Callable[[ImageSet, str], object]
    ) -> None:
        """Carry which set, and who takes the images, or the reason that they cannot be had."""
        super().__init__()
        self.which = which
        self.take = take
        self.fail = fail


class WriteAsked(Message):
    """A person wants a file of what is seen."""

    def __init__(self, suffix: str, data: PanelData, frame: Frame | None) -> None:
        """Carry the kind of file, the panel's numbers, and its picture where that is what is wanted."""
        super().__init__()
        self.suffix = suffix
        self.data = data
        self.frame = frame


class RunsListed(Message):
    """The directory has told which runs there are."""

    def __init__(self, listed: Sequence[Listed], why: str = "") -> None:
        """Carry the runs, or why it does not answer."""
        super().__init__()
        self.listed = listed
        self.why = why
