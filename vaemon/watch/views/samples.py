"""Recorded images: earlier and later moments aside, one kind alone up and down."""

from contextlib import AbstractContextManager

from textual.app import ComposeResult

from vaemon.batch import ImageSet
from vaemon.watch.messages import ImagesAsked
from vaemon.watch.views.view import View
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture
from vaemon.watch.widgets.samples import Samples


class SamplesView(View):
    """One panel, as large as the view."""

    DEFAULT_CSS = """
    SamplesView Samples { height: 1fr; }
    """
    first = "Samples"
    asks_images = True

    def __init__(self, pen: Pen) -> None:
        """Draw with `pen`."""
        super().__init__(pen)
        self.samples = Samples(pen, self._ask, classes="-pane")

    def compose(self) -> ComposeResult:
        """The panel."""
        yield self.samples

    def _ask(self, which: ImageSet) -> None:
        self.post_message(ImagesAsked(which, self.samples.take, self.samples.fail))

    def show(self, picture: Picture) -> None:
        """Draw what is not up to date."""
        self.samples.listed(picture.view.images)
        super().show(picture)

    def as_text(self) -> AbstractContextManager[None]:
        """True pictures are blocks while this lasts."""
        return self.samples.as_text()

    def move(self, by: int) -> bool:
        """Show one kind alone, the next, and all of them again."""
        self.samples.choose(1 if by > 0 else -1)
        return True

    def aside(self, by: int) -> bool:
        """Show a later moment, or an earlier one."""
        self.samples.move(by)
        return True
