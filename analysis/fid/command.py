"""`vaemon fid`: what the command line says, made into a comparison. stdout holds only the figures.

Imports nothing heavy before it is called, so that `vaemon --help` loads neither numpy nor torch.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from analysis.alone import finish, one_form, print_lines, print_text, say
from vaemon.errors import UsageError
from vaemon.runfile.find import find_run, runs_folder

if TYPE_CHECKING:
    from analysis.fid.compare import Asked, Comparison
    from analysis.fid.sides import Means

Command = TypeVar("Command", bound=Callable[..., Any])

RECIPES = ("tf", "pytorch", "clean", "asperti", "dai-wipf")
FURTHER = ("kid", "precision_recall", "infinity")
"""Parameters of what is told beside the distance."""
FIGURES = ("value", "kid", "kid_deviation", "kid_subset", "precision", "recall", "infinity")
"""Names of the figures in --json; which of them there are depends on what is asked."""


def further(command: Command) -> Command:
    """Give a command the options that ask for more than the distance."""
    told = (
        "The kernel distance too, ± its deviation over 100 subsets.",
        "Precision and recall of the manifolds, too.",
        "The distance extrapolated to infinitely many judged images, too; of more than 5,000.",
    )
    for name, words in reversed([*zip(FURTHER, told, strict=True)]):
        command = click.option(f"--{name.replace('_', '-')}", name, is_flag=True, help=words)(command)
    return command


@click.command("fid", short_help="Compare two sets of images: FID, KID, precision and recall.")
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("judged", type=click.Path(path_type=Path), required=False)
@click.option(
    "--recipe",
    type=click.Choice(RECIPES),
    help="How images are resized, rounded and scaled; by default that of statistics among the two, else tf.",
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Inception's weights; by default $VAEMON_INCEPTION, else the cache folder, where they are fetched to.",
)
@click.option(
    "--features",
    default="inception",
    metavar="NAME",
    help="Instead of Inception's: pixels, encoder (with --model RUN), or MODULE:FUNCTION. The result is no FID then.",
)
@click.option("--model", metavar="RUN", help="The run whose encoder it is.")
@further
@click.option("--bf16", is_flag=True, help="Compute features in bfloat16: three times as fast, some 0.4 % off.")
@click.option(
    "--save-statistics",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the reference's statistics, as an .npz that pytorch-fid reads, too.",
)
@click.option(
    "--fail-if",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help="Exit code 4 where it holds, or cannot be told: 'value>50', 'kid>0.02 or recall<0.3', by the names in --json. "
    "May be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, a line a value.")
@click.option(
    "--runs",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of runs; by default $VAEMON_RUNS, else runs/.",
)
def fid(
    reference: Path,
    judged: Path | None,
    recipe: str | None,
    weights: Path | None,
    features: str,
    model: str | None,
    kid: bool,
    precision_recall: bool,
    infinity: bool,
    bf16: bool,
    save_statistics: Path | None,
    conditions: tuple[str, ...],
    as_json: bool,
    as_csv: bool,
    runs: Path | None,
) -> None:
    """The Fréchet distance of JUDGED images from those of REFERENCE.

    Each is a folder, a tar or a zip of pictures, an .npy or .npz file of images (bytes, or floats in [0, 1]), or an
    .npz of statistics, mu and sigma. With --save-statistics, JUDGED can be left out.

    Features are kept in the cache folder ($XDG_CACHE_HOME/vaemon), so that a set is passed through Inception once; a
    pass that was interrupted goes on where it was. Started by torchrun, all processes share the passes.
    """
    if judged is None and save_statistics is None:
        raise UsageError("one set of images has no distance: give a second, or --save-statistics FILE")
    if judged is None and conditions:
        raise UsageError("--fail-if is of a distance: give a second set of images")
    one_form(as_json, as_csv)
    from analysis import failing
    from analysis.fid.compare import Asked
    from analysis.fid.sides import Means
    from trainer.place import place_here

    parsed = failing.parse(conditions, FIGURES, "'value>50', 'kid>0.02 or recall<0.3'")
    means = Means(features, recipe or "", weights, find_run(model, runs_folder(runs)) if model else None, bf16)
    asked = Asked(kid, precision_recall, infinity)
    paths = [reference] if judged is None else [reference, judged]
    written = _print_csv if as_csv else _print_json if as_json else _print_text
    if place_here().count == 1:
        found = _answer(paths, means, asked, save_statistics, written)
    else:
        from trainer import ranks

        with ranks.joined("start them again, with any number of them; features that are kept are not computed anew"):
            found = _answer(paths, means, asked, save_statistics, written)
    told = {name: failing.Told(value) for name, value in (found.figures if found is not None else {}).items()}
    finish([*failing.failures("", told, parsed if found is not None else [])], lacking=False)


def _answer(
    paths: list[Path],
    means: "Means",
    asked: "Asked",
    save_to: Path | None,
    written: Callable[["Comparison"], None],
) -> "Comparison | None":
    """Compare and print; None where there is nothing to compare, and in all processes but the first."""
    from analysis.features import statistics
    from analysis.fid.compare import compare
    from analysis.fid.sides import Passes, no_bar
    from analysis.render import progress
    from trainer import ranks

    bars = progress if ranks.is_first() else no_bar
    sides = Passes(means, bars, say).sides(paths, asked)
    if sides[0] is None:
        return None
    if save_to is not None:
        if sides[0].made is None:
            raise UsageError(f"{sides[0].name} holds statistics already; --save-statistics is for images")
        statistics.save(save_to, sides[0].statistics, sides[0].made)
        say(f"the statistics of {sides[0].name} are in {save_to}")
    if len(sides) < 2 or sides[1] is None:
        return None
    found = compare(sides[0], sides[1], asked)
    for warning in found.warnings:
        say(f"warning: {warning}")
    written(found)
    return found


def _print_json(found: "Comparison") -> None:
    from analysis.fid.report import to_json

    click.echo(json.dumps(to_json(found), indent=1, allow_nan=False))


def _print_csv(found: "Comparison") -> None:
    from analysis.fid.report import to_csv_lines

    print_lines(to_csv_lines(found, ("", "", "", "")))


def _print_text(found: "Comparison") -> None:
    from analysis.fid.report import to_text

    print_text(to_text(found))
