"""Checkpoints: RUN/checkpoints/stage1.pt, the newest state of a stage, and stage1-best.pt, that of its best evaluation.

Each is replaced at one stroke. A checkpoint holds what training goes on from and what rebuilds the network without the
trainer's command line. It is read with `weights_only=True`: a file from elsewhere can run no code here.
"""

import contextlib
import errno
import os
import pickle
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from trainer.config import Config, to_tree
from trainer.networks.build import build
from trainer.networks.vae import VAE
from trainer.settings import config_from
from vaemon.errors import RunFileError, UsageError

FORMAT = 2


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
    temporary = _unnamed(path)
    content = {"format": FORMAT, "stage": stage, "config": to_tree(config), "shape": list(shape), **state}
    try:
        path.parent.mkdir(exist_ok=True)
        with temporary.open("wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
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
    temporary = _unnamed(best)
    try:
        temporary.unlink(missing_ok=True)
        try:
            os.link(newest, temporary)
        except OSError:  # not every file system gives a file two names
            shutil.copyfile(newest, temporary)
        _put_in_place(temporary, best)
    except OSError as error:
        raise RunFileError(f"cannot write the checkpoint {best}: {_reason(error)}") from error
    finally:
        _remove(temporary)  # a rename over another name of the same file leaves both


def tidy(run_folder: Path) -> None:
    """Remove what a process that was killed left half written; for the one process that records the run."""
    for path in (*(run_folder / "checkpoints").glob("*.tmp"), *run_folder.glob("density.*.tmp")):
        _remove(path)


def _unnamed(path: Path) -> Path:
    return path.with_suffix(f".{os.getpid()}.tmp")


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
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
        same = found["format"] == FORMAT and found["stage"] == stage
    except (OSError, RuntimeError, EOFError, ValueError, TypeError, KeyError, pickle.UnpicklingError) as error:
        raise RunFileError(
            f"the checkpoint {path} cannot be read ({type(error).__name__}); the recorded rows beside it are not "
            "touched by this. Copy the file from elsewhere, or begin a new run"
        ) from error
    if not same:
        raise RunFileError(f"{path} is no checkpoint of stage {stage} in format {FORMAT}, which this vaemon reads")
    return dict(found)


def drop(run_folder: Path, stage: int) -> None:
    """Remove a stage's checkpoints, where there are any."""
    for best in (True, False):
        path_of(run_folder, stage, best=best).unlink(missing_ok=True)


def restore_vae(run_folder: Path, stage: int = 1, *, best: bool = False) -> RestoredVAE:
    """The network of a stage as it was last saved, or as it was at its best evaluation.

    Raises:
        UsageError: the run has no checkpoint of that stage.
        RunFileError: it is damaged.
    """
    path = path_of(run_folder, stage, best=best)
    state = load(run_folder, stage, best=best)
    if state is None:
        raise UsageError(f"the run {run_folder} has no checkpoint of stage {stage}: {path}")
    config = config_from(state["config"])
    shape = tuple(state["shape"])
    model = build(config, stage, shape, torch.Generator())
    try:
        model.load_state_dict(state["network"])
    except RuntimeError as error:
        raise RunFileError(f"the checkpoint {path} does not fit its own config") from error
    model.eval()
    return RestoredVAE(model, config, state["step"], state["epoch"], shape)
