"""`vaemon demo`: the main job in a minute and a half, from nothing."""

import subprocess
import sys

import click

from vaemon import interpreter


@click.command()
@click.option("--runs", metavar="DIR", help="The folder of runs; default $VAEMON_RUNS, else ./runs.")
@click.option(
    "--linger", default=4.0, show_default=True, metavar="SECONDS", help="Keep the dashboard open after the training."
)
def demo(runs: str | None, linger: float) -> None:
    """Train a small two-stage VAE on built-in images, its dashboard open, and end with the analysis.

    Takes at most about 90 s on two CPU cores; needs neither GPU nor data. `q` closes the dashboard. Without a
    terminal, plain progress is printed instead.
    """
    from vaemon.commands.companion import watch_training
    from vaemon.runfile.find import new_name, runs_folder

    name = new_name("demo", runs_folder(runs))
    where = ["--runs", runs] if runs else []
    arguments = ["shapes", "--run", name, *where]
    code = watch_training([*arguments, "--quiet"], name, runs, linger=linger)
    if code == 0:
        code = subprocess.call(interpreter.command("vaemon", "analyze", name, *where))
    if code == 0:
        click.echo(f"\nLook again: vaemon watch {name}        Another: vaemon train mnist-dense --data DIR --watch")
    sys.exit(code)
