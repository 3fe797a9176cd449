"""What the dashboard tells its terminal beside the frames: signals, and true pictures."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from textual import work

from vaemon.watch.closing import Closing

if TYPE_CHECKING:
    from vaemon.watch.widgets.pen import Pen


class AtTerminal(Closing):
    """An app whose terminal may draw pictures itself."""

    @cached_property
    def pen(self) -> Pen:
        """What is drawn with."""
        raise NotImplementedError

    def tell_terminal(self, escapes: str) -> None:
        """Write to the terminal, between two frames."""
        if self._driver is not None:
            self._driver.write(escapes)
            self._driver.flush()

    @work(thread=True, exit_on_error=False)
    def choose_pictures(self, true_pictures: Callable[[], bool]) -> None:
        """Have samples drawn as true pictures where `true_pictures` says so, which may take its time."""
        if true_pictures():
            self.call_from_thread(self._draw_pictures)

    def _draw_pictures(self) -> None:
        from vaemon.watch.widgets.held import HeldPictures

        far, in_tmux = ("SSH_CONNECTION" in os.environ, "TMUX" in os.environ)
        self.pen.pictures = HeldPictures(self.tell_terminal, in_tmux=in_tmux, afar=far)
        self.run_screen.draw_soon()

    def on_exit_app(self) -> None:
        """Leave no picture in the terminal; once its other screen is shown, those of this one are out of reach."""
        if "pen" in vars(self) and self.pen.pictures is not None:
            self.pen.pictures.clear()
