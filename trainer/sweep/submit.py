"""Members of a sweep as jobs of submitit: processes of this machine, or of a Slurm cluster."""

import os
import re
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import submitit

from trainer.sweep.book import Sweep, folder_of, write
from trainer.sweep.plan import Member
from vaemon.errors import UsageError

LOOK_EVERY = 0.2
"""Seconds between two looks at what has ended."""
LONGEST = 60 * 24 * 365
"""Minutes that a process of this machine may take: submitit wants a limit."""
Job = Any


def train_member(arguments: Sequence[str]) -> int:
    """`vaemon train ARGUMENTS` in this process; its exit code.

    Raises:
        VaemonError: as of `train`.
    """
    from trainer.command import train

    return int(train.main(list(arguments), prog_name="vaemon train", standalone_mode=False) or 0)


def arguments_of(sweep: Sweep, member: Member, runs: Path) -> list[str]:
    """What `train` is told: to begin the member's run, or to go on with it."""
    given = [sweep.preset, "--run", member.run, "--runs", str(runs), "--quiet"]
    if (runs / member.run / "run.json").exists():
        return [*given, "--resume"]
    for setting in member.settings:
        given += ["--set", setting]
    return [*given, *(["--data", sweep.data] if sweep.data is not None else [])]


def run_here(sweep: Sweep, members: Sequence[Member], runs: Path, say: Callable[[str], None]) -> None:
    """Train members as processes of this machine, `at_most` at once, and wait for all.

    Ctrl-C stops those that train, each after its present step, and leaves the rest waiting.
    """
    executor = _local(sweep, runs)
    waiting, running = deque(members), list[tuple[Member, Job]]()
    try:
        while waiting or running:
            while waiting and len(running) < sweep.at_most:
                running.append(_submit(executor, sweep, waiting.popleft(), runs))
            running = _without_ended(sweep, running, runs, say)
            time.sleep(LOOK_EVERY)
    except KeyboardInterrupt:
        for _, job in running:
            with suppress(ProcessLookupError):
                os.kill(int(job.job_id), signal.SIGTERM)
        while running := _without_ended(sweep, running, runs, say):
            time.sleep(LOOK_EVERY)
        raise


def run_on_slurm(sweep: Sweep, members: Sequence[Member], runs: Path) -> None:
    """Hand members to Slurm, as one array of which `at_most` train at once; waits for none.

    Raises:
        UsageError: there is no Slurm here, or it takes no such option.
    """
    try:
        executor = submitit.AutoExecutor(_logs(sweep, runs), cluster="slurm")
        asked = {f"slurm_{key}": _number(value) for key, value in sweep.slurm.items()}
        executor.update_parameters(slurm_array_parallelism=sweep.at_most, name=sweep.name[:60], **asked)
        jobs = executor.map_array(train_member, [arguments_of(sweep, member, runs) for member in members])
    except (RuntimeError, NameError, TypeError, submitit.core.utils.FailedJobError) as error:
        raise UsageError(f"Slurm does not take the sweep: {str(error).strip()}") from error
    for member, job in zip(members, jobs, strict=True):
        member.state, member.job, member.reason = "submitted", job.job_id, ""
    write(sweep, runs)


def _logs(sweep: Sweep, runs: Path) -> Path:
    return folder_of(sweep.name, runs) / "logs"


def _local(sweep: Sweep, runs: Path) -> Any:
    executor = submitit.LocalExecutor(_logs(sweep, runs))
    executor.update_parameters(timeout_min=LONGEST)
    return executor


def _submit(executor: Any, sweep: Sweep, member: Member, runs: Path) -> tuple[Member, Job]:
    job = executor.submit(train_member, arguments_of(sweep, member, runs))
    member.state, member.job, member.reason = "submitted", job.job_id, ""
    write(sweep, runs)
    return member, job


def _without_ended(
    sweep: Sweep, running: list[tuple[Member, Job]], runs: Path, say: Callable[[str], None]
) -> list[tuple[Member, Job]]:
    """Note and tell of those that have ended; the rest."""
    left = []
    for member, job in running:
        if not job.done():
            left.append((member, job))
            continue
        member.state, member.reason = _outcome(job)
        write(sweep, runs)
        say(f"{member.run}: {member.state}{f', {member.reason}' if member.reason else ''}")
    return left


def _outcome(job: Job) -> tuple[str, str]:
    try:
        code = job.result()
    except submitit.core.utils.UncompletedJobError:
        return "failed", "its process died without a word"
    except submitit.core.utils.FailedJobError as error:
        # The last line of a traceback: "vaemon.errors.BadLoss: mse became …".
        last = str(error).strip().splitlines()[-1]
        return "failed", re.sub(r"^vaemon\.errors\.\w+: ", "", last)
    return ("finished", "") if code == 0 else ("stopped", "")


def _number(value: str) -> int | str:
    return int(value) if value.isdigit() else value
