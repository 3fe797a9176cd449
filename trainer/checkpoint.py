"""Checkpoints: RUN/checkpoints/stage1.pt and stage2.pt, the newest state of each stage, replaced at one stroke.

A checkpoint holds what training goes on from and what rebuilds the network without the trainer's command line. It is
read with `weights_only=True`: a file from elsewhere can run no code here.
"""

import os
import pickle
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

FORMAT = 1


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


def path_of(run_folder: Path, stage: int) -> Path:
    """Where the checkpoint of a stage lies."""
    return run_folder / "checkpoints" / f"stage{stage}.pt"


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
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    content = {"format": FORMAT, "stage": stage, "config": to_tree(config), "shape": list(shape), **state}
    try:
        path.parent.mkdir(exist_ok=True)
        with temporary.open("wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:
        temporary.unlink(missing_ok=True)
        raise RunFileError(f"cannot write the checkpoint {path}: {error}") from error
    return path


def load(run_folder: Path, stage: int) -> dict[str, Any] | None:
    """The checkpoint of a stage, on the CPU; None where there is none.

    Raises:
        RunFileError: it is damaged, or of another format.
    """
    path = path_of(run_folder, stage)
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
    """Remove a stage's checkpoint, where there is one."""
    path_of(run_folder, stage).unlink(missing_ok=True)


def restore_vae(run_folder: Path, stage: int = 1) -> RestoredVAE:
    """The network of a stage as it was last saved.

    Raises:
        UsageError: the run has no checkpoint of that stage.
        RunFileError: it is damaged.
    """
    state = load(run_folder, stage)
    if state is None:
        raise UsageError(f"the run {run_folder} has no checkpoint of stage {stage}: {path_of(run_folder, stage)}")
    config = config_from(state["config"])
    shape = tuple(state["shape"])
    model = build(config, stage, shape, torch.Generator())
    try:
        model.load_state_dict(state["network"])
    except RuntimeError as error:
        raise RunFileError(f"the checkpoint {path_of(run_folder, stage)} does not fit its own config") from error
    model.eval()
    return RestoredVAE(model, config, state["step"], state["epoch"], shape)
