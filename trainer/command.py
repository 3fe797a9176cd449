"""`vaemon train`: what the command line says, made into a run. Imports torch only once there is something to train."""

import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from trainer import runs as run_folders
from trainer.catalogue import Layer, about, layers, presets
from trainer.config import Config, flattened, to_tree
from trainer.place import place_here
from trainer.settings import config_of, origins, resolve, resolve_resumed, to_toml
from trainer.signals import WORDS, caught_signals, ended_by_ctrl_c
from vaemon.errors import RankLost, UsageError

STOPPED = 128
"""Exit code of a training stopped by a signal, less the signal's number: of Ctrl-C 130, SIGTERM 143, SIGHUP 129."""


def complete_preset(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> Sequence[str | CompletionItem]:
    """The presets whose names begin so; where there is none, files, for a preset may be one."""
    found = [name for name in presets() if name.startswith(incomplete)]
    return found or [CompletionItem(incomplete, type="file")]


def _complete_run(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    return run_folders.names(incomplete, context.params.get("runs"))


def _require_preset(context: click.Context, parameter: click.Parameter, preset: str | None) -> str:
    if preset is None and not context.resilient_parsing:  # a shell completes a line; it wants no words
        raise UsageError("train takes a PRESET, as in `vaemon train shapes`; `vaemon train --list` tells of each")
    return preset or ""


def _list_presets(context: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if asked:
        names = presets()
        width = max(map(len, names))
        for name in names:
            click.echo(f"{name:{width}}  {about(name)}")
        context.exit()


@click.command("train", short_help="Train a VAE and record every batch.")
@click.argument("preset", required=False, callback=_require_preset, shell_complete=complete_preset)
@click.option(
    "--run",
    "name",
    metavar="NAME",
    shell_complete=_complete_run,
    help="Name of the run; by default PRESET-YYYYMMDD-HHMMSS.",
)
@click.option(
    "--set", "settings", metavar="KEY=VALUE", multiple=True, help="Set a key, as in stage1.epochs=3. May be repeated."
)
@click.option("--quick", is_flag=True, help="Train the preset's variant for a laptop: minutes, not days.")
@click.option("--data", metavar="PATH", help="Where the images are: a file or a folder.")
@click.option(
    "--resize",
    type=click.Choice(["nearest", "bilinear", "bicubic"]),
    help="How pictures are brought to their size (data.resize).",
)
@click.option(
    "--jpeg-roundtrip", is_flag=True, help="Send CIFAR-10 through JPEG first, as published (data.jpeg_roundtrip)."
)
@click.option("--skip-bad", is_flag=True, help="Leave out pictures that cannot be read (data.skip_bad).")
@click.option("--runs", metavar="DIR", help="Folder of runs; by default $VAEMON_RUNS, else runs/.")
@click.option("--watch", is_flag=True, help="Open the dashboard while it trains.")
@click.option("--resume", is_flag=True, help="Go on with --run, or with the newest run of the preset.")
@click.option("--show", is_flag=True, help="Print the config that would be trained, and where from; train nothing.")
@click.option(
    "--list", is_flag=True, is_eager=True, expose_value=False, callback=_list_presets, help="Tell of each preset."
)
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--reading", "told", type=int, hidden=True, help="Descriptor to tell how far the reading of images is.")
@click.pass_context
def train(
    context: click.Context,
    preset: str,
    name: str | None,
    settings: tuple[str, ...],
    quick: bool,
    data: str | None,
    resize: str | None,
    jpeg_roundtrip: bool,
    skip_bad: bool,
    runs: str | None,
    watch: bool,
    resume: bool,
    show: bool,
    quiet: bool,
    told: int | None,
) -> None:
    """Train a VAE on PRESET and record every batch.

    PRESET is one that --list tells of, as shapes (built in, nothing to download), or a TOML file such as --show prints.
    In a file, base = "cifar10" begins with the values of that preset. A key's last word will do, as in --set lr=1e-3;
    where both stages have it, it means the first's.

    Ctrl-C stops after the present step, saves a checkpoint and exits with code 130 (SIGTERM: 143, SIGHUP: 129); a
    second Ctrl-C stops at once. --resume goes on from the last checkpoint as the same run.
    """
    settings += (f"data.resize={resize}",) if resize else ()
    settings += ("data.jpeg_roundtrip=true",) if jpeg_roundtrip else ()
    settings += ("data.skip_bad=true",) if skip_bad else ()

    def decide() -> tuple[Path, Config, list[Layer]]:
        if resume:
            if quick:
                raise UsageError("--resume goes on with the config of the run; --quick is for a new one")
            folder, old = run_folders.resumable_run(name, preset, runs)
            return folder, resolve_resumed(old, settings, data), [Layer(f"run {folder.name}", flattened(to_tree(old)))]
        found = layers(preset, quick)
        config = resolve(config_of(found), settings, data)
        return Path() if show else run_folders.new_run(name, preset, runs), config, found

    short = run_folders.short_name(preset)
    if not show and place_here().count > 1:
        if watch:
            raise UsageError("--watch opens one dashboard, and these are several processes; `vaemon watch` beside them")
        number = _train_together(lambda: decide()[:2], short, resume, quiet)
    else:
        folder, config, found = decide()
        if show:
            click.echo(to_toml(config, origins(found, settings, data)), nl=False)
            return
        _check_images(config)
        if watch:
            arguments = _arguments(preset, folder.name, settings, quick, data, runs, resume)
            context.obj.watch_training(arguments, folder.name, Path(runs) if runs else None)
            return
        number = _train(folder, short, config, resume, quiet, told)
    if number:
        context.exit(STOPPED + number)


def _train_together(decide: Callable[[], tuple[Path, Config]], preset: str, resume: bool, quiet: bool) -> int:
    """Train as one of the processes that torchrun has started; the number of the signal that stopped them, or 0."""
    from trainer import ranks

    def decide_and_check() -> tuple[Path, Config]:
        folder, config = decide()
        ranks.check_batch(config.stage1.batch, "stage1.batch")
        if config.stage2.enabled:
            ranks.check_batch(config.stage2.batch, "stage2.batch")
        _check_images(config)
        return folder, config

    with ranks.joined("--resume goes on from the last checkpoint, with any number of them") as place:
        with ended_by_ctrl_c():
            folder, config = ranks.from_first(decide_and_check)
        try:
            return _train(folder, preset, config, resume, quiet or place.rank > 0)
        except RankLost as error:
            if place.rank > 0:
                run_folders.note_lost(folder, str(error))
            raise


def _check_images(config: Config) -> None:
    from trainer.images import check_images

    check_images(config)


def _arguments(
    preset: str, name: str, settings: tuple[str, ...], quick: bool, data: str | None, runs: str | None, resume: bool
) -> list[str]:
    """The same `train` without the dashboard, for the process below it."""
    given = [preset, "--run", name, "--quiet"]
    for setting in settings:
        given += ["--set", setting]
    given += ["--quick"] if quick else []
    given += ["--data", data] if data is not None else []
    given += ["--runs", runs] if runs is not None else []
    given += ["--resume"] if resume else []
    return given


def _train(folder: Path, preset: str, config: Config, resume: bool, quiet: bool, told: int | None = None) -> int:
    """Train; the number of the signal that stopped it, or 0."""
    from rich.console import Console

    from trainer.progress import Bars, Lines, Piped, Quiet
    from trainer.training import train

    console = Console()
    silent = Quiet() if told is None else Piped(told)
    teller = silent if quiet else Bars(console) if console.is_terminal else Lines()
    run = run_folders.Run(folder.name, folder, preset, config, resume)
    with caught_signals() as caught, teller:
        finished = train(run, teller, lambda: WORDS[caught[0]] if caught else "")
    return 0 if finished else caught[0] if caught else signal.SIGTERM  # of several processes, another was signalled
