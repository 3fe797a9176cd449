"""How a training is shown while it runs: bars on a terminal, plain lines elsewhere, to a dashboard, or nothing.

What is shown comes from the stage's counters and from the newest row on the host; no device is asked.
"""

import os
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from trainer.stages import Stage

LINE_EVERY = 5.0
"""Seconds between two plain lines."""
TERMS = {"gamma": "γ", "mse": "mse", "kl": "KL"}
"""Scalars shown beside the bar, and their signs."""


class Pace:
    """Steps a second over the last few seconds."""

    def __init__(self, window: float = 10.0) -> None:
        self._window = window
        self._seen: deque[tuple[float, int]] = deque()

    def update(self, step: int, now: float) -> float:
        """The rate after this sight of the step counter; 0 at the first."""
        if self._seen and step < self._seen[-1][1]:
            self._seen.clear()  # the next stage counts anew
        self._seen.append((now, step))
        while now - self._seen[0][0] > self._window and len(self._seen) > 2:
            self._seen.popleft()
        (then, since), (now, step) = self._seen[0], self._seen[-1]
        return (step - since) / (now - then) if now > then else 0.0


class Quiet:
    """Says nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def say(self, text: str) -> None:
        """Keep it to oneself."""

    def show(self, stage: Stage, newest: Mapping[str, float]) -> None:
        """Show nothing."""

    def show_reading(self, what: str, done: int, total: int) -> None:
        """Show nothing."""


class Piped(Quiet):
    """Says nothing, but tells through a pipe how far the reading of images is: to who draws it elsewhere."""

    def __init__(self, told: int) -> None:
        """Tell through a descriptor; what it does not take at once is lost, for nothing is to wait for it."""
        with suppress(OSError):
            os.set_blocking(told, False)
        self._told = told

    def show_reading(self, what: str, done: int, total: int) -> None:
        """A line of what is done, of how much, and the words for it."""
        with suppress(OSError):
            os.write(self._told, f"{done} {total} {what}\n".encode())


class Lines(Quiet):
    """A plain line every few seconds, and one when a stage ends."""

    def __init__(self) -> None:
        self._pace = Pace()
        self._next = 0.0
        self._last = (0, 0)

    def say(self, text: str) -> None:
        """Print a sentence."""
        click.echo(text)

    def show(self, stage: Stage, newest: Mapping[str, float]) -> None:
        """Print the stage as it stands, where the last line is some seconds old."""
        now = time.monotonic()
        rate = self._pace.update(stage.step, now)
        at = (stage.number, stage.step)
        if at == self._last or (now < self._next and not stage.done):
            return
        self._next, self._last = now + LINE_EVERY, at
        counts = f"stage {stage.number}  step {stage.step}/{stage.total_steps}  epoch {_epoch(stage)}"
        click.echo("  ".join(filter(None, (counts, rates(stage, rate), terms(newest)))))

    def show_reading(self, what: str, done: int, total: int) -> None:
        """Print how far the reading of images is, where the last line is some seconds old."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + LINE_EVERY
            click.echo(f"{what}  {done:,}/{total:,}")


class Bars(Quiet):
    """A bar a stage, with rate, time left and the newest terms."""

    def __init__(self, console: Console) -> None:
        self._pace = Pace()
        self._tasks: dict[int, TaskID] = {}
        self._readings: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.fields[title]}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rates]}", style="cyan"),
            TextColumn("{task.fields[terms]}"),
            console=console,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """Print a sentence above the bars."""
        self._progress.console.print(text, markup=False, highlight=False)

    def show(self, stage: Stage, newest: Mapping[str, float]) -> None:
        """Move the stage's bar."""
        rate = self._pace.update(stage.step, time.monotonic())
        fields: dict[str, Any] = {"rates": rates(stage, rate), "terms": terms(newest)}
        if stage.number not in self._tasks:
            self._tasks[stage.number] = self._progress.add_task(
                "", total=stage.total_steps, completed=stage.step, title=f"stage {stage.number}", **fields
            )
        self._progress.update(self._tasks[stage.number], completed=stage.step, **fields)

    def show_reading(self, what: str, done: int, total: int) -> None:
        """Move the bar of what is done with the images; it is gone when all of it is."""
        if what not in self._readings:
            self._readings[what] = self._progress.add_task("", title=what, rates="", terms="")
        self._progress.update(self._readings[what], completed=done, total=total or None, visible=done < total)


def rates(stage: Stage, rate: float) -> str:
    """Images and steps a second, and the time left at that rate; for stage 2 it is latents, not images."""
    if not rate:
        return ""
    left = timedelta(seconds=round((stage.total_steps - stage.step) / rate))
    what = "img" if stage.number == 1 else "latents"
    return f"{rate * stage.settings.batch:,.0f} {what}/s  {rate:.3g} steps/s  {left} left"


def terms(newest: Mapping[str, float]) -> str:
    """The newest terms in words: "γ 0.21  mse 0.044  KL 12.3"."""
    return "  ".join(f"{sign} {newest[name]:.3g}" for name, sign in TERMS.items() if name in newest)


def _epoch(stage: Stage) -> str:
    return f"{min(stage.epoch + 1, stage.settings.epochs)}/{stage.settings.epochs}"
