"""A run: stage 1, the posteriors of its images, stage 2; begun anew or gone on with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from trainer import checkpoint
from trainer.config import Config, Stage1, Stage2, thresholds_of, to_tree
from trainer.data.images import Images
from trainer.data.watch import Stopped, Watch
from trainer.density import CodeDensity, check_density
from trainer.evaluation import Evaluator
from trainer.images import check_batches, load_images
from trainer.loop import Screen, run_stage
from trainer.options import DETERMINISTIC
from trainer.posteriors import images_to_posteriors
from trainer.stages import Stage, check_balance, image_stage, latent_stage, planned_steps
from vaemon import Recorder
from vaemon.channels import undefined_as
from vaemon.errors import RunFileError, UsageError

State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """What is to be trained, and where it is recorded."""

    name: str
    folder: Path
    """Of the run, in the folder of runs."""
    preset: str
    config: Config
    resume: bool = False


class Teller(Screen, Protocol):
    """A screen that takes sentences, too, and shows how far the reading of images is."""

    def say(self, text: str) -> None:
        """Tell people something."""
        ...

    def show_reading(self, what: str, done: int, total: int) -> None:
        """Show what is done with the images, how much of it, and how much there is in all (0: not known)."""
        ...


def train(run: Run, teller: Teller, stop: Callable[[], str]) -> bool:
    """Train what is left of a run.

    Args:
        run: what to train.
        teller: shows progress and takes sentences.
        stop: why to stop after the present step; empty to go on.

    Returns:
        Whether every planned step is trained; False where `stop` said so.

    Raises:
        UsageError: data, network and config do not go together.
        DataNotFound: the images are not there.
        BadLoss: the loss went bad.
        RunLocked: another process is recording the run.
        RunFileError: a checkpoint cannot be read or written.
    """
    saved = {stage: checkpoint.load(run.folder, stage) if run.resume else None for stage in (1, 2)}
    if run.resume and nothing_left(run.config, saved):
        teller.say(
            f"run {run.name} is trained to its end, there is nothing left to do; --set stage1.epochs=… adds to it"
        )
        return True
    device = choose_device(run.config)
    images = _read_images(run.config, teller, stop)
    if images is None:
        return False
    first = image_stage(run.config, images.train, device)
    teller.say(f"run {run.name} in {run.folder}, on {device}")
    with Recorder(
        run.name,
        latents=first.network.latents,
        config={
            "preset": run.preset,
            "factors": list(images.factors),
            **undefined_as(first.balance.kind, first.balance.undefined),
            **to_tree(run.config),
        },
        runs=run.folder.parent,
        resume=run.resume,
        total_steps=first.total_steps,
        steps_per_epoch=first.steps_per_epoch,
        thresholds=thresholds_of(run.config),
    ) as recorder:
        both = _Stages(run, recorder, teller, stop, images)
        finished = both.train(first, saved)
        if not finished:
            recorder.close("stopped", stop())
    if finished:
        counts = f", `vaemon analyze {run.name} --inactive` counts the sleepers"
        teller.say(f"done; `vaemon watch {run.name}` shows it{'' if first.balance.undefined else counts}")
    else:
        teller.say(f"stopped, all of it is recorded; `vaemon train {run.preset} --run {run.name} --resume` goes on")
    return finished


def _read_images(config: Config, teller: Teller, stop: Callable[[], str]) -> Images | None:
    """The images, checked against the config; None where told to stop."""
    if config.data.path:
        teller.say(f"reading {config.data.path}")
    try:
        images = load_images(config, Watch(stop, teller.show_reading, teller.say))
    except Stopped:
        teller.say("stopped while the images were read; nothing was recorded")
        return None
    teller.say(images.source)
    check_batches(config, images)
    check_balance(config, len(images.train))
    check_density(config, len(images.train))
    return images


class _Stages:
    """Both stages of one run, while it is recorded."""

    def __init__(self, run: Run, recorder: Recorder, teller: Teller, stop: Callable[[], str], images: Images) -> None:
        self.run = run
        self.recorder = recorder
        self.teller = teller
        self.stop = stop
        self.images = images.train
        self.test = images.test
        self.shape = images.train.shape[1:]

    def train(self, first: Stage, saved: dict[int, State | None]) -> bool:
        """Train what is left of either stage; whether all of it was done."""
        config = self.run.config
        density = None
        if config.balance.name in DETERMINISTIC:
            density = CodeDensity(self.run.folder, first.network, self.images, config.seed)
        evaluate = Evaluator(self.recorder, config.seed, first.network, self.test, thresholds_of(config), density)
        self._begin(first, saved[1])
        if not first.done:
            # What a second stage learned of an unfinished first one is void.
            checkpoint.drop(self.run.folder, 2)
            saved[2] = None
            if saved[1] is None:
                self._save(first)  # so that there is always something to go on from
            evaluate.record_inputs()
            self._train(first, evaluate)
        if not first.done or not self.run.config.stage2.enabled:
            return first.done
        second = self._second(first)
        if second is None:
            return False
        self._begin(second, saved[2])
        self._train(second, evaluate)
        return second.done

    def _begin(self, stage: Stage, state: State | None) -> None:
        self.recorder.stage(
            stage.number,
            latents=stage.network.latents,
            total_steps=stage.total_steps,
            steps_per_epoch=stage.steps_per_epoch,
        )
        if state is not None:
            stage.load_state_dict(state)
            self.teller.say(f"stage {stage.number} goes on after step {stage.step:,} of {stage.total_steps:,}")
        else:
            self.teller.say(f"stage {stage.number} begins: {stage.total_steps:,} steps of {stage.settings.batch}")

    def _train(self, stage: Stage, evaluate: Evaluator) -> None:
        run_stage(
            stage,
            self.recorder,
            save=self._save,
            save_every=self.run.config.checkpoint.seconds,
            evaluate=evaluate,
            stop=self.stop,
            screen=self.teller,
        )

    def _second(self, first: Stage) -> Stage | None:
        """Stage 2, on the posteriors of all training images; None where told to stop."""
        self.teller.say(f"encoding {len(self.images):,} images for stage 2")
        posteriors = images_to_posteriors(first.network, torch.from_numpy(self.images), self.stop)
        if posteriors is None:
            return None
        mean, log_variance = posteriors
        return latent_stage(self.run.config, mean, log_variance, self.shape)

    def _save(self, stage: Stage) -> None:
        try:
            checkpoint.save(self.run.folder, stage.number, stage.state_dict(), self.run.config, self.shape)
        except RunFileError as error:
            if stage.done or self.stop():
                raise
            # A full disk may be emptied; hours of training are worth the wait.
            self.recorder.event("error", str(error))
            self.teller.say(f"{error}; training goes on")
            return
        self.recorder.event("checkpoint", f"stage {stage.number}", step=stage.step)


def nothing_left(config: Config, saved: dict[int, State | None]) -> bool:
    """Whether the checkpoints of a run have every step that its config plans."""
    wanted: dict[int, Stage1 | Stage2] = {1: config.stage1}
    if config.stage2.enabled:
        wanted[2] = config.stage2
    for number, settings in wanted.items():
        state = saved[number]
        if state is None or state["step"] < planned_steps(settings, state["steps_per_epoch"]):
            return False
    return True


def choose_device(config: Config) -> torch.device:
    """The device to train on; sets torch's threads, too.

    Raises:
        UsageError: torch knows no such device, or it is not there.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    if config.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(config.device)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"device={config.device} cannot be used here ({reason}); device=auto takes what is there"
        ) from error
    return device
