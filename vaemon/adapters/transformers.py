"""Hugging Face Trainer: a callback."""

from math import ceil
from typing import Any

from transformers import TrainerCallback

from vaemon.adapters.encoder import Extract, learning_rate
from vaemon.adapters.ledger import Ledger, found_in, numbers

SUMMARY = "train_runtime"
"""In the log that a Trainer makes at its end, of times and counts."""
KNOWN_ELSEWHERE = ("epoch", "learning_rate", "total_flos")


class VaemonCallback(TrainerCallback):
    """Records a `Trainer.train` as a run: a row a step of the optimizer, with the numbers that the model gives back.

    The model's output by name (a dict, a ModelOutput) gives the loss of each step and whatever else in it is one
    number. What the Trainer logs is added to the row of its step, an evaluation is a row of the epoch table. Only the
    first process records. A training that goes on from a checkpoint goes on with its run.

    Example:
        trainer = Trainer(model, args, train_dataset=..., callbacks=[VaemonCallback("run42", encoder="encoder")])
    """

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
            run: the run's name; None: transformers-YYYYMMDD-HHMMSS.
            encoder: the module whose output has the posteriors, or its name in the model.
            extract: as in `watch_encoder`.
            latent_dim: as in `watch_encoder`.
            resume: go on with the run; None: where the Trainer goes on from a checkpoint, and there is that run.
            **options: runs, every, live, thresholds, config, latents, as of `vaemon.Recorder`.
        """
        self._ledger = Ledger(run, "transformers", resume, options)
        self._encoder, self._extract, self._latent_dim = encoder, extract, latent_dim
        self._lr: Any = None

    @property
    def run(self) -> str | None:
        """The run's name."""
        return self._ledger.run

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin the run, at the step that a checkpoint left it at."""
        if not state.is_world_process_zero:
            return
        model = kwargs["model"]
        self._ledger.begin(
            state.global_step,
            _config(args, model),
            total_steps=state.max_steps if state.max_steps > 0 else None,
            steps_per_epoch=_steps_per_epoch(args, kwargs.get("train_dataloader")),
        )
        if self._encoder is not None:
            self._ledger.watch(found_in(model, self._encoder), self._extract, self._latent_dim)
        self._ledger.watch_numbers(model)

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Note the learning rate of the step: the schedule has changed it by its end."""
        self._lr = learning_rate(kwargs.get("optimizer"))

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Make the row of the step; the log of it is yet to come."""
        if self._ledger.recorder is not None:
            self._ledger.row(state.global_step, {"lr": self._lr})

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Add what is logged to the row of its step; evaluations have a place of their own."""
        if logs and SUMMARY not in logs:
            told = {name: value for name, value in logs.items() if not _is_known(name)}
            self._ledger.also(numbers(told))

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **kwargs: Any) -> None:
        """Record what an evaluation has found."""
        found = {name.removeprefix("eval_"): value for name, value in (metrics or {}).items() if name != "epoch"}
        self._ledger.evaluation(numbers(found))

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """End the run as finished."""
        self._ledger.end()

    def close(self, outcome: str = "stopped", reason: str = "") -> None:
        """End the run, where a training has failed and the process goes on: the Trainer tells no callback of that."""
        self._ledger.end(outcome, reason)


def _is_known(name: str) -> bool:
    return name in KNOWN_ELSEWHERE or name.startswith("eval_")


def _steps_per_epoch(args: Any, loader: Any) -> int | None:
    try:
        batches: int = len(loader)
    except TypeError:  # a stream has no length
        return None
    return max(ceil(batches / int(args.gradient_accumulation_steps)), 1)


def _config(args: Any, model: Any) -> dict[str, Any]:
    config: Any = getattr(model, "config", None)
    own = config.to_dict() if hasattr(config, "to_dict") else {}
    return {"model": type(model).__name__, "model_config": own, "training": args.to_sanitized_dict()}
