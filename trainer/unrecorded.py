"""What all processes but the first hold in place of a recorder, of several that train together."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self


class Unrecorded:
    """Takes what a recorder takes, and forgets it."""

    first_bad = None
    newest: Mapping[str, float] = MappingProxyType({})

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def stage(self, number: int, **told: Any) -> None:
        """Begin no stage."""

    def log(self, step: int, /, **values: Any) -> None:
        """Record nothing."""

    def event(self, kind: str, text: str = "", step: int | None = None) -> None:
        """Tell nobody."""

    def evaluation(self, step: int | None = None, /, **values: Any) -> None:
        """Record nothing."""

    def images(self, kind: str, images: Any, step: int | None = None) -> None:
        """Keep none."""

    def flush(self) -> bool:
        """Wait for nothing."""
        return True

    def close(self, outcome: str = "finished", reason: str = "") -> None:
        """End nothing."""
