"""What the decoder makes of codes along one latent: recorded images of the kind "traversal N", N the latent."""

import numpy as np

from vaemon.batch import Array
from vaemon.watch.render.cells import Row, join, said
from vaemon.watch.widgets.picture import Picture
from vaemon.watch.widgets.samples import TRAVERSAL, Samples


class Traversal(Samples, can_focus=False):
    """The newest traversal of the chosen latent, or that of the crosshair's moment."""

    def choose_from(self, picture: Picture) -> bool:
        """Take what there is of the chosen latent in the stage shown; False where there is nothing."""
        kind, view, columns, at = f"{TRAVERSAL}{picture.chosen}", picture.view, picture.columns, picture.look.at
        until = int(columns.step[columns.place(at)]) if at is not None and len(columns) else None
        own = [each for each in view.images if each.kind == kind and each.stage == view.stage]
        self.listed([each for each in own if until is None or each.step <= until])
        return bool(self.moments)

    def _some(self, images: Array, count: int) -> Array:
        """From end to end, in even steps."""
        return images[np.linspace(0, len(images) - 1, max(count, 1)).round().astype(np.int64)]

    def _title(self, width: int) -> Row:
        parts: list[Row] = [(said(f" as z{self.picture.chosen} varies", bold=True),), (said("decoded", "muted"),)]
        return join(parts, said("  "), width)
