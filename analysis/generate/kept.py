"""The renormalisation that a run keeps: RUN/renormalisation.npz, plain arrays, replaced at one stroke."""

import io
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.generate.renormalisation import AsPublished, PerLatent, Renormalisation, Target, fit_kind
from analysis.generate.trained import Told, Trained, untold
from trainer.data import damage
from vaemon.errors import RunFileError, VaemonError
from vaemon.exchange.file import write_file

Array = npt.NDArray[np.float64]

FORMAT = 1


def path_of(run_folder: Path) -> Path:
    """Where the renormalisation of a run lies."""
    return run_folder / "renormalisation.npz"


def save(run_folder: Path, found: Renormalisation) -> Path:
    """Keep a renormalisation in place of the one before.

    Raises:
        VaemonError: it cannot be written; the one before is still there.
    """
    held = io.BytesIO()
    np.savez(held, format=FORMAT, kind=found.kind, **asdict(found))
    return write_file(path_of(run_folder), [held.getvalue()], replace=True)


def load(run_folder: Path) -> Renormalisation | None:
    """The renormalisation of a run; None where it has none. Nothing in the file can be run.

    Raises:
        RunFileError: it is damaged.
    """
    path = path_of(run_folder)
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
            return _read({name: found[name] for name in found.files})
    except damage.NUMPY as error:
        raise RunFileError(
            f"{path} cannot be read ({type(error).__name__}: {error}); remove it, it is fitted anew when it is needed"
        ) from error


def _read(found: dict[str, npt.NDArray[Any]]) -> Renormalisation:
    if int(found["format"]) != FORMAT:
        raise ValueError(f"it is in format {int(found['format'])}, not {FORMAT}")
    before = (_steps(found["steps"]), int(found["seed"]), _checked(found["mean"]), _checked(found["variance"]))
    if before[2].shape != before[3].shape:
        raise ValueError("its arrays do not fit each other")
    if str(found["kind"]) == AsPublished.kind:
        return AsPublished(*before, float(found["target"]), float(found["loss"]))
    expected = str(found["expected"])
    target = _checked(found["target"])
    if expected not in ("1", "law") or target.shape != before[2].shape:
        raise ValueError("its target is not known")
    return PerLatent(*before, target, "1" if expected == "1" else "law")


def _steps(values: npt.NDArray[Any]) -> tuple[int, int]:
    first, second = values.tolist()
    return int(first), int(second)


def _checked(values: npt.NDArray[Any]) -> Array:
    if values.dtype != np.float64 or values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError("its values are not all finite float64")
    return values


def current(trained: Trained, say: Callable[[str], object], told: Told = untold) -> Renormalisation:
    """The renormalisation that belongs to the run as it stands: the one kept, or a new one, which is kept and told.

    A stale one is fitted anew in the same way. Raises as of `fit` and `load`.
    """
    found = load(trained.folder)
    if found is not None and not found.is_stale(trained):
        return found
    before: Target = found.expected if isinstance(found, PerLatent) else "1"
    new = fit_kind(trained, "published" if isinstance(found, AsPublished) else before, told)
    was = "none was kept" if found is None else f"the one kept is of steps {_told(found.steps)}, and so out of date"
    say(f"renormalisation fitted, {new.name} ({was})")
    try:
        save(trained.folder, new)
    except VaemonError as error:
        say(f"{error}; it is used all the same")
    return new


def _told(steps: tuple[int, int]) -> str:
    return " and ".join(f"{each:,}" for each in steps)
