"""`vaemon sample`: images of a trained run, into files or the terminal.

Imports nothing heavy before it is called, as analysis/command.py.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analysis.alone import IMAGES, check_trained, run_folders
from vaemon.errors import UsageError
from vaemon.runfile.selection import names_like

if TYPE_CHECKING:
    from analysis.generate.generate import Walk
    from analysis.generate.trained import Trained

FEW = 64
"""Images of a grid, where none are counted."""
MOST = 9_999_999
"""Images that can be asked for."""
COLUMNS = 9
"""Images of a row along a line through the latents, where none are counted."""
ROWS = 16
"""Latents that are traversed where none is named."""
ALL = "most awake"
"""What --traverse says where it is given without latents."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says."""

    stage: str | None
    mean: bool
    renormalize: bool
    contrast: bool
    count: int | None
    seed: int
    to: Path | None
    overwrite: bool
    interpolate: int | None
    between: tuple[tuple[int, int], ...]
    traverse: str | None
    image: int
    columns: int

    @property
    def is_walk(self) -> bool:
        """Whether rows along lines through the latents are asked for."""
        return self.interpolate is not None or bool(self.between) or self.traverse is not None


@click.command(short_help="Write or show samples, reconstructions, interpolations, traversals of a trained run.")
@click.argument(
    "run", required=False, shell_complete=lambda context, _, begun: names_like(begun, context.params.get("runs"))
)
@click.option(
    "--stage",
    type=click.Choice(("1", "2", "rec")),
    help="1: decode the prior (GEN-1). 2: the second stage's latents (GEN-2), the default where there are any. "
    "rec: reconstruct test images, one posterior sample each.",
)
@click.option("--mean", is_flag=True, help="With --stage rec: decode the posterior's mean.")
@click.option(
    "--renormalize",
    is_flag=True,
    help="Stretch the second stage's latents as `vaemon analyze --renormalize` found; fits it where it has not.",
)
@click.option("--contrast", is_flag=True, help="Stretch the pixels about the mean image, as the published code does.")
@click.option(
    "--n", "count", type=click.IntRange(1, MOST), metavar="N", help="How many; by default 10000, of a grid 64."
)
@click.option("--seed", type=click.IntRange(0), metavar="S", default=0, help="Of all noise; by default 0.")
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="PLACE",
    help="A folder (PNG), FILE.npz or FILE.npy (float32), FILE.png (one grid); by default the terminal.",
)
@click.option("--overwrite", is_flag=True, help="Replace what was written to PLACE before.")
@click.option(
    "--interpolate",
    type=click.IntRange(1, 999),
    metavar="ROWS",
    help="So many rows, each from one test image to another.",
)
@click.option(
    "--between", type=(int, int), multiple=True, metavar="A B", help="A row from test image A to B; may be repeated."
)
@click.option(
    "--traverse",
    is_flag=False,
    flag_value=ALL,
    metavar="[I,J,…]",
    help="A row a latent, moved from -3 to 3 while the others stay; by default the most awake. Comes after RUN.",
)
@click.option(
    "--image", type=click.IntRange(0), metavar="I", default=0, help="--traverse: the test image it starts at."
)
@click.option(
    "--columns", type=click.IntRange(2, 99), metavar="N", default=COLUMNS, help="Images in such a row; by default 9."
)
@click.option(
    "--data", type=click.Path(path_type=Path), metavar="PATH", help="Where the images are, if they were moved since."
)
@click.option(
    "--runs",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of runs; by default $VAEMON_RUNS, else runs/.",
)
def sample(run: str | None, data: Path | None, runs: Path | None, **asked: Any) -> None:
    """Make images with the networks of RUN as they were last saved.

    RUN is a name, a run's folder, or `latest`, which is the default. Equal seeds give equal images, on any device; the
    images of a smaller N are the first of those of a larger one.
    """
    if asked["to"] is not None:
        asked["to"] = Path(os.path.expanduser(asked["to"]))
    question = Asked(**asked)
    _refuse(question)
    folders = run_folders(() if run is None else (run,), runs)
    if len(folders) > 1:
        raise UsageError(f"{run} means {len(folders)} runs; name one")
    check_trained(folders[0])

    from analysis.generate.trained import Trained
    from analysis.pictures.files import check_place

    if question.to is not None:
        check_place(question.to, question.overwrite)
    trained = Trained(folders[0], data)
    if question.is_walk:
        _show_walk(_walk(trained, question), question)
    else:
        _show_samples(trained, question)


def _refuse(asked: Asked) -> None:
    """Refuse options that do not go together, before anything is read."""
    if asked.overwrite and asked.to is None:
        raise UsageError("--overwrite is for what --to names")
    if asked.mean and asked.stage != "rec":
        raise UsageError("--mean is of a posterior: say --stage rec, too")
    if asked.renormalize and asked.stage == "rec":
        raise UsageError("reconstructions have latents of their own images, which are not renormalised: use --stage 2")
    if not asked.is_walk:
        return
    for name in ("stage", "renormalize", "contrast", "count"):
        if getattr(asked, name):
            raise UsageError(f"--{'n' if name == 'count' else name} is for samples, not for rows along a line")
    if asked.traverse is not None and (asked.interpolate is not None or asked.between):
        raise UsageError("--traverse moves one latent, --interpolate and --between all: use one of them")
    if asked.interpolate is not None and asked.between:
        raise UsageError("--between names the pairs that --interpolate would draw: use one of the two")
    if asked.to is not None and asked.to.suffix.lower() != ".png":
        raise UsageError(f"rows along a line are written as one picture: --to FILE.png, not {asked.to}")


def _walk(trained: "Trained", asked: Asked) -> "Walk":
    from analysis.generate.generate import interpolations, most_awake, seeded_pairs, traversals

    if asked.traverse is None:
        pairs = asked.between or seeded_pairs(trained, asked.interpolate or 1, asked.seed)
        return interpolations(trained, pairs, asked.columns)
    if asked.traverse == ALL:
        return traversals(trained, most_awake(trained, ROWS), asked.columns, asked.image)
    try:
        chosen = [int(each) for each in asked.traverse.split(",")]
    except ValueError as error:
        raise UsageError(f"--traverse takes latents as 3,7,12, not {asked.traverse!r}; RUN comes before it") from error
    return traversals(trained, chosen, asked.columns, asked.image)


def _show_walk(walk: "Walk", asked: Asked) -> None:
    from analysis.pictures.pixels import BLACK, tiled

    if asked.to is not None:
        from vaemon.exchange.file import write_file
        from vaemon.png import png

        path = write_file(asked.to, [png(tiled(walk.images))], replace=asked.overwrite)
        click.echo(f"written: {path}", err=True)
    else:
        from analysis.pictures.terminal import drawn_whole

        _print(lambda *how: drawn_whole(tiled(walk.images, BLACK), *how))
    click.echo(f"rows: {', '.join(walk.labels)}", err=True)


def _show_samples(trained: "Trained", asked: Asked) -> None:
    from analysis.render import progress

    in_grid = asked.to is None or asked.to.suffix.lower() == ".png"
    count = asked.count or (FEW if in_grid else IMAGES)
    stage = asked.stage or ("2" if trained.has_second else "1")
    if stage == "rec" and count > (there := len(trained.images.test)):
        if asked.count is not None:
            click.echo(f"there are {there:,} test images, and so as many reconstructions", err=True)
        count = there
    make, what = _maker(trained, stage, count, asked)
    blocks: Iterable[Any] = make()
    if asked.contrast:
        from analysis.generate.generate import originals, with_contrast

        blocks = with_contrast(make, originals(trained, IMAGES))
    with progress("images") as told:
        watched = _watched(blocks, count, told)
        if asked.to is not None:
            from analysis.pictures.files import write_images

            path = write_images(asked.to, watched, (count, *trained.shape), asked.overwrite)
        else:
            import numpy as np

            from analysis.pictures.pixels import to_bytes

            images = to_bytes(np.concatenate(list(watched)))
    if asked.to is not None:
        click.echo(f"written: {path} ({what})", err=True)
        return
    from analysis.pictures.terminal import drawn

    _print(lambda *how: drawn(images, *how))
    click.echo(what, err=True)


def _maker(trained: "Trained", stage: str, count: int, asked: Asked) -> tuple[Callable[[], Iterable[Any]], str]:
    """What makes the images, in blocks, as often as it is called; and what they are."""
    from analysis.generate.generate import reconstructions, samples
    from analysis.generate.kept import current
    from analysis.render import progress

    contrast = ", contrast adjusted as published" if asked.contrast else ""
    if stage == "rec":
        which = "posterior means" if asked.mean or trained.is_deterministic else f"posterior samples, seed {asked.seed}"
        what = f"{count:,} reconstructions of test images, {which}{contrast}"
        return lambda: reconstructions(trained, count, asked.seed, asked.mean), what
    how = None
    if asked.renormalize:
        with progress("encoding the test set") as told:
            how = current(trained, lambda text: click.echo(text, err=True), told)
    kind = f"GEN-{stage}" if trained.has_prior else "GEN-GMM"
    what = f"{count:,} of {kind}, {f'renormalised {how.name}, ' if how else ''}seed {asked.seed}{contrast}"
    return lambda: samples(trained, int(stage), count, asked.seed, how), what


def _watched(blocks: Iterable[Any], total: int, told: Callable[[int, int], None]) -> Iterator[Any]:
    done = 0
    for block in blocks:
        yield block
        done += len(block)
        told(done, total)


def _print(draw: Callable[[int, bool, bool], str]) -> None:
    """Draw for the terminal that stdout is, or in shades where it is none."""
    from analysis.terminal import form

    how = form("▀░▒▓█")
    colour = how.colour and not how.ascii_only
    click.echo(draw(how.width, colour, how.ascii_only), nl=False, color=colour)
