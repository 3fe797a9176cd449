"""The rules by which an analysis judges latents, beside the thresholds of `vaemon.thresholds`; every one an option."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Self

from analysis.measures.collapse import DELTA, EPSILON
from analysis.measures.polarised import NEAR, SPREAD
from vaemon.errors import UnknownName, UsageError
from vaemon.thresholds import NAMES as THRESHOLDS


@dataclass(frozen=True, slots=True)
class Rules:
    """What is asked of a latent's posteriors sample by sample; the stream cannot tell."""

    epsilon: float = EPSILON
    """(ε, δ)-collapse: nats below which a sample's posterior counts as the prior."""
    delta: float = DELTA
    """(ε, δ)-collapse: share of the samples that may be further from it."""
    near: float = NEAR
    """Active and passive variables: how far E[σ²] may be from 0, and from 1."""
    spread: float = SPREAD
    """Active and passive variables: what Var(σ²) must stay below."""

    def __post_init__(self) -> None:
        for right, why in (
            (self.epsilon > 0, f"0 < epsilon, not {self.epsilon:g}"),
            (0 <= self.delta < 1, f"0 <= delta < 1, not {self.delta:g}"),
            (0 < self.near < 0.5, f"0 < near < 0.5, not {self.near:g}"),
            (self.spread > 0, f"0 < spread, not {self.spread:g}"),
        ):
            if not right:
                raise UsageError(f"--threshold: it must be that {why}")

    def changed(self, settings: Mapping[str, float]) -> Self:
        """These with those set anew that are among the settings. Raises UsageError where a value makes no sense."""
        return replace(self, **{name: value for name, value in settings.items() if name in NAMES})


NAMES = tuple(each.name for each in fields(Rules))
DEFAULT = Rules()


def parse_thresholds(given: Iterable[str]) -> dict[str, float]:
    """Thresholds and rules by name, as they are written: "unit=0.02"; a number alone is that of the inactive.

    Raises:
        UnknownName: there is none of that name.
        UsageError: it is not written so.
    """
    return dict(_parsed(each) for each in given)


def _parsed(text: str) -> tuple[str, float]:
    name, equals, value = (part.strip() for part in text.rpartition("="))
    name = name if equals else "inactive"
    known = (*THRESHOLDS, *NAMES)
    if name not in known:
        raise UnknownName("threshold", name, known)
    try:
        return name, float(value)
    except ValueError as error:
        raise UsageError(f"--threshold takes NAME=NUMBER, as in unit=0.02, not {text!r}") from error
