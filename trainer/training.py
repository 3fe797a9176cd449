"""A run: stage 1, the posteriors of its images, stage 2; begun anew or gone on with."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Protocol

import torch

from trainer import checkpoint, ranks, resuming
from trainer.capture import how_to_step
from trainer.config import Config, thresholds_of, to_tree
from trainer.data.images import Images
from trainer.data.watch import Stopped, Watch
from trainer.density import CodeDensity, check_density
from trainer.device import choose_device
from trainer.evaluation import Evaluator, Measure, is_due
from trainer.feed import is_streamed
from trainer.images import check_batches, fingerprint, load_images
from trainer.loop import Screen, raise_if_unsound, run_stage
from trainer.memory import explained_memory, keep_freed_memory
from trainer.options import WITHOUT_PRIOR
from trainer.posteriors import images_to_posteriors
from trainer.precision import emulates_bfloat16
from trainer.resuming import Saved, State
from trainer.runs import Run, unmoved
from trainer.saving import Saver
from trainer.stages import Stage, check_balance, image_stage, latent_stage
from trainer.unrecorded import Unrecorded
from vaemon import Recorder
from vaemon.channels import undefined_as


class Teller(Screen, Protocol):
    """A screen that takes sentences, too, and shows how far the reading of images is."""

    def say(self, text: str) -> None:
        """Tell people something."""
        ...

    def show_reading(self, what: str, done: int, total: int) -> None:
        """Show what is done with the images, how much of it, and how much there is in all (0: not known)."""
        ...


def train(run: Run, teller: Teller, stop: Callable[[], str], measures: Sequence[Measure] = ()) -> bool:
    """Train what is left of a run.

    Args:
        run: what to train.
        teller: shows progress and takes sentences.
        stop: why to stop after the present step; empty to go on.
        measures: what else is measured at each evaluation, for whoever knows of more than the trainer.

    Returns:
        Whether every planned step is trained; False where `stop` said so.

    Raises:
        UsageError: data, network and config do not go together.
        DataNotFound: the images are not there.
        BadLoss: the loss went bad.
        RunLocked: another process is recording the run.
        RunFileError: a checkpoint cannot be read, or the last one not written.
        OutOfMemory: the device's memory is too small.
    """
    version = checkpoint.version(run.folder)
    saved = resuming.load(run)
    if run.resume and resuming.is_done(run, saved):
        teller.say(
            f"run {run.name} is trained to its end, there is nothing left to do; --set stage1.epochs=… adds to it"
        )
        return True
    if run.resume and saved[1] is None:
        resuming.check_nothing_recorded(run)
    device = _prepared_device(run.config, teller)
    images = _read_images(run.config, teller, stop)
    if images is None:
        return False
    seen = fingerprint(images)
    resuming.check_images(run, seen, images.source)
    if ranks.here().count > 1:
        stop = ranks.Agreed(stop)  # from here on all ask equally often
    torch.manual_seed(run.config.seed)  # for what draws from torch's own generator; a checkpoint has its state
    first = _first_stage(run, images, saved, device, teller)
    with ExitStack() as opening:
        if run.resume:
            had = unmoved(run.folder, lambda: checkpoint.version(run.folder) != version)
            ranks.from_first(lambda: opening.enter_context(had))
        recorder = _recorder(run, first, images, seen)
    with recorder:
        both = _Stages(run, recorder, teller, stop, images, device)
        with explained_memory(run.config):
            finished = both.train(first, saved, measures)
        both.save.settle()
        if not finished:
            recorder.close("stopped", stop())
    _say_outcome(run, first, finished, teller)
    return finished


def _first_stage(run: Run, images: Images, saved: Saved, device: torch.device, teller: Teller) -> Stage:
    """Stage 1 on the device, as it was saved where it was."""
    size, count = images.train.nbytes, ranks.here().count
    from_host = is_streamed(run.config.data.place, size, device)
    with explained_memory(run.config, 0 if from_host else size):
        first = image_stage(run.config, images.train, device, from_host=from_host)
        ranks.from_first(lambda: resuming.check_fit(run, first, saved, images))
    teller.say(f"run {run.name} in {run.folder}, on {device}{f', {count} processes together' if count > 1 else ''}")
    if from_host:
        teller.say(f"{size / 2**30:.3g} GiB of images stay with the host, which brings {device} each batch")
    return first


def _say_outcome(run: Run, first: Stage, finished: bool, teller: Teller) -> None:
    if finished:
        counts = f", `vaemon analyze {run.name} --inactive` counts the sleepers"
        teller.say(f"done; `vaemon watch {run.name}` shows it{'' if first.balance.undefined else counts}")
    else:
        teller.say(f"stopped, all of it is recorded; `vaemon train {run.preset} --run {run.name} --resume` goes on")


def _prepared_device(config: Config, teller: Teller) -> torch.device:
    """The device to train on; what this process is to do for it is done, and what speaks against it said."""
    device = choose_device(config)
    if device.type == "cpu":
        keep_freed_memory()
    if config.precision == "bfloat16" and emulates_bfloat16(device):
        teller.say("this processor emulates bfloat16 and is some 20 times slower with it; --set precision=float32")
    return device


def _recorder(run: Run, first: Stage, images: Images, seen: Mapping[str, Any]) -> Recorder | Unrecorded:
    if not ranks.is_first():
        return Unrecorded(run.folder)
    return Recorder(
        run.name,
        latents=first.network.latents,
        config={
            "preset": run.preset,
            "factors": list(images.factors),
            "images": seen,
            **undefined_as(first.balance.kind, first.balance.undefined),
            **to_tree(run.config),
        },
        runs=run.folder.parent,
        resume=run.resume,
        total_steps=first.total_steps,
        steps_per_epoch=first.steps_per_epoch,
        thresholds=thresholds_of(run.config),
    )


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

    def __init__(
        self,
        run: Run,
        recorder: Recorder | Unrecorded,
        teller: Teller,
        stop: Callable[[], str],
        images: Images,
        device: torch.device,
    ) -> None:
        self.run = run
        self.recorder = recorder
        self.teller = teller
        self.stop = stop
        self.images = images.train
        self.test = images.test
        self.shape = images.train.shape[1:]
        self.capture = how_to_step(run.config, device, teller.say)
        self.save = Saver(run.folder, run.config, self.shape, recorder, teller.say)

    def train(self, first: Stage, saved: Saved, measures: Sequence[Measure]) -> bool:
        """Train what is left of either stage; whether all of it was done."""
        config = self.run.config
        self.save.tidy()
        density = None
        if config.balance.name in WITHOUT_PRIOR:
            density = CodeDensity(self.run.folder, first.network, self.images, config.seed, self.teller.say)
        evaluate = Evaluator(
            self.recorder,
            config.seed,
            first.network,
            self.test,
            config.evaluation.images,
            thresholds_of(config),
            density,
            # Where several train, all must ask equally often, and the first evaluates alone.
            stop=self.stop if ranks.here().count == 1 else bool,
            measures=measures,
        )
        self._begin(first, saved[1])
        if not first.done:
            if saved[2] is not None:
                # What a second stage learned of an unfinished first one is void.
                self.teller.say("stage 2 was trained on stage 1 as it was, and begins anew when that is done")
                self.save.drop_with_next(2)
                saved[2] = None
            if saved[1] is None:
                self.save(first)  # so that there is always something to go on from
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
            self.save.mend(stage)
            self.teller.say(f"stage {stage.number} goes on after step {stage.step:,} of {stage.total_steps:,}")
        else:
            self.teller.say(f"stage {stage.number} begins: {stage.total_steps:,} steps of {stage.settings.batch}")

    def _train(self, stage: Stage, evaluate: Evaluator) -> None:
        def evaluate_and_judge(stage: Stage) -> None:
            if not (ranks.is_first() and is_due(stage, self.run.config.evaluation.every)):
                stage.evaluated = stage.step
                return
            raise_if_unsound(stage, self.recorder)  # there is nothing to see of a network of NaN
            if figures := evaluate(stage):
                stage.evaluated = stage.step
                if self.recorder.flush():
                    self.save.judge(stage, figures)

        run_stage(
            stage,
            self.recorder,
            save=self.save,
            save_every=self.run.config.checkpoint.seconds,
            evaluate=evaluate_and_judge,
            stop=self.stop,
            screen=self.teller,
            capture=self.capture,
        )

    def _second(self, first: Stage) -> Stage | None:
        """Stage 2, on the posteriors of all training images; None where told to stop."""
        self.teller.say(f"encoding {len(self.images):,} images for stage 2")
        posteriors = images_to_posteriors(first.network, torch.from_numpy(self.images), self.stop)
        if posteriors is None:
            return None
        mean, log_variance = posteriors
        return latent_stage(self.run.config, mean, log_variance, self.shape)
