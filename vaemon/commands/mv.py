"""`vaemon mv`: another name for a run."""

import click

from vaemon.commands.completion import complete_run
from vaemon.view.signs import harmless


@click.command()
@click.argument("run", shell_complete=complete_run)
@click.argument("new")
@click.option("--runs", metavar="DIR", help="The folder of runs; default $VAEMON_RUNS, else ./runs.")
def mv(run: str, new: str, runs: str | None) -> None:
    """Rename RUN to NEW: its folder, and the name in its run.json.

    RUN is a run's name, a path to its folder, or `latest`; NEW is a name: the run stays in the folder that it is in.
    A run that is being recorded is not renamed. Of a run that is a symbolic link, only the link is.
    """
    from vaemon.runfile.find import find_run, runs_folder
    from vaemon.runfile.housekeeping import rename
    from vaemon.runfile.selection import settled

    old = settled(find_run(run, runs_folder(runs)))
    folder = rename(old, new)
    if folder.is_symlink():
        click.echo(
            harmless(
                f"renamed the link {old.name} to {new}; the run that it leads to keeps its name: {folder.resolve()}"
            )
        )
    else:
        click.echo(harmless(f"renamed {old.name} to {new}"))
