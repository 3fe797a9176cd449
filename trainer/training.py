"""A run: stage 1, the posteriors of its images, stage 2; begun anew or gone on with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from trainer import checkpoint, ranks
from trainer.config import Config, Stage1, Stage2, differences, thresholds_of, to_tree
from trainer.data.images import Images
from trainer.data.watch import Stopped, Watch
from trainer.density import CodeDensity, check_density
from trainer.device import choose_device
from trainer.evaluation import Evaluator
from trainer.images import check_batches, check_same_images, fingerprint, load_images
from trainer.loop import Screen, raise_if_unsound, run_stage
from trainer.memory import explained_memory, keep_freed_memory
from trainer.options import DETERMINISTIC
from trainer.posteriors import images_to_posteriors
from trainer.precision import emulates_bfloat16
from trainer.runs import refuse_moved
from trainer.saving import Saver
from trainer.settings import config_kept
from trainer.stages import Stage, check_balance, image_stage, latent_stage, planned_steps
from trainer.unrecorded import Unrecorded
from vaemon import Recorder, open_run
from vaemon.channels import undefined_as
from vaemon.errors import UsageError

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
        RunFileError: a checkpoint cannot be read, or the last one not written.
        OutOfMemory: the device's memory is too small.
    """
    version = checkpoint.version(run.folder)
    saved = {stage: _load(run, stage) if run.resume else None for stage in (1, 2)}
    _check_same(saved)
    if run.resume and nothing_left(run.config, saved) and _is_finished(run.folder):
        teller.say(
            f"run {run.name} is trained to its end, there is nothing left to do; --set stage1.epochs=… adds to it"
        )
        return True
    if run.resume and saved[1] is None:
        _check_nothing_recorded(run)
    device = _prepared_device(run.config, teller)
    images = _read_images(run.config, teller, stop)
    if images is None:
        return False
    seen = fingerprint(images)
    _check_images(run, images, seen, saved[1])
    if ranks.here().count > 1:
        stop = ranks.Agreed(stop)  # from here on all ask equally often
    torch.manual_seed(run.config.seed)  # for what draws from torch's own generator; a checkpoint has its state
    with explained_memory(run.config, images.train.nbytes):
        first = image_stage(run.config, images.train, device)
        ranks.from_first(lambda: _check_fit(run, first, saved, images))
    count = ranks.here().count
    teller.say(f"run {run.name} in {run.folder}, on {device}{f', {count} processes together' if count > 1 else ''}")
    if run.resume:
        ranks.from_first(lambda: refuse_moved(run.folder, lambda: checkpoint.version(run.folder) != version))
    with _recorder(run, first, images, seen) as recorder:
        both = _Stages(run, recorder, teller, stop, images)
        with explained_memory(run.config):
            finished = both.train(first, saved)
        both.save.settle()
        if not finished:
            recorder.close("stopped", stop())
    if finished:
        counts = f", `vaemon analyze {run.name} --inactive` counts the sleepers"
        teller.say(f"done; `vaemon watch {run.name}` shows it{'' if first.balance.undefined else counts}")
    else:
        teller.say(f"stopped, all of it is recorded; `vaemon train {run.preset} --run {run.name} --resume` goes on")
    return finished


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
        self, run: Run, recorder: Recorder | Unrecorded, teller: Teller, stop: Callable[[], str], images: Images
    ) -> None:
        self.run = run
        self.recorder = recorder
        self.teller = teller
        self.stop = stop
        self.images = images.train
        self.test = images.test
        self.shape = images.train.shape[1:]
        self.save = Saver(run.folder, run.config, self.shape, recorder, teller.say)

    def train(self, first: Stage, saved: dict[int, State | None]) -> bool:
        """Train what is left of either stage; whether all of it was done."""
        config = self.run.config
        self.save.tidy()
        density = None
        if config.balance.name in DETERMINISTIC:
            density = CodeDensity(self.run.folder, first.network, self.images, config.seed, self.teller.say)
        evaluate = Evaluator(
            self.recorder,
            config.seed,
            first.network,
            self.test,
            config.evaluation,
            thresholds_of(config),
            density,
            # Where several train, all must ask equally often, and the first evaluates alone.
            stop=self.stop if ranks.here().count == 1 else bool,
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
            if not (ranks.is_first() and evaluate.is_due(stage)):
                stage.evaluated = stage.step
                return
            raise_if_unsound(stage, self.recorder)  # there is nothing to see of a network of NaN
            if (figures := evaluate(stage)) and self.recorder.flush():
                self.save.judge(stage, figures)

        run_stage(
            stage,
            self.recorder,
            save=self.save,
            save_every=self.run.config.checkpoint.seconds,
            evaluate=evaluate_and_judge,
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


def _check_same(saved: dict[int, State | None]) -> None:
    """Refuse processes that do not see the same checkpoints.

    Raises:
        UsageError: one sees others than the first.
    """
    steps = ranks.from_all({stage: state and state["step"] for stage, state in saved.items()})
    path = checkpoint.path_of(Path(), 1)
    ranks.from_first(lambda: _check_alike(steps, f"checkpoints than the first, {path}", "see one folder of runs"))


def _check_alike(seen: Sequence[object], what: str, wanted: str) -> None:
    """Refuse processes that do not see the same.

    Raises:
        UsageError: one sees other things than the first.
    """
    others = [str(rank) for rank, each in enumerate(seen) if each != seen[0]]
    if others:
        raise UsageError(f"process {', '.join(others)} sees other {what}; all must {wanted}")


def _check_fit(run: Run, first: Stage, saved: dict[int, State | None], images: Images) -> None:
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


def _began_with(folder: Path, first: State | None) -> dict[str, Any]:
    """What is known of the images that a run began with, as far as `fingerprint` tells it."""
    with open_run(folder) as recorded:
        found = recorded.info().config.get("images")
    shape = {} if first is None else {"shape": first["shape"]}
    return {**shape, **found} if isinstance(found, Mapping) else shape


def _check_images(run: Run, images: Images, seen: Mapping[str, Any], first: State | None) -> None:
    """Refuse images other than the run began with, or than the first process has; leaves the run as it was.

    Raises:
        UsageError: they are others.
    """
    all_seen = ranks.from_all(seen)
    ranks.from_first(lambda: _check_alike(all_seen, f"images than the first ({images.source})", "read the same files"))
    if run.resume:
        ranks.from_first(lambda: check_same_images(_began_with(run.folder, first), seen, images.source))


def _check_nothing_recorded(run: Run) -> None:
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


def _is_finished(folder: Path) -> bool:
    """Whether the run was ended as such; one killed after its last checkpoint was not."""
    with open_run(folder) as recorded:
        return str(recorded.info().state) == "finished"


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
