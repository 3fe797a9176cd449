"""Statistics of features as files: .npz with mu and sigma, as pytorch-fid writes and reads them.

Ours hold the number of images and the recipe besides; others read past that.
"""

import io
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.npyio import NpzFile

from analysis.measures.features import FeatureStatistics
from trainer.data import damage
from trainer.data.members import ZIP
from vaemon.errors import DataNotFound, VaemonError
from vaemon.exchange.file import write_file
from vaemon.exchange.npz import check_packed

SYMMETRY = 1e-3
"""Of two deviations, up to which the halves of a covariance may differ: float32 and rounding explain no more."""
NOTE = "vaemon"
"""The entry that tells how they were made, as JSON; `save` writes it."""


@dataclass(frozen=True, slots=True)
class Made:
    """How features were made."""

    distance: str
    """What a distance of them is called: "FID", "FD-pixels"."""
    recipe: str
    """Empty where none has a part in it."""
    made_by: str
    """Of which network, by which weights, in which precision."""
    quantisation: str
    """What became of the images' values, in words."""


@dataclass(frozen=True, eq=False, slots=True)
class Kept:
    """Statistics from a file."""

    statistics: FeatureStatistics
    """Its count is 0 where the file does not tell."""
    made: Made | None
    """None where the file does not tell."""


def save(path: Path, statistics: FeatureStatistics, made: Made) -> None:
    """Write them, at one stroke.

    Raises:
        VaemonError: they cannot be written; what was there before is there.
    """
    note = json.dumps({"count": statistics.count, "ddof": statistics.ddof, **asdict(made)})
    held = io.BytesIO()
    np.savez(held, mu=statistics.mean, sigma=statistics.covariance, vaemon=np.array(note))
    write_file(path, [held.getvalue()], replace=True)


def load(path: Path) -> Kept | None:
    """Statistics from a file; None where it holds none.

    Raises:
        DataNotFound: it does, but they are damaged or not those of features.
    """
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            if file.read(len(ZIP)) != ZIP:
                return None
            file.seek(0)
            loaded: NpzFile = np.load(file, allow_pickle=False)
            if not {"mu", "sigma"} <= set(loaded.files):
                return None
            check_packed(loaded, path.stat().st_size, ("mu", "sigma", NOTE))
            mean, covariance = (_real(loaded[name]) for name in ("mu", "sigma"))
            note = json.loads(str(loaded[NOTE])) if NOTE in loaded.files else {}
            if not isinstance(note, dict):
                raise ValueError("its note has no names")
            made = Made(**{each.name: _word(note[each.name]) for each in fields(Made)}) if note else None
            count, ddof = (_number(note.get(name, default)) for name, default in (("count", 0), ("ddof", 1)))
    except damage.NUMPY as error:
        if path.suffix == ".npz":
            raise DataNotFound(f"{path} cannot be read as statistics: {error}") from error
        return None
    try:
        found = FeatureStatistics(count, mean, covariance, ddof)
    except VaemonError as error:
        raise DataNotFound(f"{path}: {error}") from error
    if not _symmetric(covariance):
        raise DataNotFound(f"{path}: sigma is not symmetric, and so no covariance; compute it anew")
    return Kept(found, made)


@np.errstate(over="ignore", invalid="ignore")
def _symmetric(covariance: np.ndarray[Any, Any]) -> bool:
    deviation = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    return not (np.abs(covariance - covariance.T) > SYMMETRY * np.outer(deviation, deviation)).any()


def _real(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if values.dtype.kind not in "fiu":
        raise ValueError(f"mu and sigma must be real numbers, not {values.dtype}")
    return np.asarray(values, np.float64)


def _word(value: object) -> str:
    text = str(value)
    if not text.isprintable():  # a stranger's file must not steer the terminal
        raise ValueError("its note has signs that cannot be printed")
    return text


def _number(value: Any) -> int:
    number = int(value)
    if number < 0:
        raise ValueError(f"its note has a number of {number}")
    return number
