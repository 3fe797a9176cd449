"""`vaemon sweep`: one preset trained with several settings and seeds. Imports no torch, and submitit only to submit."""

from pathlib import Path
from typing import Any

import click

from trainer import runs as run_folders
from trainer.catalogue import presets
from trainer.settings import load_preset
from trainer.sweep import book
from trainer.sweep.plan import Member, members_of
from vaemon.errors import UsageError


def _complete_preset(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in presets() if name.startswith(incomplete)]


@click.command("sweep", short_help="Train a preset with several settings and seeds.")
@click.argument("preset", required=False, shell_complete=_complete_preset)
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="Trainings of each setting.")
@click.option("--set", "settings", metavar="KEY=VALUE,…", multiple=True, help="A key, and the values that it takes.")
@click.option("--name", help="Name of the sweep; by default PRESET-sweep-YYYYMMDD-HHMMSS.")
@click.option("--at-most", type=click.IntRange(1), default=1, show_default=True, help="Members that train at once.")
@click.option("--slurm", metavar="KEY=VALUE", multiple=True, help="Train on Slurm: partition=gpu, time=600, …")
@click.option("--data", metavar="PATH", help="Where the images are: a file or a folder.")
@click.option("--runs", metavar="DIR", help="Folder of runs; by default $VAEMON_RUNS, else runs/.")
@click.option("--status", metavar="NAME", help="Show how a sweep fares: mean and deviation over the seeds.")
@click.option("--rerun", metavar="RUN", help="Train one member again that failed or was stopped: it goes on.")
@click.option("--json", "as_json", is_flag=True, help="With --status: as JSON.")
@click.pass_context
def sweep(
    context: click.Context,
    preset: str | None,
    seeds: int,
    settings: tuple[str, ...],
    name: str | None,
    at_most: int,
    slurm: tuple[str, ...],
    data: str | None,
    runs: str | None,
    status: str | None,
    rerun: str | None,
    as_json: bool,
) -> None:
    """Train PRESET with every combination of the values of --set, with so many seeds each.

    Each member is a run of its own, named after what it is set to: `vaemon ls` and `vaemon watch` show it as any other.
    A key's last word will do, as in --set lr=2e-4,1e-4; where both stages have it, it means the first's. --slurm hands
    the members to Slurm; else they are processes of this machine, and Ctrl-C stops them.
    """
    home = run_folders.home(runs)
    if sum(each is not None for each in (preset, status, rerun)) != 1:
        raise UsageError("vaemon sweep takes one of: a PRESET to train, --status NAME, --rerun RUN")
    if status is not None:
        members = [(each.setting, each.run, each.state, each.reason) for each in book.read(status, home).members]
        context.obj.show_sweep(members, home, as_json)
        return
    if rerun is not None:
        found = book.sweep_with(rerun, home)
        chosen = [each for each in found.members if each.run == rerun and each.state != "finished"]
        if not chosen:
            raise UsageError(f"{rerun} is finished; there is nothing to train again")
    else:
        assert preset is not None
        found = _begun(preset, seeds, settings, name, at_most, _slurm(slurm), data, home)
        chosen = found.members
    if not _train(found, chosen, home):
        context.exit(1)


def _begun(
    preset: str,
    seeds: int,
    settings: tuple[str, ...],
    name: str | None,
    at_most: int,
    slurm: dict[str, str],
    data: str | None,
    home: Path,
) -> book.Sweep:
    """A new sweep, noted and not yet submitted."""
    path = str(Path(preset).expanduser().absolute()) if preset.endswith(".toml") else preset
    images = str(Path(data).expanduser().absolute()) if data is not None else None
    name = run_folders.new_run(name, f"{run_folders.short_name(preset)}-sweep", home).name
    members = members_of(name, load_preset(preset), settings, seeds, images)
    for member in members:
        run_folders.new_run(member.run, preset, home)
    found = book.Sweep(name=name, preset=path, data=images, slurm=slurm, at_most=at_most, members=members)
    book.create(found, home)
    return found


def _slurm(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    if not all(equals and key for key, equals, _ in pairs):
        raise UsageError("--slurm takes key=value, as in partition=gpu")
    return {key: value for key, _, value in pairs}


def _train(found: book.Sweep, chosen: list[Member], home: Path) -> bool:
    """Train members, here or on Slurm; whether none has failed, as far as that is known."""
    from trainer.sweep import submit

    trainings = f"{len(chosen)} training{'s' if len(chosen) > 1 else ''}"
    where = "on Slurm" if found.slurm else "here"
    click.echo(f"sweep {found.name}: {trainings} {where}, at most {found.at_most} at once; in {home}")
    click.echo(f"`vaemon sweep --status {found.name}` shows how it fares")
    if found.slurm:
        submit.run_on_slurm(found, chosen, home)
        return True
    submit.run_here(found, chosen, home, click.echo)
    failed: list[Any] = [each for each in chosen if each.state == "failed"]
    for member in failed:
        click.echo(f"{member.run} failed; `vaemon sweep --rerun {member.run}` trains it alone", err=True)
    return not failed
