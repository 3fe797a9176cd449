"""A stage, from its first step (or the one after its checkpoint) to its last, read from top to bottom."""

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from trainer import ranks
from trainer.capture import Channels, Step, TrainBatch
from trainer.objective import Pass
from trainer.stages import Stage
from trainer.statistics import step_to_channels
from trainer.unrecorded import Unrecorded
from vaemon import Recorder
from vaemon.errors import BadLoss

LOOK_EVERY = 0.25
"""Seconds between two looks at the clock's, the recorder's and the screen's affairs."""


class Screen(Protocol):
    """What shows how a stage fares."""

    def show(self, stage: Stage, newest: Mapping[str, float]) -> None:
        """Show the stage as it stands, and the newest scalars recorded; called about four times a second."""
        ...


def run_stage(
    stage: Stage,
    recorder: Recorder | Unrecorded,
    *,
    save: Callable[[Stage], None],
    save_every: float,
    evaluate: Callable[[Stage], object],
    stop: Callable[[], object],
    screen: Screen,
    capture: Callable[[TrainBatch, Stage], Step] = partial,
) -> None:
    """Train a stage until it is done or told to stop, and save it.

    Args:
        stage: where to begin; left where training ended.
        recorder: takes the values of every step.
        save: writes a checkpoint.
        save_every: seconds between two checkpoints.
        evaluate: looks at what was learned; called after every epoch, whole or cut short.
        stop: whether to stop after the present step; asked every step.
        screen: shows progress.
        capture: makes of `train_batch` and the stage what takes a step (trainer/capture.py).

    Raises:
        BadLoss: a term of the loss, or a weight, is no longer finite.
    """
    stage.network.train()
    if stage.step > stage.evaluated:
        evaluate(stage)  # where the last process was stopped before it could
    step = capture(train_batch, stage)
    look_at, save_at = time.monotonic(), time.monotonic() + save_every

    while not stage.done and not stop():
        # Begin an epoch, or go on with an interrupted one.
        with closing(stage.batches()) as batches:
            for batch in batches:
                # Train on a batch and record what it gave.
                channels = step(batch)
                recorder.log(stage.step + 1, lr=stage.learning_rate, epoch=stage.epoch, **channels)
                stage.step += 1

                # Now and then, look up: is all well, what does the screen show, is it time to save?
                if stop():
                    break
                now = time.monotonic()
                if now >= look_at:
                    raise_if_bad(stage, recorder)
                    screen.show(stage, recorder.newest)
                    look_at = now + LOOK_EVERY
                if now >= save_at and stage.step % stage.steps_per_epoch:
                    save_at = _save_soundly(stage, recorder, save) + save_every

        # At the end of an epoch the evaluation comes first: one that a kill cut off is made again after a resume.
        evaluate(stage)
        if time.monotonic() >= save_at and not stage.done:
            save_at = _save_soundly(stage, recorder, save) + save_every

    _save_soundly(stage, recorder, save)
    screen.show(stage, recorder.newest)


def _save_soundly(stage: Stage, recorder: Recorder | Unrecorded, save: Callable[[Stage], None]) -> float:
    """Save a stage whose rows are all written and good; when that was done, or given up for now.

    A checkpoint ahead of the rows would leave a hole in them for good, if the process died before they were written.
    """
    if raise_if_unsound(stage, recorder):
        save(stage)
    return time.monotonic()


def train_batch(stage: Stage, batch: Tensor) -> Channels:
    """One step of the optimizer, from one of `Stage.batches` to channel values; nothing in it waits for the device."""
    # Encode the batch, draw what is decoded of each posterior, decode it.
    x = stage.take(batch)  # (B, C, H, W), or (B, k) in stage 2
    mean, log_variance = stage.network.encode(x)  # (B, k)
    z = stage.balance.code(mean, log_variance, stage.noise)
    x_hat = stage.network.decode(z)

    # Weigh the terms.
    terms = stage.balance.terms(Pass(x, mean, log_variance, z, x_hat), stage.network, stage.noise)
    weighed = stage.balance.weigh(terms, stage.settings.kl_weight)
    penalty = stage.network.penalty()
    if penalty is not None:
        weighed = replace(weighed, loss=weighed.loss + penalty)

    # Update the weights.
    stage.optimizer.zero_grad(set_to_none=True)
    weighed.loss.backward()
    ranks.average_gradients(stage.weights)
    stage.optimizer.step()

    # Measure, with the weights that were in force; then update the balance.
    channels = step_to_channels(terms, weighed)
    if penalty is not None:
        channels["l2"] = penalty.detach()
    stage.balance.update(terms)
    return channels


def raise_if_bad(stage: Stage, recorder: Recorder | Unrecorded) -> None:
    """Stop a training whose loss went bad, as far as the recorder has seen; waits for nothing.

    Raises:
        BadLoss: a term is not finite.
    """
    bad = recorder.first_bad
    if bad is not None:
        raise _bad_loss(stage, recorder, f"{bad.channel} became NaN or infinite at step {bad.step}")


def raise_if_unsound(stage: Stage, recorder: Recorder | Unrecorded) -> bool:
    """The same after all that was logged has been looked at, and the weights, too; waits for the device.

    Returns:
        Whether all that was logged is written; the recorder itself says so where it is not.

    Raises:
        BadLoss: a term or a weight is not finite.
    """
    written = recorder.flush()
    raise_if_bad(stage, recorder)
    with torch.no_grad():
        finite = torch.stack([weight.isfinite().all() for weight in stage.network.parameters()]).all()
    if not finite:
        # Not finite after a step whose own loss was: the next loss would be bad, and a checkpoint is of no use.
        raise _bad_loss(stage, recorder, f"a weight became NaN or infinite in step {stage.step}")
    return written


def _bad_loss(stage: Stage, recorder: Recorder | Unrecorded, what: str) -> BadLoss:
    lr = f"stage{stage.number}.lr"
    return BadLoss(
        f"{what} of stage {stage.number}; training stopped, everything before it is recorded in {recorder.folder}. "
        f"Lower {lr}, now {stage.learning_rate:g}, and begin anew, or go on from the last good checkpoint: "
        f"--resume --set {lr}={stage.settings.lr / 2:g}"
    )
