"""Recorder: what a training loop holds. One call a step; never blocks, never raises into the loop."""

import atexit
import re
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vaemon.batch import Event, StageInfo
from vaemon.channels import CHANNELS
from vaemon.errors import UsageError, VaemonError
from vaemon.evaluations import to_events
from vaemon.recorder import process
from vaemon.recorder.block import Put, kind_of, refuse
from vaemon.recorder.derive import Bad
from vaemon.recorder.fetch import join
from vaemon.recorder.folder import leave_folder, may_be_live, take_folder
from vaemon.recorder.images import take
from vaemon.recorder.reduce import posterior_to_channels
from vaemon.recorder.ring import Ring
from vaemon.recorder.row import Values, sort_values
from vaemon.recorder.writer import Writer, log
from vaemon.runfile.find import check_name, runs_folder
from vaemon.thresholds import Thresholds

BUFFER_BYTES = 64 * 1024 * 1024
PATIENCE = 30.0
"""Seconds that the end of a run waits for a file system that does not answer."""
POSTERIORS = ("mean", "variance", "log_variance")
MOST_UNLIKE = 8
"""After so many rows whose names are not those of the rows before, the block gives way to one of their kind."""
MOST_COMPLAINTS = 20
"""Kinds of mistakes told; all are counted."""


class Recorder:
    """Streams what a training loop logs into RUNS/NAME/.

    Example:
        with Recorder("run42", latents=64, config={"lr": 1e-4}) as recorder:
            for step, x in enumerate(batches, start=1):
                mean, log_variance = encoder(x)
                ...
                recorder.log(step, mean=mean, log_variance=log_variance, mse=mse, kl=kl, gamma=gamma)

    The constructor and the first `log` raise on misuse. After that nothing does: a full disk, a bad value,
    a dead file system become events of the run and a line in the log, and training goes on.

    Leaving the `with` block ends the run as finished; by an exception as failed, by Ctrl-C as stopped. SIGTERM
    and the end of the process flush what was logged, too.
    """

    def __init__(
        self,
        name: str,
        *,
        latents: int | None = None,
        config: Mapping[str, Any] | None = None,
        runs: str | Path | None = None,
        resume: bool = False,
        every: int = 1,
        total_steps: int | None = None,
        steps_per_epoch: int | None = None,
        live: bool | None = None,
        thresholds: Thresholds | None = None,
    ) -> None:
        """Begin a run, or go on with one.

        Args:
            name: the run's name, and its folder's below RUNS.
            latents: latent variables of the first stage; None: as many as the first `log` shows.
            config: what the run is to be remembered by; anything that JSON takes.
            runs: the folder of runs; default $VAEMON_RUNS, else `runs/`.
            resume: go on with an existing run. Rows logged from a step s on replace its rows from s on.
            every: record one `log` call in so many.
            total_steps: steps planned, for the ETA.
            steps_per_epoch: gives the epoch of a step where `log` is not told.
            live: whether others may read a file while it is written, as HDF5 calls SWMR; None: where the file system
                allows it. Network file systems mostly do not: rows then come in closed files, every few seconds.
            thresholds: by which wakes and failures are found and the states of latents told; default
                `vaemon.Thresholds()`. A run that goes on keeps its own.

        Raises:
            BadRunName: the name cannot be a folder's name.
            RunExists: there is such a run, and `resume` was not asked for.
            RunLocked: another process is recording it.
        """
        if type(every) is not int or every < 1:
            raise UsageError(f"every={every!r}: record one step in how many? a whole number from 1 on")
        self.name = check_name(name)
        self.folder = runs_folder(runs).absolute() / name  # the loop may change its working folder
        self.every = every
        self._stage = _stage(1, 0 if latents is None else latents, total_steps, steps_per_epoch)
        at = take_folder(self.folder, self.name, config, resume, thresholds).thresholds
        self._ring = Ring(BUFFER_BYTES)
        self._writer = Writer(self.folder, self._ring, resumes=resume, live=may_be_live(self.folder, live), at=at)
        self._put: Put = refuse  # of the block that is being filled
        self._calls = 0
        self._last_step = -1
        self._checked = False  # whether a first row has been taken
        self._complaints: set[str] = set()
        self._open = True  # whether further rows are taken
        self._closed = False
        self._outcome = ("finished", "")
        process.opened(self)
        atexit.register(self._on_exit)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        elif isinstance(error, KeyboardInterrupt):
            self.close("stopped", "Ctrl-C")
        else:
            self.close(
                "failed", f"{type(error).__name__}: {error}" if not isinstance(error, VaemonError) else str(error)
            )

    def stage(
        self, number: int, *, latents: int, total_steps: int | None = None, steps_per_epoch: int | None = None
    ) -> None:
        """Begin a stage, or on a resumed run go on with it; its steps begin anew.

        Raises:
            UsageError: a number is not a whole one, or negative.
        """
        self._stage = _stage(number, latents, total_steps, steps_per_epoch)
        self._ring.seal()  # a block holds rows of one stage
        self._put = refuse
        self._last_step = -1

    def log(self, step: int, /, **values: Any) -> None:
        """Record one step.

        Args:
            step: goes upwards within the stage, from 0 or 1.
            **values: what there is to record of it, by name; None is passed over.

        The posteriors of the batch, (B, k) or (B, k, h, w), NumPy, torch or any other array, on any device:
            mean: their means.
            variance or log_variance: their variances, or the logarithms of these.
        What is already reduced to one number a latent, (k,):
            mean_variance, mean_mu, mu_squared, latent_kl, or channels of your own.
        Numbers:
            mse, kl, gamma, loss, lr, epoch (see vaemon.channels), or names of your own.

        Tensors stay on their device until the writer fetches them, a block of steps at a time.

        Raises:
            UsageError: on the first call only, where the values cannot be recorded.
        """
        try:
            # Nearly every row is like the one before it.
            if self._put(step, values) or not self._is_wanted() or self._put_into_next(step, values):
                return
            self._take(_whole(step), values)
        except Exception as error:
            # Whatever a loop hands in, only its first call may stop it.
            if not self._checked:
                raise
            self._ring.refused += 1
            self._complain(f"step {step}", error)
            return
        if not self._checked:
            self._checked = True
            if not self._writer.flush() or self._writer.refusal is not None:
                why = self._writer.error or self._writer.refusal
                raise UsageError(f"nothing can be recorded in {self.folder}: {why}")

    def _is_wanted(self) -> bool:
        if not self._open:
            return False
        self._calls += 1
        return (self._calls - 1) % self.every == 0

    def _put_into_next(self, step: int, given: dict[str, Any]) -> bool:
        """Where the block is full, begin another and take a row that is like the ones before; False where it is not."""
        full = self._ring.current
        if full is None or full.count < full.capacity or self._put is refuse:
            return False
        block = self._ring.open(full.kind)
        if block is None:
            return False
        block.last = full.last
        self._put = block.put
        if self._ring.is_filling_up:
            self._writer.hurry()
        return self._put(step, given)

    def _take(self, step: int, given: dict[str, Any]) -> None:
        """Take a row that is unlike the one before it, or has posteriors."""
        if any(given.get(name) is not None for name in POSTERIORS):
            given |= posterior_to_channels(*(given.pop(name, None) for name in POSTERIORS))
            if self._put(step, given) or self._put_into_next(step, given):
                return
        values = sort_values(given)
        self._check(step, values)
        packed = join(values.tensors) if values.tensors else None
        block, like = self._ring.current, kind_of(self._stage, values)
        if block is None or block.unlike >= MOST_UNLIKE or not block.fits(like):
            block = self._ring.open(like)
        if block is None:
            self._ring.drop(step)
        else:
            block.fill(step, time.time(), values, packed)
            self._put = block.put if self.every == 1 else refuse
        if self._ring.is_filling_up:
            self._writer.hurry()
        self._last_step = step

    def _last(self) -> int:
        """The newest step that was logged in this stage; -1 before any."""
        block = self._ring.current
        return max(self._last_step, block.last if block is not None else -1)

    def event(self, kind: str, text: str = "", step: int | None = None) -> None:
        """Record that something happened: "checkpoint", "note", …; by default at the last step logged."""
        if self._open:
            try:
                self._writer.event(Event(self._at(step), time.time(), self._stage.number, str(kind), text=str(text)))
            except Exception as error:
                self._complain(f"event {kind!r} of step {step}", error)

    def evaluation(self, step: int | None = None, **values: Any) -> None:
        """Record a row of the epoch table, by default at the last step logged: mse, REC, variance_law, inactive, ….

        Args:
            step: after which the values were measured; of the same step, later ones complete earlier ones.
            **values: numbers, by names of up to 120 bytes; None is passed over. A tensor is waited for.
        """
        if self._open:
            try:
                numbers = {name: float(value) for name, value in values.items() if value is not None}
                for event in to_events(self._stage.number, self._at(step), time.time(), numbers):
                    self._writer.event(event)
            except Exception as error:
                self._complain("evaluation", error)

    def images(self, kind: str, images: Any, step: int | None = None) -> None:
        """Record a few images, by default at the last step logged; the first 64 are kept, and copied at once.

        Args:
            kind: what they are: "inputs", "reconstructions", "GEN-1", "GEN-2", "traversal 17" (seen with
                latent 17, too), or words of your own.
            images: (n, h, w), (n, h, w, c) or (n, c, h, w), c 1 or 3; uint8, or numbers from 0 to 1 (others are
                clipped, NaN is black), on any device. More than 256 pixels a side are reduced.
            step: after which they were made; others of the same kind and step are replaced.

        Raises:
            UsageError: before the first `log` only, where they are no images.
        """
        if self._open:
            try:
                self._writer.images.put(take(self._stage, self._at(step), str(kind), images))
            except Exception as error:
                if not self._checked:
                    raise
                self._complain(f"a set of images, {kind!r},", error)

    def _at(self, step: Any) -> int:
        return max(self._last(), 0) if step is None else _whole(step)

    def flush(self) -> bool:
        """Wait until everything logged so far can be read by others, whatever becomes of this process.

        Returns:
            Whether that is so; False where nothing can be recorded now.
        """
        return self._open and self._writer.flush()

    @property
    def first_bad(self) -> Bad | None:
        """The first step at which mse, kl, gamma or the loss was not finite, and which; None while all are.

        Found by the writer's thread within about half a second; asking costs nothing.
        """
        return self._writer.bad

    @property
    def newest(self) -> Mapping[str, float]:
        """The scalars of the newest row that was written, on the host."""
        return self._writer.newest

    def close(self, outcome: str = "finished", reason: str = "") -> None:
        """Write what waits and end the run as "finished", "stopped" or "failed". Further calls do nothing."""
        if self._closed:
            return
        if self._open:
            self._outcome = (outcome, reason)
            if self._ring.refused:
                self._tell("drop", f"{self._ring.refused} calls in all could not be recorded")
            if outcome != "finished":
                self._tell("stop", reason if outcome == "stopped" else f"{outcome}: {reason}")
            self._open = False
            self._put = refuse
        # A signal may strike anywhere from here on: whoever comes next goes on with it.
        if not self._writer.stop(PATIENCE):
            log.warning("vaemon: %s does not answer; %d rows were not written", self.folder, len(self._ring))
            self._forget()
            return
        lost = len(self._ring) + self._writer.lost
        leave_folder(self.folder, *self._outcome, lost=lost, error=self._writer.error)
        self._forget()

    def _forget(self) -> None:
        self._closed = True
        process.closed(self)
        atexit.unregister(self._on_exit)

    def _check(self, step: int, values: Values) -> None:
        if step <= (last := self._last()):
            raise UsageError(f"log(): step {step} after step {last}; steps go upwards within a stage")
        sizes = {name: len(vector) for name, vector in values.vectors.items()}
        sizes |= {
            name: int(each.shape[0]) for name, each in (*values.tensors.items(), *values.foreign.items()) if each.ndim
        }
        for channel in (CHANNELS[name] for name in values.names if name in CHANNELS):
            if (channel.kind == "latent") is not (channel.name in sizes):
                raise UsageError(
                    f"log(): {channel.name} is one number{' a latent' if channel.kind == 'latent' else ''}"
                )
        wrong = {name: size for name, size in sizes.items() if size != self._stage.latents}
        if not self._checked and self._stage.latents and wrong:
            name, size = next(iter(wrong.items()))
            raise UsageError(f"log(): {name} has {size} values where latents={self._stage.latents} was announced")
        if len(set(sizes.values())) > 1:
            listed = ", ".join(f"{name} has {size}" for name, size in sizes.items())
            raise UsageError(f"log(): one value a latent is wanted, but {listed}")

    def _complain(self, what: str, error: Exception) -> None:
        # A loop makes the same mistake at every step: each kind is told once.
        text = f"{type(error).__name__}: {error}"
        kind = re.sub(r"\d+", "", text)
        if kind not in self._complaints and len(self._complaints) < MOST_COMPLAINTS:
            self._complaints.add(kind)
            log.warning("vaemon: %s was not recorded, training goes on: %s", what, text)
            self._tell("error", f"{what} was not recorded: {text}")

    def _tell(self, kind: str, text: str) -> None:
        self._writer.event(Event(max(self._last(), 0), time.time(), self._stage.number, kind, text=text))

    def _on_exit(self) -> None:
        self.close("stopped", "the process ended without closing the recorder")

    def leave_to_parent(self) -> None:
        """Take nothing any more: in a forked child there is no thread that writes."""
        self._open = False
        self._closed = True
        self._put = refuse


def _stage(number: int, latents: int, total_steps: int | None, steps_per_epoch: int | None) -> StageInfo:
    told = {"stage": number, "latents": latents, "total_steps": total_steps, "steps_per_epoch": steps_per_epoch}
    least = {"latents": 0}
    for name, value in told.items():
        if value is not None and (type(value) is not int or not least.get(name, 1) <= value < 2**31):
            raise UsageError(f"{name}={value!r} is not a whole number from {least.get(name, 1)} on")
    return StageInfo(number, latents, total_steps, steps_per_epoch)


def _whole(step: Any) -> int:
    whole = int(step)
    if whole != step or not 0 <= whole < 2**62:
        raise UsageError(f"log(): step={step!r} is not a whole number from 0 on")
    return whole
