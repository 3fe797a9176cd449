"""The thresholds by which latents are judged: what their states, wakes and failures are measured against.

Every one is an option; a run keeps those that its events were found with. Imports nothing heavy.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from vaemon.errors import UnknownName, UsageError

MOST_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the states of a latent begin and end; variances in units of the prior's."""

    inactive: float = 0.8
    """Asperti & Trentin 2020, footnote 3: inactive where E[σ²] >= 0.8."""
    unit: float = 0.01
    """Burda et al. 2016: an active unit where Var_x(E[z|x]) > 10⁻²."""
    wake: float = 0.3
    """A sleeping latent whose smoothed E[σ²] falls below this, and stays, has woken."""
    doze: float = 0.5
    """A latent below this is on its way; an active one that rises above it, and stays, has fallen asleep."""
    collapsed: float = 0.97
    """From here on, with next to no KL, the posterior is the prior."""
    collapsed_kl: float = 0.01
    """Nats."""
    hold: int = 25
    """Rows that a passage must last before it counts."""
    smoothing: float = 25.0
    """Rows; a batch of 100 leaves a noise of .027 on a latent's mean variance."""
    ignored: float = 0.001
    """A latent below this is all but deterministic. Healthy ones reach .01 to .05, where they are but two .002."""
    law: float = 0.5
    """The variance law is broken where E[μ²] + E[σ²] is so far from 1, in the mean over latents; healthy: .1 to .3."""
    most: float = 0.9
    """A failure begins where it befalls this share of the latents,"""
    fewer: float = 0.75
    """and is over where it befalls no more than this share."""
    lasting: int = 128
    """Rows that a failure must last before it counts, and its absence before it is over."""
    grace: int = 2000
    """Rows of a stage in which only what was once well can fail: nearly every training begins collapsed."""

    def __post_init__(self) -> None:
        for wrong, why in (
            (not 0 < self.wake < self.doze <= 1, "0 < wake < doze <= 1"),
            (not 0 < self.inactive <= 1, "0 < inactive <= 1"),
            (not 0 < self.collapsed <= 1, "0 < collapsed <= 1"),
            (not 0 <= self.ignored < self.wake, "0 <= ignored < wake"),
            (not 0 < self.fewer < self.most <= 1, "0 < fewer < most <= 1"),
            (not 1 <= self.smoothing <= MOST_ROWS, f"1 <= smoothing <= {MOST_ROWS:,}"),
            (not all(each >= 0 for each in (self.unit, self.collapsed_kl, self.law)), "unit, collapsed_kl, law >= 0"),
            (
                not all(type(n) is int and 0 <= n <= MOST_ROWS for n in (self.hold, self.lasting, self.grace)),
                f"hold, lasting, grace are whole numbers from 0 to {MOST_ROWS:,}",
            ),
        ):
            if wrong:
                given = [f"{name}={getattr(self, name)!r}" for name in NAMES if re.search(rf"\b{name}\b", why)]
                raise UsageError(f"thresholds of latents: it must be that {why}, not {', '.join(given)}")

    def changed(self, settings: Mapping[str, float]) -> Self:
        """These with some set anew, by name.

        Raises:
            UnknownName: there is no such threshold.
            UsageError: the values make no sense together.
        """
        for name in settings:
            if name not in NAMES:
                raise UnknownName("threshold", name, NAMES)
        counts = {k: int(v) for k, v in settings.items() if type(getattr(DEFAULT, k)) is int and v % 1 == 0}
        values: dict[str, Any] = {**settings, **counts}
        return replace(self, **values)


NAMES = tuple(each.name for each in fields(Thresholds))
"""What they are called."""
DEFAULT = Thresholds()
