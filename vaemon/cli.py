"""The roof: one name a command; only the command asked for is imported.

Exit codes: 0 ok, 1 failure, 2 usage or unknown name, 3 far end lacks vaemon, 4 condition not met.
VAEMON_DEBUG=1 shows where an error came from.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Iterator
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from vaemon.commands.completion import VARIABLE, complete_paths
from vaemon.diagnosis import Diagnosis
from vaemon.errors import UnknownName, VaemonError
from vaemon.version import __version__


class _Place(NamedTuple):
    module: str
    help: str
    """Empty: it is not for people, and is told nowhere."""
    function: str = ""
    """Of the module; empty: called as the command is."""


COMMANDS = {
    "watch": _Place("vaemon.commands.watch", "Open the dashboard of a run: live, finished or yet to begin."),
    "replay": _Place("vaemon.commands.replay", "Play a run that is over as if it were live."),
    "ls": _Place("vaemon.commands.ls", "List the runs: all, or those of a pattern, a state, a time, a config."),
    "mv": _Place("vaemon.commands.mv", "Rename a run."),
    "rm": _Place("vaemon.commands.rm", "Remove runs."),
    "export": _Place("vaemon.commands.export", "Write a run as CSV, JSON lines, .npz, Parquet or for TensorBoard."),
    "import": _Place("vaemon.commands.bring", "Make runs of what TensorBoard's event files hold.", "bring"),
    "check": _Place("vaemon.commands.check", "Verify a run's files; with --repair, mend them."),
    "compact": _Place("vaemon.commands.compact", "Rewrite a run that is over in less room."),
    "doctor": _Place(
        "vaemon.commands.doctor.command", "Examine this machine: versions, folder of runs, terminal, GPU."
    ),
    "completion": _Place("vaemon.commands.completion", "Print the script by which a shell completes all this."),
    "demo": _Place("vaemon.commands.demo", "Train on built-in images with the dashboard open, then analyze."),
    "agent": _Place("vaemon.commands.agent", ""),
    "train": _Place("trainer.command", "Train a VAE from a preset, and record it."),
    "sweep": _Place("trainer.sweep.command", "Train a preset with several settings and seeds, here or on Slurm."),
    "data": _Place("trainer.fetch.command", "Fetch a dataset from where it is published."),
    "sample": _Place("analysis.sample", "Make images with a trained run: samples, reconstructions, traversals."),
    "analyze": _Place("analysis.command", "Count inactive latents, check the variance law."),
    "fid": _Place("analysis.fid.command", "Compare two sets of images: FID, KID, precision and recall."),
}

EXTRAS = {
    "torch": "train",
    "scipy": "analyze",
    "PIL": "images",
    "submitit": "sweep",
    "matplotlib": "figures",
    "google": "tensorboard",
    "crc32c": "tensorboard",
    "pyarrow": "parquet",
}
"""Packages that only some users install, and the extra that brings each."""


class Roof:
    """What the commands of one room may ask of another, handed down as click's context object."""

    def watch_training(self, arguments: list[str], run: str, runs: Any) -> None:
        """Run `vaemon train ARGUMENTS` as a child process with the dashboard of `run` in the foreground."""
        from vaemon.commands.companion import watch_training

        sys.exit(watch_training(arguments, run, runs))

    def training_distance(self, features: str, recipe: str) -> Any:
        """What takes the Fréchet distances of a training's evaluations: a `Measure` of the trainer's."""
        from analysis.fid.during import TrainingDistance

        return TrainingDistance(features, recipe)

    def show_sweep(self, name: str, runs: Any, as_json: bool) -> None:
        """Print how the members of a sweep fare."""
        from vaemon.commands.sweeping import show_sweep

        show_sweep(name, runs, as_json)

    def examine_caches(self) -> Iterator[Diagnosis]:
        """What the trainer and the analysis keep for later."""
        from analysis.features import published
        from trainer.data import kept

        yield kept.examine()
        yield published.examine()


class _Commands(click.Group):
    """Imports a command when it is asked for, so that `vaemon --help` and `vaemon watch` start at once."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        place = COMMANDS.get(name)
        if place is None and context.resilient_parsing:  # a shell completes a line; it wants no words
            return None
        if place is None:
            raise UnknownName("command", name, [each for each, place in COMMANDS.items() if place.help])
        command = getattr(importlib.import_module(place.module), place.function or name)
        assert isinstance(command, click.Command)
        if context.resilient_parsing:
            complete_paths(command)
        return command

    def shell_complete(self, context: click.Context, incomplete: str) -> list[CompletionItem]:
        named = [CompletionItem(name, help=place.help) for name, place in COMMANDS.items() if place.help]
        options = click.Command.shell_complete(self, context, incomplete)
        return [each for each in named if each.value.startswith(incomplete)] + options

    def invoke(self, context: click.Context) -> Any:
        try:
            done = super().invoke(context)
            sys.stdout.flush()
            return done
        except (BrokenPipeError, SystemExit) as error:
            # Whoever reads our output has what it wanted (`vaemon ls | head`). Rich makes an exit of that itself.
            if not isinstance(error.__context__ if isinstance(error, SystemExit) else error, BrokenPipeError):
                raise
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still held goes nowhere
            context.exit(0)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.help) for name, place in COMMANDS.items() if place.help])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vaemon")
@click.pass_context
def vaemon(context: click.Context) -> None:
    """Watch the latent variables of a Variational Autoencoder wake up, live, in the terminal.

    Runs live in --runs, else $VAEMON_RUNS, else ./runs.
    """
    context.obj = Roof()


def main() -> None:
    """Run the command line; the only place where an error of vaemon's becomes a message and an exit code."""
    try:
        sys.exit(vaemon.main(standalone_mode=False, complete_var=VARIABLE) or 0)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("vaemon: stopped", err=True)
        sys.exit(130)
    except VaemonError as error:
        if os.environ.get("VAEMON_DEBUG"):
            traceback.print_exc()
        from vaemon.view.signs import harmless

        click.echo(f"vaemon: {harmless(str(error))}", err=True)
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        click.echo(f"vaemon: this needs the package {error.name!r}: pip install 'vaemon[{extra}]'", err=True)
        sys.exit(1)
