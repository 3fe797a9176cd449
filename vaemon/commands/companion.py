"""A training as a child process, with its dashboard in the foreground.

The two share nothing but the run folder: the dashboard may be closed while the training goes on, and a
training that dies takes no screen with it.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from vaemon.commands.reading import Reading
from vaemon.commands.sentry import Sentry
from vaemon.commands.watch import can_draw, show
from vaemon.interpreter import command
from vaemon.runfile.find import is_run, runs_folder
from vaemon.source.local import LocalSource
from vaemon.source.open import open_directory
from vaemon.view.conditions import parse_condition

STOPPED = (129, 130, 143)
"""Exit codes of a training that SIGHUP, Ctrl-C or SIGTERM stopped cleanly."""
PATIENCE = 120.0
"""Seconds that a training may take to its next sign of life: importing torch, decoding images."""


def watch_training(arguments: list[str], run: str, runs: str | Path | None, *, linger: float | None = None) -> int:
    """Run `vaemon train ARGUMENTS` as a child and show its run until it is over or the dashboard is closed.

    Without a terminal to draw on, the child prints its progress instead.

    Args:
        arguments: of `vaemon train`; they name the run.
        run: the run's name.
        runs: the folder of runs.
        linger: seconds that the dashboard stays once the run is over; None: until the user quits it.

    Returns:
        The training's exit code.
    """
    if not can_draw():
        return subprocess.call(_command([word for word in arguments if word != "--quiet"]))
    folder = runs_folder(runs) / run
    with tempfile.TemporaryFile() as words, _child(arguments, words) as (training, heard):
        resumed_at = _modified(folder)
        if _await_start(training, folder, resumed_at, heard):
            until = None if linger is None else parse_condition("finished")
            show(LocalSource(folder), Sentry(until=until), directory=open_directory(runs), linger=linger or 0.0)
            code = _wait(training, run)
        else:
            code = training.wait()
        words.seek(0)
        said = words.read().decode(errors="replace").strip()
        if said:
            click.echo(said, err=code != 0)
        if code in STOPPED:
            again = f"vaemon train {arguments[0]} --run {run} --resume"
            click.echo(f"Stopped; everything up to here is recorded. `{again}` goes on.")
        return code


def _command(arguments: list[str]) -> list[str]:
    return command("vaemon", "train", *arguments)


@contextmanager
def _child(arguments: list[str], words: IO[bytes]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The training, and the end of a pipe through which it tells how far the reading of its images is."""
    heard, told = os.pipe()
    # A session of its own would keep Ctrl-C from it; the terminal's is what stops it cleanly.
    training = subprocess.Popen(
        [*_command(arguments), "--reading", str(told)],
        stdin=subprocess.DEVNULL,
        stdout=words,
        stderr=subprocess.STDOUT,
        pass_fds=(told,),
    )
    os.close(told)
    try:
        yield training, heard
    finally:
        if training.poll() is None:
            training.send_signal(signal.SIGINT)
            training.wait()


def _await_start(training: subprocess.Popen[bytes], folder: Path, before: float, heard: int) -> bool:
    """Whether the run folder was written before the training ended; draws meanwhile how its images are read."""
    deadline = time.monotonic() + PATIENCE
    with Reading(heard) as reading:
        while training.poll() is None and time.monotonic() < deadline:
            if _modified(folder) > before:
                return True
            if reading.look():
                deadline = time.monotonic() + PATIENCE
            time.sleep(0.05)
    return training.poll() is None


def _modified(folder: Path) -> float:
    return (folder / "run.json").stat().st_mtime if is_run(folder) else 0.0


def _wait(training: subprocess.Popen[bytes], run: str) -> int:
    # Ctrl-C reaches the training by itself, which ends after its present step; here it is only told.
    # Past Python's buffer, which may be in use at this very moment.
    said = "Stopping after this step …\n".encode()
    former = signal.signal(signal.SIGINT, lambda number, frame: os.write(sys.stdout.fileno(), said))
    try:
        if training.poll() is None:
            click.echo(
                f"Training goes on as process {training.pid}. `vaemon watch {run}` looks at it again; Ctrl-C stops it."
            )
        return training.wait()
    finally:
        signal.signal(signal.SIGINT, former)
