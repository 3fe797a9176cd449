"""Writes what is seen of a run to a file of the working folder."""

from pathlib import Path

from vaemon.batch import Columns, Excerpt, Series
from vaemon.batch import Window as Steps
from vaemon.exchange.csv import write_csv, write_events
from vaemon.exchange.file import file_name
from vaemon.exchange.table import blocks
from vaemon.view.state import CHART_CHANNELS, RunView
from vaemon.watch.export.frame import Frame
from vaemon.watch.export.png import save_png
from vaemon.watch.export.svg import save_svg
from vaemon.watch.poller import Poller
from vaemon.watch.widgets.data import PanelData
from vaemon.watch.widgets.window import Window


def path_for(view: RunView, panel: str, suffix: str) -> Path:
    """The file that shows a panel of a run as it stands."""
    run = view.info.name if view.info is not None else ""
    return Path(file_name(run, panel, view.latest.step if view.latest is not None else 0, suffix))


def write_picture(frame: Frame, path: Path) -> Path:
    """Write a picture, SVG or PNG by its name; where it was written. Raises VaemonError."""
    return save_png(frame, path) if path.suffix == ".png" else save_svg(frame, path)


def write_numbers(poller: Poller, view: RunView, window: Window | None, data: PanelData, path: Path) -> Path:
    """Write every recorded row behind a panel, of those in sight; where it was written.

    Not to be called from the thread that asks the source: it does the asking, a block at a time between two polls.

    Raises:
        VaemonError: it cannot be written, or the source does not answer.
    """
    if data.is_events:
        return write_events(view.events, path)
    first, last = (window.first, min(window.last, view.rows)) if window is not None else (0, view.rows)
    channels = ("time", "epoch", *(data.channels or CHART_CHANNELS))
    source = _Borrowed(poller)
    return write_csv(blocks(source, view.stage, last, channels, latent=data.latent, begin=first), path)


class _Borrowed:
    """The source of a poller, asked in the poller's thread."""

    def __init__(self, poller: Poller) -> None:
        self._poller = poller

    def excerpt(self, asked: Excerpt) -> Columns:
        return self._poller.errand(lambda source: source.excerpt(asked)).result()

    def series(self, channel: str, window: Steps, points: int) -> Series:
        return self._poller.errand(lambda source: source.series(channel, window, points)).result()
