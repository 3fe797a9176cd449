"""The run of a training whose loop belongs to a library: begun, gone on with and ended as the library tells it.

A row is held until the next step begins, for libraries tell of one step by and by; the end writes the last.
"""

import atexit
import sys
from collections.abc import Mapping
from typing import Any

from vaemon.adapters.encoder import EncoderWatch, Extract
from vaemon.adapters.hook import TrainingHook
from vaemon.channels import CHANNELS
from vaemon.errors import UsageError
from vaemon.recorder.recorder import Recorder
from vaemon.recorder.row import RESERVED
from vaemon.runfile.find import is_run, new_name, runs_folder

OPTIONS = ("runs", "every", "live", "thresholds", "latents", "total_steps", "steps_per_epoch")


class Ledger:
    """Rows of a run, each known by its step."""

    def __init__(self, run: str | None, library: str, resume: bool | None, options: Mapping[str, Any]) -> None:
        """Nothing is recorded before `begin`.

        Args:
            run: the run's name; None: LIBRARY-YYYYMMDD-HHMMSS.
            library: how unnamed runs are called.
            resume: go on with the run; None: where the library goes on with a training, and there is that run.
            options: what else a Recorder takes; what the library knows itself need not be among it.

        Raises:
            UsageError: an option is none of a Recorder's.
        """
        if unknown := sorted(options.keys() - {"config", *OPTIONS}):
            raise UsageError(f"{', '.join(unknown)}: no such option; there are config, {', '.join(OPTIONS)}")
        self.run, self._library, self._resume = run, library, resume
        self._is_named = run is not None
        self._options = {name: value for name, value in options.items() if name != "config"}
        self._config = dict(options.get("config") or {})
        self._encoder: EncoderWatch | None = None
        self._hooks: list[Any] = []
        self._means: dict[str, tuple[Any, int]] = {}
        self._row: dict[str, Any] = {}
        self._step: int | None = None  # of the row that is held
        self.recorder: Recorder | None = None

    def begin(self, done: int, config: Mapping[str, Any], **known: int | None) -> None:
        """Begin the run, or go on with it.

        Args:
            done: steps that the training had made before.
            config: what the library knows of the training; the user's own config goes before it.
            **known: total_steps and steps_per_epoch, as far as the library knows.

        Raises:
            VaemonError: as `Recorder`.
        """
        if self.recorder is not None:
            self.end("stopped", "the training was begun anew")
        runs = runs_folder(self._options.get("runs"))
        if self.run is None or not (self._is_named or done):
            self.run = new_name(self._library, runs)
        goes_on = bool(done) and is_run(runs / self.run) if self._resume is None else self._resume
        config = {"library": self._library, **config, **self._config}
        self.recorder = Recorder(self.run, config=config, resume=goes_on, **{**known, **self._options})
        # After the recorder's own, so that it is called before it.
        atexit.register(self._on_exit)

    def watch(self, module: Any, extract: Extract | None, latent_dim: int) -> None:
        """Have each row carry the statistics of this encoder's passes since the row before."""
        if self._encoder is not None:
            self._encoder.close()
        self._encoder = EncoderWatch(module, extract=extract, latent_dim=latent_dim)

    def watch_numbers(self, module: Any) -> None:
        """Have each row carry the numbers that a model's training passes give back by name, its loss above all."""
        self.also_remove(TrainingHook(module, lambda output: self.gather(numbers(output))))

    def also_remove(self, hook: Any) -> None:
        """Have a hook taken away when the run ends."""
        self._hooks.append(hook)

    def unwatch(self) -> None:
        """Take the hooks away."""
        if self._encoder is not None:
            self._encoder.close()
        for hook in self._hooks:
            hook.remove()
        self._encoder, self._hooks = None, []

    def gather(self, values: Mapping[str, Any]) -> None:
        """Add to the row to come; of what is gathered several times, as of parts of a batch, it holds the mean."""
        for name, value in values.items():
            was, count = self._means.get(name, (0.0, 0))
            value = value.detach() if hasattr(value, "detach") else value
            self._means[name] = (was + (value - was) / (count + 1) if count else value, count + 1)

    def row(self, step: int, values: Mapping[str, Any]) -> None:
        """Add to the row of that step; the first call for a step ends the row before it."""
        if self._step != step:
            self.commit()
            self._step = step
            self._row = {name: mean for name, (mean, _) in self._means.items()}
            self._row |= self._encoder.take() if self._encoder is not None else {}
            self._means = {}
        self._row |= values

    def also(self, values: Mapping[str, Any]) -> None:
        """Add to the row that is held what it does not have yet."""
        self._row = {**values, **self._row} if self._step is not None else self._row

    def commit(self) -> None:
        """Record the row that is held."""
        step, row, self._step, self._row = self._step, self._row, None, {}
        if step is not None and self.recorder is not None and row:
            self.recorder.log(step, **row)

    def evaluation(self, values: Mapping[str, Any], step: int | None = None) -> None:
        """Record a row of the epoch table."""
        self.commit()
        if self.recorder is not None and values:
            self.recorder.evaluation(step, **values)

    def fail(self, error: BaseException) -> None:
        """End the run by an exception: stopped by Ctrl-C or an exit that was asked for, else failed."""
        if isinstance(error, KeyboardInterrupt | SystemExit):
            self.end("stopped", "Ctrl-C" if isinstance(error, KeyboardInterrupt) else f"{error or 'exit'}")
        else:
            self.end("failed", f"{type(error).__name__}: {error}")

    def end(self, outcome: str = "finished", reason: str = "") -> None:
        """Write the row that is held and end the run; further calls do nothing."""
        self.unwatch()
        if self.recorder is None:
            return
        atexit.unregister(self._on_exit)
        try:
            self.commit()
        finally:
            self.recorder.close(outcome, reason)
            self.recorder = None

    def _on_exit(self) -> None:
        # Where a library tells nobody of an exception, the interpreter has noted what it ended by.
        error = getattr(sys, "last_value", None)
        if error is not None:
            self.fail(error)
        else:
            self.end("stopped", "the process ended before the training did")


def numbers(values: Any) -> dict[str, Any]:
    """Those of some values by name that are one number each, wherever they are, and not the recorder's own."""
    found = {}
    for name, value in values.items() if isinstance(values, Mapping) else ():
        if hasattr(value, "numel") and value.numel() == 1:
            # Of truth values torch makes no mean.
            value = value.reshape(()).float() if str(value.dtype) == "torch.bool" else value.reshape(())
        elif not isinstance(value, float | int) and not (hasattr(value, "shape") and value.shape == ()):
            continue
        if name not in RESERVED and (name not in CHANNELS or CHANNELS[name].kind == "scalar"):
            found[str(name)] = value
    return found


def found_in(model: Any, encoder: Any) -> Any:
    """The encoder itself, or the module of that name in the model.

    Raises:
        UsageError: there is none of that name.
    """
    if not isinstance(encoder, str):
        return encoder
    try:
        return model.get_submodule(encoder)
    except AttributeError:
        there = ", ".join(name for name, _ in model.named_children()) or "none"
        raise UsageError(
            f"encoder={encoder!r}: {type(model).__name__} has no such module; it has {there}, and what is within "
            "these is named as in 'model.encoder'"
        ) from None
