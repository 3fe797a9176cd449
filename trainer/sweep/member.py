"""One training of a sweep, as it runs in a process of its own: here, or on a machine of a cluster."""

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click
from submitit import JobEnvironment
from submitit.helpers import Checkpointable

from trainer import runs as run_folders
from trainer.signals import as_ctrl_c
from trainer.sweep.book import note
from vaemon.errors import VaemonError
from vaemon.runfile.sweeps import Member, Sweep


class Training(Checkpointable):
    """`vaemon train` of one member. Where Slurm ends it before its end, it goes on once it has a machine again."""

    def __init__(self, sweep: Sweep, member: Member, runs: Path) -> None:
        """What is to be trained, as one of which sweep, and the folder of runs."""
        self.sweep = sweep
        self.member = member
        self.runs = runs

    def __call__(self, gpu: str | None = None) -> tuple[str, str]:
        """Train: finished, stopped or failed, and why.

        Args:
            gpu: the one that it may use, as CUDA_VISIBLE_DEVICES names it; None: as the environment says.
        """
        if gpu is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = gpu  # before torch looks for it; submitit has set it to none
        self.member.job = JobEnvironment().job_id
        with as_ctrl_c(signal.SIGTERM):  # submitit's own handler does nothing
            self.member.state, self.member.reason = trained(arguments_of(self.sweep, self.member, self.runs))
        if self.sweep.slurm:  # nobody waits there to note it
            with suppress(VaemonError):
                note(self.sweep, [self.member], self.runs)
        return self.member.state, self.member.reason


def arguments_of(sweep: Sweep, member: Member, runs: Path) -> list[str]:
    """What `train` is told: to begin the member's run, or to go on with it."""
    given = [sweep.preset, "--run", member.run, "--runs", str(runs), "--quiet"]
    given += ["--data", sweep.data] if sweep.data is not None else []
    if run_folders.has_begun(runs / member.run):
        return [*given, "--resume"]
    return [*given, *(word for setting in member.settings for word in ("--set", setting))]


def trained(arguments: Sequence[str]) -> tuple[str, str]:
    """`vaemon train ARGUMENTS` in this process: finished, stopped or failed, and why."""
    try:
        from trainer.command import train

        code = train.main(list(arguments), prog_name="vaemon train", standalone_mode=False)
    except (KeyboardInterrupt, click.Abort):  # before there was anything to save
        return "stopped", ""
    except VaemonError as error:
        return "failed", str(error)
    except click.ClickException as error:
        return "failed", error.format_message()
    return ("stopped" if code else "finished"), ""
