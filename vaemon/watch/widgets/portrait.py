"""A chart of one channel of one latent."""

import numpy as np

from vaemon.batch import Array, Columns
from vaemon.view.state import LATENT_CHANNELS, Portrait
from vaemon.watch.widgets.chart import Chart, Quantity
from vaemon.watch.widgets.data import PanelData
from vaemon.watch.widgets.picture import Picture

PORTRAITS = (
    Quantity("mean_variance", "E[σ²]", level_name="inactive"),
    Quantity("latent_kl", "KL, nats"),
    Quantity("mean_mu", "E[μ]", level=0.0, level_name="prior"),
    Quantity("mu_squared", "E[μ²]"),
)


class LatentChart(Chart):
    """Draws the latent that was asked for closely; empty until it is here."""

    def data(self) -> PanelData:
        """The numbers of the latent, all of them."""
        chosen = self.picture.chosen
        return PanelData(f"z{chosen}", LATENT_CHANNELS, None if chosen < 0 else chosen)

    def columns(self, picture: Picture) -> Columns:
        """The columns of the chosen latent."""
        portrait = _portrait(picture)
        return portrait.columns if portrait is not None else Columns()

    def history(self, picture: Picture, channel: str) -> tuple[Array, Array]:
        """Of variance and KL, which are there of every latent, what stands before the rows in sight."""
        before, latent = picture.before, picture.chosen
        if channel not in before.mean or before.mean[channel].ndim < 2:
            return np.zeros(0), np.zeros(0)
        return before.mean[channel][:, latent], np.full(len(before), before.width)

    def newest(self, picture: Picture, channel: str) -> float | None:
        """The newest value of the latent, smoothed; None where there is none."""
        latest, latent = picture.view.latest, picture.chosen
        value = latest.smoothed.get(channel) if latest is not None else None
        return float(value[latent]) if value is not None and 0 <= latent < len(value) else None

    def latent(self, picture: Picture) -> int | None:
        """The chosen latent."""
        return picture.chosen

    def level(self, picture: Picture) -> float | None:
        """For E[σ²], from where on the latent is inactive."""
        return picture.view.thresholds.inactive if self.quantity.channel == "mean_variance" else self.quantity.level

    def seen(self, picture: Picture) -> object:
        """Which latent it is."""
        return picture.chosen, len(self.columns(picture)) > 0


def _portrait(picture: Picture) -> Portrait | None:
    """What is here of the chosen latent, in the rows in sight; None until it is here."""
    portrait, window = picture.view.portrait, picture.look.window
    if portrait is None or portrait.latent != picture.chosen or not len(portrait.columns):
        return None
    begin = portrait.columns.first * portrait.columns.width
    return portrait if begin == (window.first if window is not None else 0) else None
