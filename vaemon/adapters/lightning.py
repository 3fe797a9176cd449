"""PyTorch Lightning: a callback, for `lightning.pytorch` and `pytorch_lightning` alike."""

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from math import ceil, isfinite
from typing import Any

from vaemon.adapters.encoder import Extract, learning_rate
from vaemon.adapters.ledger import Ledger, found_in, numbers

ROOTS = ("lightning.pytorch", "pytorch_lightning")


def _callbacks() -> tuple[type, ...]:
    # Whose trainer it will be is not known yet: a callback is one of every root in use, or else of every one there is.
    used = [root for root in ROOTS if root in sys.modules]
    there = used or [root for root in ROOTS if find_spec(root.partition(".")[0])]
    if not there:
        raise ImportError("vaemon.adapters.lightning needs PyTorch Lightning: pip install lightning")
    return tuple(import_module(root).Callback for root in there)


class VaemonCallback(*_callbacks()):  # type: ignore[misc]
    """Records a `Trainer.fit` as a run: a row a step of the optimizer, with the loss and what the module logs.

    What is logged at each step are scalars of its row; what is logged once an epoch, and by a validation, is a row of
    the epoch table. Only the first rank records. A fit that goes on from a checkpoint goes on with its run. Steps are
    Lightning's own, which counts those of several optimizers one by one.

    Example:
        trainer = Trainer(callbacks=[VaemonCallback("run42", encoder="encoder")])
    """

    library = "lightning"
    """How the library is called in the config of a run, and a run that has no name."""

    def __init__(
        self,
        run: str | None = None,
        *,
        encoder: Any = None,
        extract: Extract | None = None,
        latent_dim: int = 1,
        resume: bool | None = None,
        **options: Any,
    ) -> None:
        """Nothing is recorded before the training begins.

        Args:
            run: the run's name; None: lightning-YYYYMMDD-HHMMSS, and after a checkpoint the name it had.
            encoder: the module whose output has the posteriors, or its name in the LightningModule, as "model.encoder".
            extract: as in `watch_encoder`.
            latent_dim: as in `watch_encoder`.
            resume: go on with the run; None: where the fit goes on from a checkpoint, and there is that run.
            **options: runs, every, live, thresholds, config, latents, as of `vaemon.Recorder`.
        """
        super().__init__()
        self._ledger = Ledger(run, self.library, resume, options)
        self._encoder, self._extract, self._latent_dim = encoder, extract, latent_dim
        self._seen: dict[str, Any] = {}
        self._step = 0
        self._lr: Any = None

    @property
    def run(self) -> str | None:
        """The run's name."""
        return self._ledger.run

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps: the run's name."""
        return {"run": self.run}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the run of the checkpoint, where no other was named."""
        self._ledger.run = self._ledger.run or state_dict.get("run")

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin the run, at the step that a checkpoint left it at."""
        if not trainer.is_global_zero:
            return
        self._step, self._seen = trainer.global_step, dict(trainer.callback_metrics)
        self._ledger.begin(self._step, _config(trainer, pl_module), **_lengths(trainer))
        if self._encoder is not None:
            self._ledger.watch(found_in(pl_module, self._encoder), self._extract, self._latent_dim)

    def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:
        """Note the learning rate of the step: a schedule has changed it by the end of the batch."""
        self._lr = learning_rate(optimizer)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Gather what the batch tells, and record a row where the optimizer has made a step."""
        if self._ledger.recorder is None:
            return
        told = outputs if isinstance(outputs, Mapping) else {"loss": outputs}
        self._ledger.gather({**numbers({"loss": told.get("loss")}), **self._new(trainer)})
        if trainer.global_step > self._step:
            self._step = trainer.global_step
            self._ledger.row(self._step, {"epoch": trainer.current_epoch, "lr": self._lr})
            self._ledger.commit()

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Record what the module has logged of the epoch before at its very end."""
        self._evaluated(trainer)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Record what is logged once an epoch."""
        self._evaluated(trainer)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Record what a validation has found; one that only tries the code is none."""
        if not trainer.sanity_checking:
            self._evaluated(trainer)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Record what was logged last."""
        self._evaluated(trainer)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """End the run as failed, or as stopped by whoever stopped it."""
        self._ledger.fail(exception)

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """End the run as finished."""
        self._ledger.end()

    def _evaluated(self, trainer: Any) -> None:
        if self._ledger.recorder is not None:
            self._ledger.evaluation(self._new(trainer), self._step)

    def _new(self, trainer: Any) -> dict[str, Any]:
        """What was logged since last asked: Lightning keeps old values beside new ones, as the objects they were."""
        now = dict(trainer.callback_metrics)
        new = {name: value for name, value in now.items() if value is not self._seen.get(name)}
        self._seen = now
        return numbers({name: value for name, value in new.items() if not _is_fork(name, new)})


def _is_fork(name: str, among: Mapping[str, Any]) -> bool:
    # A value logged by step and by epoch is told under its own name, too.
    stem, _, ending = name.rpartition("_")
    return ending in ("step", "epoch") and stem in among


def _config(trainer: Any, pl_module: Any) -> dict[str, Any]:
    known = ("max_epochs", "max_steps", "precision", "accumulate_grad_batches", "gradient_clip_val", "world_size")
    hyperparameters = {str(name): value for name, value in dict(getattr(pl_module, "hparams", {})).items()}
    told = {name: getattr(trainer, name, None) for name in known}
    return {**hyperparameters, "trainer": told, "model": type(pl_module).__name__}


def _lengths(trainer: Any) -> dict[str, int | None]:
    total, batches = trainer.estimated_stepping_batches, trainer.num_training_batches
    return {
        "total_steps": int(total) if isfinite(total) and total > 0 else None,
        "steps_per_epoch": ceil(batches / trainer.accumulate_grad_batches) if 0 < batches < float("inf") else None,
    }
