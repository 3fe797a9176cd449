"""pythae: a callback for when a training begins and ends; hooks for its steps, of which no callback is told."""

from dataclasses import asdict
from typing import Any

from pythae.trainers.training_callbacks import TrainingCallback
from torch.nn.parallel import DistributedDataParallel
from torch.optim.optimizer import register_optimizer_step_pre_hook

from vaemon.adapters.encoder import Extract, learning_rate
from vaemon.adapters.ledger import Ledger, found_in, numbers


class VaemonCallback(TrainingCallback):
    """Records a training of pythae as a run: a row a step, with the losses that the model gives back.

    The losses of an epoch, training and evaluation, are a row of the epoch table.

    Example:
        pipeline = TrainingPipeline(training_config=config, model=vae)
        pipeline(train_data=..., callbacks=[VaemonCallback("run42")])
    """

    def __init__(
        self,
        run: str | None = None,
        *,
        encoder: str = "encoder",
        extract: Extract | None = None,
        resume: bool | None = None,
        **options: Any,
    ) -> None:
        """Nothing is recorded before the training begins.

        Args:
            run: the run's name; None: pythae-YYYYMMDD-HHMMSS.
            encoder: the name in the model of the module whose output has the posteriors.
            extract: as in `watch_encoder`.
            resume: go on with the run.
            **options: runs, every, live, thresholds, config, latents, total_steps, as of `vaemon.Recorder`.
        """
        super().__init__()
        self._ledger = Ledger(run, "pythae", resume, options)
        self._encoder, self._extract = encoder, extract
        self._step, self._epoch = 0, 1
        self._lr: Any = None

    @property
    def run(self) -> str | None:
        """The run's name."""
        return self._ledger.run

    def on_train_step_begin(self, training_config: Any, **kwargs: Any) -> None:
        """Begin the run at the first epoch: it is called at each, and is the first to be told of the data."""
        self._epoch = kwargs["epoch"]
        if self._ledger.recorder is not None or kwargs["rank"] > 0:
            return
        model, length = _unwrapped(kwargs["model"]), len(kwargs["train_loader"])
        self._step = 0
        self._ledger.begin(
            0,
            {
                "model": model.model_name,
                "model_config": asdict(model.model_config),
                "training": asdict(training_config),
            },
            total_steps=length * training_config.num_epochs,
            steps_per_epoch=length,
        )
        self._ledger.watch(found_in(model, self._encoder), self._extract, 1)
        self._ledger.watch_numbers(model)
        self._ledger.also_remove(register_optimizer_step_pre_hook(self._before_step))

    def on_train_step_end(self, training_config: Any, **kwargs: Any) -> None:
        """Make the row of a step; it is called after each batch."""
        if self._ledger.recorder is not None:
            self._step += 1
            self._ledger.row(self._step, {"epoch": self._epoch - 1, "lr": self._lr})
            self._lr = None

    def on_log(self, training_config: Any, logs: Any, **kwargs: Any) -> None:
        """Record the losses of an epoch."""
        self._ledger.evaluation(numbers(logs))

    def on_train_end(self, training_config: Any, **kwargs: Any) -> None:
        """End the run as finished."""
        self._ledger.end()

    def close(self, outcome: str = "stopped", reason: str = "") -> None:
        """End the run, where a training has failed and the process goes on: pythae tells no callback of that."""
        self._ledger.end(outcome, reason)

    def _before_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        # Some of pythae's trainers have two optimizers: that of the encoder steps first.
        self._lr = learning_rate(optimizer) if self._lr is None else self._lr


def _unwrapped(model: Any) -> Any:
    return model.module if isinstance(model, DistributedDataParallel) else model
