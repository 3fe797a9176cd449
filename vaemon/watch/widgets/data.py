"""What the numbers behind a panel are, for whoever wants them whole."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PanelData:
    """The numbers of a panel."""

    name: str
    """What the panel is called in the name of a file."""
    channels: tuple[str, ...] = ()
    latent: int | None = None
    """Only this one of each latent channel; None: all."""
    is_events: bool = False
    """Whether they are the run's events rather than channels."""


class Numbers:
    """A widget with numbers behind it."""

    def data(self) -> PanelData:
        """What they are."""
        raise NotImplementedError(type(self).__name__)
