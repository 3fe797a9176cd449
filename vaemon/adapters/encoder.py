"""watch_encoder: a hook on the encoder, and no other change to a training."""

import logging
from collections.abc import Callable
from typing import Any

from vaemon.adapters.hook import TrainingHook
from vaemon.adapters.posterior import gaussian_of
from vaemon.errors import UsageError
from vaemon.recorder.recorder import Recorder
from vaemon.recorder.reduce import posterior_to_channels
from vaemon.runfile.read import open_run

log = logging.getLogger("vaemon")

Extract = Callable[[Any], Any]


def watch_encoder(
    module: Any,
    recorder: Recorder | None = None,
    *,
    optimizer: Any = None,
    extract: Extract | None = None,
    latent_dim: int = 1,
    first: int | None = None,
) -> "EncoderWatch":
    """Take the statistics of the latents from each forward pass of an encoder in training.

    Passes in evaluation mode or without gradients are none of a training, and are passed over. Everything is computed
    where the tensors are; no step waits for a device.

    Example:
        with Recorder("run42") as recorder:
            watch_encoder(vae.encoder, recorder, optimizer=optimizer)
            ...  # the training, as it was

    Args:
        module: the torch module whose output has the posteriors: (mean, log-variance), a Normal, an object with both
            by name; see `vaemon.adapters.posterior.gaussian_of`.
        recorder: where to record. Without one nothing is: `take()` gives what was gathered since it was last asked,
            for a `Recorder.log` of your own.
        optimizer: a row is then recorded at each of its steps, with its learning rate, however many passes were made
            for it (gradient accumulation); without one, at each pass.
        extract: makes of the module's output something that can be told, where it cannot.
        latent_dim: the axis of the latents, 1 as in (batch, k) and (batch, k, h, w); -1 as in (batch, time, k). All
            further axes are places: statistics are over the batch and all places, the KL is summed over these.
        first: number of the first step; by default 1, or in a run that goes on the one after its newest.

    Raises:
        UsageError: at the first pass, where its output has no posteriors that can be told. Later ones are told once,
            in a line of the log, and training goes on.
    """
    watch = EncoderWatch(module, extract=extract, latent_dim=latent_dim)
    if recorder is not None:
        _Rows(watch, recorder, optimizer, first)
    elif optimizer is not None or first is not None:
        watch.close()
        raise UsageError("watch_encoder(): optimizer= and first= say when rows are recorded; hand in a recorder, too")
    return watch


class EncoderWatch:
    """What the forward passes of an encoder tell of its latents, from one `take` to the next."""

    def __init__(self, module: Any, *, extract: Extract | None = None, latent_dim: int = 1) -> None:
        """Hook the module; see `watch_encoder`."""
        self._extract, self._latent_dim = extract, latent_dim
        self._means: dict[str, Any] = {}
        self._samples = 0
        self._has_worked = self._has_complained = False
        self.after_pass: Callable[[], None] | None = None
        """Called after each pass that counts."""
        self._hooks: list[Any] = [TrainingHook(module, self._pass)]

    def take(self) -> dict[str, Any]:
        """Mean over the samples since the last call, (k,) each: mean_variance, mean_mu, mu_squared, latent_kl.

        On the device of the encoder; empty where no pass was made in training mode.
        """
        taken, self._means, self._samples = self._means, {}, 0
        return taken

    def close(self) -> None:
        """Take the hook away."""
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()

    def also_close(self, hook: Any) -> None:
        """Have another hook taken away with it."""
        self._hooks.append(hook)

    def _pass(self, output: Any) -> None:
        try:
            found = gaussian_of(output if self._extract is None else self._extract(output))
            self._gather(*(_laid_out(each, self._latent_dim) for each in found))
        except Exception as error:
            # Only the first pass may stop a training, as only the first call of a recorder may.
            if not self._has_worked:
                raise
            if not self._has_complained:
                self._has_complained = True
                log.warning("vaemon: a pass of the encoder was not recorded, training goes on: %s", error)
            return
        self._has_worked = True
        if self.after_pass is not None:
            self.after_pass()

    def _gather(self, mean: Any, variance: Any, log_variance: Any) -> None:
        means, samples = posterior_to_channels(mean, variance, log_variance), len(mean)
        if self._samples:
            if means["mean_mu"].shape != self._means["mean_mu"].shape:
                raise UsageError(f"{len(means['mean_mu'])} latents after {len(self._means['mean_mu'])} in one step")
            share = samples / (self._samples + samples)
            means = {name: was + (means[name] - was) * share for name, was in self._means.items()}
        self._means, self._samples = means, self._samples + samples


class _Rows:
    """Has an encoder's statistics recorded by themselves, a row a step."""

    def __init__(self, watch: EncoderWatch, recorder: Recorder, optimizer: Any, first: int | None) -> None:
        self._watch, self._recorder = watch, recorder
        self._next = first if first is not None else _newest(recorder) + 1
        if optimizer is None:
            watch.after_pass = self._record
        else:
            watch.also_close(optimizer.register_step_pre_hook(self._before_step))
            watch.also_close(optimizer.register_step_post_hook(self._after_step))
        self._lr: float | None = None

    def _before_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        self._lr = learning_rate(optimizer)

    def _after_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        self._record(lr=self._lr)

    def _record(self, **values: Any) -> None:
        self._recorder.log(self._next, **self._watch.take(), **values)
        self._next += 1


def learning_rate(optimizer: Any) -> Any:
    """That of an optimizer's first group of parameters; None where it has none."""
    groups = getattr(optimizer, "param_groups", None)
    return groups[0].get("lr") if groups else None


def _newest(recorder: Recorder) -> int:
    with open_run(recorder.folder) as run:
        rows = run.stage()
        return int(rows.read(len(rows) - 1, len(rows), ("step",))["step"][0]) if rows is not None and len(rows) else 0


def _laid_out(values: Any, latent_dim: int) -> Any:
    """Posteriors as (batch, k), or (batch, k, places, 1)."""
    if values is None or (values.dim() == 2 and latent_dim in (1, -1)):
        return values
    if values.dim() < 2:
        raise UsageError(f"posteriors of a batch are (batch, latents, …), not {tuple(values.shape)}")
    latents = values.movedim(latent_dim, 1)
    return latents if latents.dim() == 2 else latents.flatten(2).unsqueeze(3)
