"""`vaemon compact`: a run that is over, in less room."""

import click

from vaemon.commands.completion import complete_run
from vaemon.errors import RunFileError
from vaemon.view.signs import safe


@click.command()
@click.argument("run", required=False, shell_complete=complete_run)
@click.option("--runs", metavar="DIR", help="The folder of runs; default $VAEMON_RUNS, else ./runs.")
def compact(run: str | None, runs: str | None) -> None:
    """Rewrite RUN, without it the latest, as one compressed file a stage.

    Each new file is read back and compared bit for bit before it takes the place of the old ones. A run that is being
    recorded is refused. It may be resumed afterwards.
    """
    from vaemon.runfile import lock
    from vaemon.runfile.compact import compact_run
    from vaemon.runfile.find import find_run, runs_folder

    folder = find_run(run, runs_folder(runs))
    with lock.holding(folder):
        try:
            done = compact_run(folder)
        except (OSError, RuntimeError) as error:
            # HDF5 says what it was about in several lines.
            why = next(iter(str(error).splitlines()), type(error).__name__).rstrip(" (,")
            raise RunFileError(f"{folder} could not be compacted: {why}; it is as it was") from error
    share = done.bytes / done.bytes_before if done.bytes_before else 1.0
    click.echo(
        f"{safe(folder.name)}: {done.files_before} files, {done.bytes_before / 2**20:.1f} MiB → "
        f"{done.files} files, {done.bytes / 2**20:.1f} MiB ({share:.0%})"
    )
