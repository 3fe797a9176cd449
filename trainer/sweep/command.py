"""`vaemon sweep`: one preset trained with several settings and seeds. Imports no torch, and submitit only to submit."""

from pathlib import Path

import click

from trainer import runs as run_folders
from trainer.command import complete_preset
from trainer.settings import absolute, load_preset, resolve
from trainer.sweep import book
from trainer.sweep.plan import members_of
from vaemon.errors import UsageError
from vaemon.runfile import sweeps
from vaemon.runfile.sweeps import Member, Sweep


def _complete_sweep(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in sweeps.names(run_folders.home(context.params.get("runs"))) if name.startswith(incomplete)]


@click.command("sweep", short_help="Train a preset with several settings and seeds.")
@click.argument("preset", required=False, shell_complete=complete_preset)
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="Trainings of each setting.")
@click.option("--set", "settings", metavar="KEY=VALUE,…", multiple=True, help="A key, and the values that it takes.")
@click.option("--name", help="Name of the sweep; by default PRESET-sweep-YYYYMMDD-HHMMSS.")
@click.option(
    "--at-most", type=click.IntRange(1), help="Members that train at once; by default one here, all on Slurm."
)
@click.option("--slurm", metavar="KEY=VALUE", multiple=True, help="Train on Slurm: partition=gpu, time=600, …")
@click.option("--data", metavar="PATH", help="Where the images are: a file or a folder.")
@click.option("--runs", metavar="DIR", help="Folder of runs; by default $VAEMON_RUNS, else runs/.")
@click.option(
    "--status",
    metavar="NAME",
    shell_complete=_complete_sweep,
    help="Show how a sweep fares: mean and deviation over the seeds.",
)
@click.option(
    "--rerun",
    metavar="RUN",
    shell_complete=_complete_sweep,
    help="Go on with a member that failed or was stopped; with all such of a sweep, by its name.",
)
@click.option("--json", "as_json", is_flag=True, help="With --status: as JSON.")
@click.pass_context
def sweep(
    context: click.Context,
    preset: str | None,
    seeds: int,
    settings: tuple[str, ...],
    name: str | None,
    at_most: int | None,
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
    if preset is None and (settings or name is not None or slurm):
        raise UsageError("--set, --name and --slurm are for a new sweep; what goes on is what it was")
    if status is not None:
        context.obj.show_sweep(status, home, as_json)
        return
    from trainer.sweep import submit  # first of all: where submitit is not installed, nothing is to be noted

    if rerun is not None:
        found = sweeps.read(rerun, home) if sweeps.is_sweep(rerun, home) else sweeps.sweep_with(rerun, home)
        chosen = _left(found, rerun, home)
        found.data = absolute(data) if data is not None else found.data
        found.at_most = at_most or found.at_most
    else:
        assert preset is not None
        found = _planned(preset, seeds, settings, name, at_most, _slurm(slurm), data, home)
        chosen = found.members
        book.create(found, home)
    _announce(found, len(chosen), home)
    if not found.slurm:
        submit.run_here(found, chosen, home, click.echo)
    else:
        try:
            jobs = submit.run_on_slurm(found, chosen, home)
        except UsageError:
            if rerun is None:
                book.forget(found, home)
            raise
        click.echo(f"Slurm has them as {jobs[0]}{f' to {jobs[-1]}' if len(jobs) > 1 else ''}")
    failed = [each for each in chosen if each.state == "failed"]
    for member in failed:
        click.echo(f"{member.run} failed; `vaemon sweep --rerun {member.run}` trains it alone", err=True)
    if failed:
        context.exit(1)


def _left(found: Sweep, rerun: str, home: Path) -> list[Member]:
    """The members to go on with: the one asked for, or all of a sweep that neither are finished nor train now.

    Raises:
        UsageError: there is none.
        RunLocked: the one asked for trains at this moment.
    """
    chosen = [member for member in found.members if rerun in (found.name, member.run) and member.state != "finished"]
    if rerun == found.name:
        chosen = [member for member in chosen if not run_folders.is_recorded(home / member.run)]
    if not chosen:
        raise UsageError(f"{rerun} is finished or trains at this moment; there is nothing to train again")
    if rerun != found.name:
        run_folders.refuse_recorded(home / rerun)
    return chosen


def _planned(
    preset: str,
    seeds: int,
    settings: tuple[str, ...],
    name: str | None,
    at_most: int | None,
    slurm: dict[str, str],
    data: str | None,
    home: Path,
) -> Sweep:
    """A new sweep, checked, and nowhere noted."""
    path = absolute(preset) if preset.endswith(".toml") else preset
    images = absolute(data) if data is not None else None
    name = run_folders.new_run(name, f"{run_folders.short_name(preset)}-sweep", home).name
    members = members_of(name, load_preset(preset), settings, seeds, images)
    for member in members:
        run_folders.new_run(member.run, preset, home)
    if not slurm:  # else they may lie where only the machines of the cluster see them
        from trainer.images import check_images

        for member in members:
            check_images(resolve(load_preset(preset), member.settings, images))
    at_once = at_most if at_most is not None else 0 if slurm else 1
    return Sweep(name=name, preset=path, data=images, slurm=slurm, at_most=at_once, members=members)


def _slurm(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    if not all(equals and key for key, equals, _ in pairs):
        raise UsageError("--slurm takes key=value, as in partition=gpu")
    return {key: value for key, _, value in pairs}


def _announce(found: Sweep, count: int, home: Path) -> None:
    trainings = f"{count} training{'s' if count > 1 else ''}"
    where = "on Slurm" if found.slurm else "here"
    at_once = f", at most {found.at_most} at once" if found.at_most else ""
    click.echo(f"sweep {found.name}: {trainings} {where}{at_once}; in {home}")
    click.echo(
        f"`vaemon sweep --status {found.name}` shows how it fares, `vaemon analyze {found.name}` what came of it"
    )
