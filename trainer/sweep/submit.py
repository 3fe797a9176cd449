"""Members of a sweep as jobs of submitit: processes of this machine, or of a Slurm cluster."""

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import submitit

from trainer import runs as run_folders
from trainer.signals import as_ctrl_c
from trainer.sweep.book import note
from trainer.sweep.member import Training
from vaemon.errors import UsageError, VaemonError
from vaemon.runfile.sweeps import Member, Sweep, folder_of

LOOK_EVERY = 0.2
"""Seconds between two looks at what has ended."""
ASK_EVERY = 5
"""Looks between two requests to stop, as long as a member does not record: one may be lost before it listens."""
LONGEST = 60 * 24 * 365
"""Minutes that a process of this machine may take: submitit wants a limit."""
SLURM = {"time": 60 * 24}
"""What Slurm is asked for where nothing else is said; minutes. Submitit's own default is five."""
GOES_ON = 1000
"""Times that Slurm may end a training before its end; it goes on each time."""

Say = Callable[[str], None]


class _Running(NamedTuple):
    member: Member
    job: Any
    gpu: str | None


def run_here(sweep: Sweep, members: Sequence[Member], runs: Path, say: Say) -> None:
    """Train members as processes of this machine, `sweep.at_most` at once, and wait for all.

    Where the machine has GPUs, each has one of them. Ctrl-C, SIGTERM and SIGHUP stop those that train, each after its
    present step, and leave the rest waiting.

    Raises:
        KeyboardInterrupt: it was stopped.
    """
    executor = submitit.LocalExecutor(_logs(sweep, runs))
    executor.update_parameters(timeout_min=LONGEST)
    gpus, waiting, running = _gpus(), deque(members), list[_Running]()
    with as_ctrl_c(signal.SIGTERM, signal.SIGHUP):
        try:
            while waiting or running:
                while waiting and len(running) < (sweep.at_most or len(members)):
                    running.append(_start(executor, sweep, waiting.popleft(), runs, _least_used(gpus, running), say))
                running = _without_ended(sweep, running, runs, say)
                time.sleep(LOOK_EVERY)
        except KeyboardInterrupt:
            say(f"stopping {len(running)} after the present step; `vaemon sweep --rerun {sweep.name}` goes on with all")
            _stop(sweep, running, runs, say)
            raise


def run_on_slurm(sweep: Sweep, members: Sequence[Member], runs: Path) -> list[str]:
    """Hand members to Slurm, as one array of which `sweep.at_most` train at once; waits for none.

    Returns:
        The jobs as Slurm calls them.

    Raises:
        UsageError: there is no Slurm here, or it takes no such option.
        RunFileError: what was done cannot be noted.
    """
    asked: dict[str, Any] = SLURM | {key: _number(value) for key, value in sweep.slurm.items()}
    if sweep.at_most:
        asked["array_parallelism"] = sweep.at_most
    _set_state(sweep, members, "submitted", runs)  # before any of them can say more of itself
    try:
        executor = submitit.SlurmExecutor(_logs(sweep, runs), max_num_timeout=GOES_ON)
        executor.update_parameters(job_name=sweep.name[:60], **asked)
        with executor.batch():
            jobs = [executor.submit(Training(sweep, member, runs)) for member in members]
    except (RuntimeError, ValueError, TypeError, OSError) as error:
        _set_state(sweep, members, "waiting", runs)
        raise UsageError(f"Slurm does not take the sweep: {str(error).strip()}") from error
    return [job.job_id for job in jobs]


def _set_state(sweep: Sweep, members: Sequence[Member], state: str, runs: Path) -> None:
    for member in members:
        member.state, member.reason = state, ""
    note(sweep, members, runs)


def _logs(sweep: Sweep, runs: Path) -> Path:
    return folder_of(sweep.name, runs) / "logs"


def _gpus() -> list[str]:
    """The GPUs of this machine that may be used, as CUDA_VISIBLE_DEVICES names them."""
    import torch

    count = torch.cuda.device_count()
    named = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return ([each.strip() for each in named.split(",")] if named else [str(i) for i in range(count)])[:count]


def _least_used(gpus: Sequence[str], running: Sequence[_Running]) -> str | None:
    used = [each.gpu for each in running]
    return min(gpus, key=used.count, default=None)


def _start(executor: Any, sweep: Sweep, member: Member, runs: Path, gpu: str | None, say: Say) -> _Running:
    with _shielded():
        job = executor.submit(Training(sweep, member, runs), gpu)
    member.state, member.job, member.reason = "submitted", job.job_id, ""
    _note(sweep, member, runs, say)
    return _Running(member, job, gpu)


@contextmanager
def _shielded() -> Iterator[None]:
    """Processes begun within are not reached by the terminal's Ctrl-C: the sweep stops them, and once."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _without_ended(
    sweep: Sweep, running: Sequence[_Running], runs: Path, say: Say, *, stopping: bool = False
) -> list[_Running]:
    """Note and tell of those that have ended; the rest."""
    left = []
    for each in running:
        if not each.job.done():
            left.append(each)
            continue
        member = each.member
        member.state, member.reason = _outcome(each.job, stopping)
        _note(sweep, member, runs, say)
        say(f"{member.run}: {member.state}{f', {member.reason}' if member.reason else ''}")
    return left


def _stop(sweep: Sweep, running: Sequence[_Running], runs: Path, say: Say) -> None:
    looks = 0
    while running:
        for each in running:
            # A second request ends one that records at once, without a checkpoint.
            if looks == 0 or (looks % ASK_EVERY == 0 and not run_folders.is_recorded(runs / each.member.run)):
                with suppress(ProcessLookupError):
                    os.kill(int(each.job.job_id), signal.SIGTERM)
        looks += 1
        running = _without_ended(sweep, running, runs, say, stopping=True)
        time.sleep(LOOK_EVERY)


def _outcome(job: Any, stopping: bool) -> tuple[str, str]:
    """State and reason of a job of this machine that has ended."""
    try:
        state, reason = job.result()
    except submitit.core.utils.FailedJobError:
        return "failed", f"an error that is not foreseen; its output is in {job.paths.stderr}"
    except submitit.core.utils.UncompletedJobError:
        if stopping:
            return "stopped", ""
        return "failed", f"its process died without a word; its output is in {job.paths.stderr}"
    return state, reason


def _note(sweep: Sweep, member: Member, runs: Path, say: Say) -> None:
    """Note how a member fares; that this cannot be written is no reason to stop those that train."""
    try:
        note(sweep, [member], runs)
    except VaemonError as error:
        say(f"{error}; the sweep goes on")


def _number(value: str) -> int | str:
    return int(value) if value.isdigit() else value
