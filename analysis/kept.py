"""Distances found after the training, kept in the run's folder so that tables have them: RUN/distances.json.

One result a recipe, step and number of images; a newer one takes the place of an older. What computes them keeps them,
tables read them.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from vaemon.errors import RunFileError
from vaemon.exchange.file import write_file

FILE = "distances.json"
FORMAT = 1
"""Raised when a key changes its meaning or goes."""
_ANEW = "remove it, and `vaemon analyze --fid` computes anew"


class Distances(msgspec.Struct, frozen=True):
    """What one pass found."""

    recipe: str
    """What was done to the images; only results of one recipe are comparable."""
    step: int
    """Of stage 1, at which its checkpoint was saved."""
    values: dict[str, float]
    """By name: "REC", "GEN-1", "GEN-2", "GEN-2 renormalised"."""
    how: dict[str, str | int | float] = {}
    """What else a number needs to be told with: the weights' hash, how many images, ddof, quantisation."""

    @property
    def identity(self) -> tuple[object, ...]:
        """What tells it from others that are kept beside it."""
        return self.recipe, self.step, self.images

    @property
    def images(self) -> float:
        """Of how many images each set was; 0 where that is not told."""
        return float(self.how.get("images", 0))


class _Kept(msgspec.Struct, frozen=True):
    results: list[Distances]
    format: int = FORMAT


def keep(folder: Path, found: Distances) -> None:
    """Add a result to those of a run.

    Raises:
        RunFileError: what is there already cannot be read.
        VaemonError: it cannot be written.
    """
    others = [each for each in kept(folder) if each.identity != found.identity]
    content = msgspec.json.format(msgspec.json.encode(_Kept([*others, found])), indent=1)
    write_file(folder / FILE, [content], replace=True)


def kept(folder: Path) -> Sequence[Distances]:
    """The results of a run; none where nothing was kept.

    Raises:
        RunFileError: the file cannot be read, or is none of these.
    """
    path = folder / FILE
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_Kept)
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.MsgspecError) as error:
        raise RunFileError(f"{path} cannot be read: {error}; {_ANEW}") from error
    if found.format != FORMAT:
        raise RunFileError(
            f"{path} has format {found.format}, this vaemon reads {FORMAT}: another version wrote it; use that, or "
            f"{_ANEW}"
        )
    return found.results
