"""Checkpoints: RUN/checkpoints/stage1.pt, the newest state of a stage, and stage1-best.pt, that of its best evaluation.

Each is replaced at one stroke. A checkpoint holds what training goes on from and what rebuilds the network without the
trainer's command line. It is read with `weights_only=True`: a file from elsewhere can run no code here.
"""

import contextlib
import errno
import os
import pickle
import shutil
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch

from trainer.config import Config, to_tree
from trainer.networks.build import build, size
from trainer.networks.vae import VAE
from trainer.settings import config_kept
from vaemon.errors import RunFileError, UsageError

FORMAT = 3

LARGEST_SIDE = 1 << 16
"""Of an image, in pixels, that a checkpoint is believed; of its channels, too."""

_UNREADABLE = (
    OSError,
    RuntimeError,
    EOFError,
    ValueError,
    TypeError,
    ArithmeticError,
    AttributeError,
    LookupError,
    AssertionError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
    pickle.UnpicklingError,
)
"""What `zipfile` and `torch.load` raise of a file that is damaged, or no checkpoint."""
_NEEDED = ("config", "shape", "step", "epoch", "steps_per_epoch", "network")
"""What is asked of every checkpoint before a stage takes it up."""
_LONGEST = 200  # characters of a complaint of torch's, which may name every layer


@dataclass(frozen=True, eq=False, slots=True)
class RestoredVAE:
    """A trained network, and where it comes from."""

    model: VAE
    """In evaluation mode, on the CPU."""
    config: Config
    step: int
    """Steps trained in its stage."""
    epoch: int
    """Full passes over the training data."""
    shape: tuple[int, int, int]
    """Of an image, (H, W, C)."""


def path_of(run_folder: Path, stage: int, *, best: bool = False) -> Path:
    """Where the newest, or the best, checkpoint of a stage lies."""
    return run_folder / "checkpoints" / f"stage{stage}{'-best' if best else ''}.pt"


def save(run_folder: Path, stage: int, state: Mapping[str, Any], config: Config, shape: tuple[int, ...]) -> Path:
    """Write a stage's checkpoint, in place of the one before.

    Args:
        run_folder: the run's.
        stage: 1 or 2.
        state: of the stage, `Stage.state_dict()`.
        config: of the run.
        shape: of an image, (H, W, C).

    Raises:
        RunFileError: it cannot be written; the one before is still there.
    """
    path = path_of(run_folder, stage)
    temporary = _temporary(path)
    content = {"format": FORMAT, "stage": stage, "config": to_tree(config), "shape": list(shape), **state}
    try:
        path.parent.mkdir(exist_ok=True)
        with _written(temporary) as file:
            torch.save(content, file)
        _put_in_place(temporary, path)
    except (OSError, RuntimeError) as error:
        _remove(temporary)
        raise RunFileError(f"cannot write the checkpoint {path}: {_reason(error)}") from error
    return path


def keep_best(run_folder: Path, stage: int) -> None:
    """Keep the newest checkpoint of a stage as its best, too: another name of the same file, where that is possible.

    Raises:
        RunFileError: the file system refuses; the best before is still there.
    """
    newest, best = path_of(run_folder, stage), path_of(run_folder, stage, best=True)
    temporary = _temporary(best)
    try:
        temporary.unlink(missing_ok=True)
        try:
            os.link(newest, temporary)
        except OSError:  # not every file system gives a file two names
            with newest.open("rb") as whole, _written(temporary) as file:
                shutil.copyfileobj(whole, file)
        _put_in_place(temporary, best)
    except OSError as error:
        raise RunFileError(f"cannot write the checkpoint {best}: {_reason(error)}") from error
    finally:
        _remove(temporary)  # a rename over another name of the same file leaves both


def tidy(run_folder: Path) -> None:
    """Remove what a process that was killed left half written; for the one process that records the run."""
    for path in (*(run_folder / "checkpoints").glob("*.tmp"), *run_folder.glob("density.*.tmp")):
        _remove(path)


def _temporary(path: Path) -> Path:
    """Under which name a checkpoint is written until it is whole; `tidy` removes those that are left."""
    return path.with_suffix(f".{os.getpid()}.tmp")


@contextlib.contextmanager
def _written(path: Path) -> Iterator[BinaryIO]:
    """A file to write, whose content is on the disk afterwards."""
    with path.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _put_in_place(temporary: Path, path: Path) -> None:
    os.replace(temporary, path)
    # The new name, too, is to outlive a power cut; some file systems cannot be asked for that.
    with contextlib.suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _reason(error: OSError | RuntimeError) -> str:
    # What fails within torch's own writer comes as its complaint of itself, many lines long, about what came before.
    cause = error if isinstance(error, OSError) else error.__context__
    if isinstance(cause, OSError) and cause.errno:
        full = cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        return f"{cause.strerror}{'; make room there' if full else ''}"
    return str(error).partition("\n")[0]


def load(run_folder: Path, stage: int, *, best: bool = False) -> dict[str, Any] | None:
    """The newest, or the best, checkpoint of a stage, on the CPU; None where there is none.

    Raises:
        RunFileError: it is damaged, or of another format.
    """
    path = path_of(run_folder, stage, best=best)
    if not path.exists():
        return None
    way_out = _way_out(stage, best)
    try:
        found = _read(path)
    except _UNREADABLE as error:
        reason = str(error) if isinstance(error, zipfile.BadZipFile) else type(error).__name__
        raise RunFileError(f"the checkpoint {path} cannot be read ({reason}); {way_out}") from error
    told = found if isinstance(found, dict) else {}
    if (told.get("format"), told.get("stage")) != (FORMAT, stage):
        raise RunFileError(
            f"{path} is no checkpoint of stage {stage} in format {FORMAT}, which this vaemon reads; use the one that "
            f"wrote it, or {way_out}"
        )
    with explained(run_folder, stage, best=best):
        for key in _NEEDED:
            told[key]
    return told


def version(run_folder: Path) -> tuple[tuple[int, int] | None, ...]:
    """What changes whenever a stage's newest checkpoint is written: of each its inode and time, None where it is not.

    Raises:
        RunFileError: the file system does not tell.
    """
    found: list[tuple[int, int] | None] = []
    for stage in (1, 2):
        path = path_of(run_folder, stage)
        try:
            status = path.stat()
        except FileNotFoundError:
            found.append(None)
            continue
        except OSError as error:
            raise RunFileError(f"cannot read {path}: {error.strerror}") from error
        found.append((status.st_ino, status.st_mtime_ns))
    return tuple(found)


@contextlib.contextmanager
def explained(run_folder: Path, stage: int, *, best: bool = False) -> Iterator[None]:
    """Say of a checkpoint whose content is taken up that it does not fit, where it does not.

    Raises:
        RunFileError: it lacks something, or has other layers.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (KeyError, RuntimeError, ValueError, TypeError) as error:
        # Torch tells first of what, and then in lines of their own what is wrong.
        wrong = f"lacks {error}" if isinstance(error, KeyError) else " ".join(str(error).split())[:_LONGEST]
        raise RunFileError(
            f"the checkpoint {path_of(run_folder, stage, best=best)} does not fit its own config ({wrong}): it is of "
            f"another vaemon, or was changed. Use the one that wrote it, or {_way_out(stage, best)}"
        ) from error


def _way_out(stage: int, best: bool) -> str:
    if stage == 2 and not best:
        return "remove the file: --resume then trains stage 2 anew"
    return "put back a copy of the file, or begin a new run; the recorded rows beside it are as they were"


def _checked_shape(told: Any) -> tuple[int, int, int]:
    height, width, channels = (int(side) for side in told)
    if not (0 < height <= LARGEST_SIDE and 0 < width <= LARGEST_SIDE and 0 < channels <= LARGEST_SIDE):
        raise ValueError(f"images of {height} x {width} x {channels}")
    return height, width, channels


def _read(path: Path) -> Any:
    """What torch saved in a file, all of which is as it was written; else one of `_UNREADABLE`."""
    with path.open("rb") as file:
        archive = zipfile.ZipFile(file)
        if any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist()):
            raise zipfile.BadZipFile("its parts are packed, which torch does not do")
        if sum(part.file_size for part in archive.infolist()) > os.fstat(file.fileno()).st_size:
            raise zipfile.BadZipFile("its parts are larger than the file")
        damaged = archive.testzip()  # torch itself does not look at the checksums that it writes
        if damaged is not None:
            raise zipfile.BadZipFile(f"its part {damaged} is damaged")
        file.seek(0)
        with warnings.catch_warnings(action="ignore"):  # what torch thinks of how it was made; it reads it, or does not
            return torch.load(file, map_location="cpu", weights_only=True)


def drop(run_folder: Path, stage: int) -> None:
    """Remove a stage's checkpoints, where there are any."""
    for best in (True, False):
        path_of(run_folder, stage, best=best).unlink(missing_ok=True)


def restore_vae(run_folder: Path, stage: int = 1, *, best: bool = False) -> RestoredVAE:
    """The network of a stage as it was last saved, or as it was at its best evaluation.

    Raises:
        UsageError: the run has no checkpoint of that stage.
        RunFileError: it is damaged, or of another vaemon.
    """
    path = path_of(run_folder, stage, best=best)
    state = load(run_folder, stage, best=best)
    if state is None:
        raise UsageError(f"the run {run_folder} has no checkpoint of stage {stage}: {path}")
    config = config_kept(state["config"], path)
    with explained(run_folder, stage, best=best):
        shape = _checked_shape(state["shape"])
        # A config is a few bytes, whatever it asks for.
        if (numbers := size(config, stage, shape)) > path.stat().st_size:
            raise ValueError(f"it asks for a network of {numbers:,} numbers, more than are in the file")
        model = build(config, stage, shape, torch.Generator())
        model.load_state_dict(state["network"])
    model.eval()
    return RestoredVAE(model, config, state["step"], state["epoch"], shape)
