"""`vaemon train`: what the command line says, made into a run. Imports torch only once there is something to train."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from trainer import runs as run_folders
from trainer.catalogue import Layer, about, layers, presets
from trainer.config import Config, flattened, to_tree
from trainer.place import place_here
from trainer.settings import config_of, origins, resolve, resolve_resumed, to_toml
from trainer.signals import WORDS, caught_signals, ended_by_ctrl_c
from vaemon.errors import RankLost, UsageError

if TYPE_CHECKING:
    from trainer.evaluation import Measure

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
@click.option("--fid", is_flag=True, help="At each evaluation, take the FID of reconstructions and samples, too.")
@click.option("--recipe", metavar="NAME", help="With --fid: as of `vaemon fid`; by default tf.")
@click.option("--features", metavar="NAME", help="With --fid: pixels or MODULE:FUNCTION, in the place of Inception's.")
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
    /,
    settings: tuple[str, ...],
    resize: str | None,
    jpeg_roundtrip: bool,
    skip_bad: bool,
    watch: bool,
    show: bool,
    told: int | None,
    **asked: Any,
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
    question = _Asked(settings=settings, **asked)
    if show:
        _show(question)
        return
    if place_here().count > 1:
        if watch:
            raise UsageError("--watch opens one dashboard, and these are several processes; `vaemon watch` beside them")
        number = _train_together(question, context.obj)
    else:
        run = question.run()
        _check_images(run.config)
        if watch:
            context.obj.watch_training(question.arguments(run.name), run.name, question.home)
            return
        number = _train(run, question.measures(context.obj), question.quiet, told)
    if number:
        context.exit(STOPPED + number)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command line says of a training."""

    preset: str
    name: str | None
    settings: tuple[str, ...]
    quick: bool
    data: str | None
    runs: str | None
    fid: bool
    recipe: str | None
    features: str | None
    resume: bool
    quiet: bool

    def __post_init__(self) -> None:
        if not self.fid and (self.recipe or self.features):
            raise UsageError(f"--{'recipe' if self.recipe else 'features'} is of --fid: say both")
        if self.resume and self.quick:
            raise UsageError("--resume goes on with the config of the run; --quick is for a new one")

    @property
    def home(self) -> Path | None:
        """The folder of runs, where it is named."""
        return Path(self.runs) if self.runs else None

    def run(self) -> run_folders.Run:
        """The run that is meant, new or to be gone on with."""
        folder, config, _ = self.decided()
        if folder is None:
            folder = run_folders.new_run(self.name, self.preset, self.runs)
        return run_folders.Run(folder.name, folder, run_folders.short_name(self.preset), config, self.resume)

    def decided(self) -> tuple[Path | None, Config, list[Layer]]:
        """The folder of the run to go on with; the config; and what that is made of, but for --set and --data."""
        if self.resume:
            folder, old = run_folders.resumable_run(self.name, self.preset, self.runs)
            made_of = [Layer(f"run {folder.name}", flattened(to_tree(old)))]
            return folder, resolve_resumed(old, self.settings, self.data), made_of
        found = layers(self.preset, self.quick)
        return None, resolve(config_of(found), self.settings, self.data), found

    def measures(self, roof: Any) -> "list[Measure]":
        """What is measured at each evaluation beside the usual; `roof` knows who can."""
        return [roof.training_distance(self.features or "inception", self.recipe or "")] if self.fid else []

    def arguments(self, name: str) -> list[str]:
        """The same `train` without the dashboard, for the process below it."""
        given = [self.preset, "--run", name, "--quiet"]
        for setting in self.settings:
            given += ["--set", setting]
        for option in ("data", "runs", "recipe", "features"):
            value = getattr(self, option)
            given += [f"--{option}", value] if value is not None else []
        return [*given, *(f"--{flag}" for flag in ("quick", "fid", "resume") if getattr(self, flag))]


def _show(asked: _Asked) -> None:
    _, config, made_of = asked.decided()
    click.echo(to_toml(config, origins(made_of, asked.settings, asked.data)), nl=False)


def _train_together(asked: _Asked, roof: Any) -> int:
    """Train as one of the processes that torchrun has started; the number of the signal that stopped them, or 0."""
    from trainer import ranks

    measures: list[Measure] = []

    def decide() -> run_folders.Run:
        run = asked.run()
        ranks.check_batch(run.config.stage1.batch, "stage1.batch")
        if run.config.stage2.enabled:
            ranks.check_batch(run.config.stage2.batch, "stage2.batch")
        _check_images(run.config)
        measures.extend(asked.measures(roof))  # of the first process alone, which evaluates
        return run

    with ranks.joined("--resume goes on from the last checkpoint, with any number of them") as place:
        with ended_by_ctrl_c():
            run = ranks.from_first(decide)
        try:
            return _train(run, measures, asked.quiet or place.rank > 0)
        except RankLost as error:
            if place.rank > 0:
                run_folders.note_lost(run.folder, str(error))
            raise


def _check_images(config: Config) -> None:
    from trainer.images import check_images

    check_images(config)


def _train(run: run_folders.Run, measures: "Sequence[Measure]", quiet: bool, told: int | None = None) -> int:
    """Train; the number of the signal that stopped it, or 0."""
    from rich.console import Console

    from trainer.progress import Bars, Lines, Piped, Quiet
    from trainer.training import train

    console = Console()
    silent = Quiet() if told is None else Piped(told)
    teller = silent if quiet else Bars(console) if console.is_terminal else Lines()
    with caught_signals() as caught, teller:
        finished = train(run, teller, lambda: WORDS[caught[0]] if caught else "", measures)
    return 0 if finished else caught[0] if caught else signal.SIGTERM  # of several processes, another was signalled
