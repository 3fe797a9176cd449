"""Whether a run can be gone on with from its checkpoints; looked at before anything of it is touched."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from trainer import checkpoint, ranks
from trainer.config import Stage1, Stage2, differences
from trainer.data.images import Images
from trainer.images import check_same_images
from trainer.runs import Run
from trainer.settings import config_kept
from trainer.stages import Stage, latent_stage, planned_steps
from vaemon import open_run
from vaemon.errors import UsageError

State = dict[str, Any]
Saved = dict[int, State | None]
"""The newest checkpoint of each stage."""


def load(run: Run) -> Saved:
    """The checkpoints to go on from, the same in every process; none where the run begins.

    Raises:
        UsageError: one is of another config, or a process sees others than the first.
        RunFileError: one is damaged, or of another vaemon.
    """
    saved = {stage: _load(run, stage) if run.resume else None for stage in (1, 2)}
    steps = ranks.from_all({stage: state and state["step"] for stage, state in saved.items()})
    path = checkpoint.path_of(Path(), 1)
    ranks.from_first(lambda: _check_alike(steps, f"checkpoints than the first, {path}", "see one folder of runs"))
    return saved


def is_done(run: Run, saved: Saved) -> bool:
    """Whether a run has every step that its config plans, and was ended as such; one killed before that was not."""
    wanted: dict[int, Stage1 | Stage2] = {1: run.config.stage1}
    if run.config.stage2.enabled:
        wanted[2] = run.config.stage2
    for number, settings in wanted.items():
        state = saved[number]
        if state is None or state["step"] < planned_steps(settings, state["steps_per_epoch"]):
            return False
    with open_run(run.folder) as recorded:
        return str(recorded.info().state) == "finished"


def check_nothing_recorded(run: Run) -> None:
    """Refuse to begin anew where rows would be lost by it.

    Raises:
        UsageError: the run has rows of stage 1.
    """
    with open_run(run.folder) as recorded:
        begun = recorded.info().stage(1)
    if begun is not None:
        raise UsageError(
            f"run {run.name} has recorded rows, but {checkpoint.path_of(run.folder, 1)} is not there, and without it "
            "training would begin anew and replace them: put the file back, or begin a run of another name (--run)"
        )


def check_images(run: Run, seen: Mapping[str, Any], source: str) -> None:
    """Refuse images other than the run began with, or than the first process has.

    Args:
        run: new, or to be gone on with.
        seen: the fingerprint of the images.
        source: of the images, in words.

    Raises:
        UsageError: they are others.
    """
    all_seen = ranks.from_all(seen)
    ranks.from_first(lambda: _check_alike(all_seen, f"images than the first ({source})", "read the same files"))
    if run.resume:
        ranks.from_first(lambda: check_same_images(_began_with(run.folder), seen, source))


def check_fit(run: Run, first: Stage, saved: Saved, images: Images) -> None:
    """Refuse checkpoints that the stages cannot take up, before the recorder opens; leaves the first as it was saved.

    Raises:
        UsageError: they were made with another number of images.
        RunFileError: they lack something, or have other layers.
    """
    if saved[1] is None:
        return
    with checkpoint.explained(run.folder, 1):
        first.load_state_dict(saved[1])
    if saved[2] is None or not (first.done and run.config.stage2.enabled):
        return
    statistics = torch.zeros(1, device=first.device).expand(len(images.train), first.network.latents)
    second = latent_stage(run.config, statistics, statistics, images.train.shape[1:])
    with checkpoint.explained(run.folder, 2):
        second.load_state_dict(saved[2])


def _load(run: Run, stage: int) -> State | None:
    """The checkpoint of a stage.

    Raises:
        UsageError: it is of another config.
        RunFileError: it is damaged, or of another vaemon.
    """
    state = checkpoint.load(run.folder, stage)
    if state is None:
        return None
    changed = differences(config_kept(state["config"], checkpoint.path_of(run.folder, stage)), run.config)
    if changed:
        told = ", ".join(f"{key}={theirs} (the run: {ours})" for key, (theirs, ours) in changed.items())
        raise UsageError(
            f"the checkpoint {checkpoint.path_of(run.folder, stage)} is of another config: it has {told}; put back the "
            "one that belongs to the run, or begin a new run"
        )
    return state


def _check_alike(seen: Sequence[object], what: str, wanted: str) -> None:
    """Refuse processes that do not see the same.

    Raises:
        UsageError: one sees other things than the first.
    """
    others = [str(rank) for rank, each in enumerate(seen) if each != seen[0]]
    if others:
        raise UsageError(f"process {', '.join(others)} sees other {what}; all must {wanted}")


def _began_with(folder: Path) -> Mapping[str, Any]:
    """The fingerprint of the images that a run began with."""
    with open_run(folder) as recorded:
        found = recorded.info().config.get("images")
    return found if isinstance(found, Mapping) else {}
