"""How images are read, beyond where from, how many and how large."""

from dataclasses import dataclass, fields

from trainer.data.decode import Colour, Resize


@dataclass(frozen=True, slots=True)
class Ways:
    """Options of reading; each dataset takes some of them."""

    resize: Resize = "bilinear"
    """Filter by which pictures are brought to a size."""
    colour: Colour = "stored"
    """Channels of pictures; by default they must all have as many."""
    skip_bad: bool = False
    """Leave out pictures that cannot be read, instead of refusing them."""

    jpeg_roundtrip: bool = False
    """Send each image once through JPEG: the published protocol for CIFAR-10."""

    dataset: str = ""
    """Name of the array in a file of several."""

    def chosen(self) -> list[str]:
        """Names of the options that are not at their default."""
        return [each.name for each in fields(self) if getattr(self, each.name) != each.default]
