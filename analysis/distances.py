"""`vaemon analyze RUN --fid`: how far a run's own images are from its test set: REC, GEN-1, GEN-2, GEN-2 renormalised.

Imports nothing heavy before it is called, as analysis/command.py.
"""

import functools
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analysis.alone import (
    IMAGES,
    answer_each,
    finish,
    one_form,
    print_lines,
    print_objects,
    print_text,
    refuse_others,
    say,
)
from analysis.fid.command import FIGURES, FURTHER, RECIPES, further
from vaemon.errors import UsageError, VaemonError

if TYPE_CHECKING:
    from analysis.failing import Told
    from analysis.features.images import ImageSet
    from analysis.fid.compare import Asked, Comparison
    from analysis.fid.sides import Means
    from analysis.generate.trained import Trained
    from analysis.kept import Distances

    Measured = tuple[Trained, dict[str, Comparison]]
    """A run, and its distances by the name of the set."""

_GO_WITH = {
    "run",
    "runs",
    "data",
    "as_json",
    "as_csv",
    "fid",
    "n",
    "recipe",
    "weights",
    "features",
    "conditions",
    *FURTHER,
}
"""Parameters of the command that this report takes notice of."""
SETS = ("REC", "GEN-1", "GEN-2", "GEN-2 renormalised", "GEN-GMM")
"""Of a run's images, those it has."""
_NAMES = {*SETS, *(f"{name}.{figure}" for name in SETS for figure in FIGURES)}
"""What --fail-if may name: a set for its distance, or a figure of it."""
_EXAMPLES = """'GEN-1>50', 'GEN-1.kid>0.02 or REC>20', '"GEN-2 renormalised">50'"""
_OPTIONS = (
    click.option("--fid", is_flag=True, help="FID of reconstructions and samples against the test images."),
    click.option(
        "--n",
        type=click.IntRange(min=2),
        help="With --fid: images of each, of the test set the first; by default 10,000, or as many as there are.",
    ),
    click.option("--recipe", type=click.Choice(RECIPES), help="With --fid: as of `vaemon fid`; by default tf."),
    click.option("--weights", type=click.Path(path_type=Path), metavar="FILE", help="With --fid: Inception's weights."),
    click.option("--features", metavar="NAME", help="With --fid: pixels, encoder or MODULE:FUNCTION in their place."),
)


def measuring(command: Callable[..., None]) -> Callable[..., None]:
    """Give `vaemon analyze` the options of this report, and answer where it is asked for."""

    @functools.wraps(command)
    def answered(*args: Any, fid: bool, **options: Any) -> None:
        chosen = {name: options.pop(name) for name in ("n", "recipe", "weights", "features", *FURTHER)}
        if not fid:
            if given := [name for name, value in chosen.items() if value]:
                raise UsageError(f"--{given[0].replace('_', '-')} is of --fid: say both")
            command(*args, **options)
            return
        refuse_others("fid", _GO_WITH)
        one_form(options["as_json"], options["as_csv"])
        from analysis import failing

        parsed = failing.parse(options["conditions"], _NAMES, _EXAMPLES, SETS)
        found, failed = answer_each(
            options["run"], options["runs"], lambda folder: _measured(folder, options["data"], **chosen)
        )
        (_print_json if options["as_json"] else _print_csv if options["as_csv"] else _print_text)(found)
        failures = [why for run, sets in found for why in failing.failures(run.folder.name, _told(sets), parsed)]
        finish(failures, failed)

    answered = further(answered)
    for option in reversed(_OPTIONS):
        answered = option(answered)
    return answered


def _measured(
    folder: Path,
    data: Path | None,
    n: int | None,
    recipe: str | None,
    weights: Path | None,
    features: str | None,
    **asked: bool,
) -> "Measured":
    """The distances of a run, which are kept in it, too."""
    from analysis.fid.compare import Asked
    from analysis.fid.sides import Means
    from analysis.generate.trained import Trained
    from analysis.kept import keep

    means = Means(features or "inception", recipe or "", weights, folder if features == "encoder" else None)
    trained = Trained(folder, data)
    found = distances(trained, means, n or IMAGES, Asked(**asked))
    for warning in dict.fromkeys(warning for each in found.values() for warning in each.warnings):
        say(f"warning: {warning}")
    try:
        keep(folder, as_kept(found, trained.first.step))
    except VaemonError as error:  # a run of somebody else's may still be looked at
        say(str(error))
    return trained, found


def _told(found: "dict[str, Comparison]") -> "dict[str, Told]":
    """What --fail-if may name, by name."""
    from analysis.failing import Told

    figures = {f"{name}.{figure}": value for name, each in found.items() for figure, value in each.figures.items()}
    return {name: Told(value) for name, value in ({name: each.value for name, each in found.items()} | figures).items()}


def _print_json(found: "Sequence[Measured]") -> None:
    """An object of a run; a list of them where there are several."""
    from analysis.fid.report import to_json

    told = [
        {"run": run.folder.name, "distances": {name: to_json(each) for name, each in sets.items()}}
        for run, sets in found
    ]
    print_objects(told)


def _print_csv(found: "Sequence[Measured]") -> None:
    """Every value of every set, whose names begin with the set's: `GEN-1.value`, `GEN-1.judged.count`."""
    from analysis.fid.report import to_csv_lines

    lines: list[tuple[str, ...]] = []
    for run, sets in found:
        for name, each in sets.items():
            stage = 2 if name.startswith("GEN-2") else 1
            before = (run.folder.name, str(stage), "checkpoint", str(run.step_of(stage)))
            lines += to_csv_lines(each, before, f"{name}.")
    print_lines(lines)


def _print_text(found: "Sequence[Measured]") -> None:
    print_text("\n".join(_text(run.folder.name, sets) for run, sets in found))


def distances(trained: "Trained", means: "Means", count: int, asked: "Asked") -> dict[str, "Comparison"]:
    """Each of a run's sets of images against its first `count` test images, as many of each; what else is `asked`, too.

    Raises:
        VaemonError: as of `vaemon fid`, or the run's images are not there.
    """
    from analysis.features.extract import images_used
    from analysis.features.images import arrays_set
    from analysis.fid.compare import check_answerable, compare
    from analysis.fid.sides import Passes
    from analysis.render import progress

    test = trained.images.test[:count]
    if len(test) < count:
        say(f"the run has {len(test):,} test images: as many of each are compared")
    content = hashlib.sha256(test.tobytes()).hexdigest()
    reference = arrays_set(f"the test images of {trained.folder.name}", f"{content} {test.shape}", test)
    passes = Passes(means, progress, say)
    extractor = passes.extractor([reference])
    check_answerable(asked, [(reference.name, images_used(reference, extractor))] * 2)
    true = passes.side_of(reference, extractor, "reference", keep_rows=asked.rows)
    found = {}
    for name, images in _sets(trained, len(test), content):
        judged = passes.side_of(images, extractor, "judged", keep_rows=asked.rows)
        assert true is not None
        assert judged is not None
        found[name] = compare(true, judged, asked)
    return found


def as_kept(found: "dict[str, Comparison]", step: int) -> "Distances":
    """What was found as it is kept in the run, for tables; distances that are no FID by their own name, not a recipe's.

    Args:
        found: at least one, all made alike.
        step: of stage 1, at which its checkpoint was saved.
    """
    from analysis.kept import Distances

    first = next(iter(found.values()))
    side, made = first.judged, first.judged.made
    how: dict[str, str | int | float] = {"images": side.statistics.count, "ddof": side.statistics.ddof}
    if (renormalised := found.get("GEN-2 renormalised")) is not None:
        how["renormalised"] = renormalised.judged.name
    if made is not None:
        how |= {"made_by": made.made_by, "quantisation": made.quantisation}
    recipe = made.recipe if made is not None and first.distance == "FID" else first.distance
    return Distances(recipe, step, {name: each.value for name, each in found.items()}, how)


def _sets(trained: "Trained", count: int, content: str) -> Iterator[tuple[str, "ImageSet"]]:
    """The sets of a run by name, each known by all that it is made by."""
    from analysis.features.images import made_set
    from analysis.generate.generate import reconstructions, samples
    from analysis.generate.kept import current

    def made(name: str, stage: int, make: Callable[[], Iterable[Any]], *keys: str) -> "ImageSet":
        return made_set(name, " ".join((name, trained.made_by(stage), str(count), *keys)), count, make)

    yield "REC", made("REC", 1, lambda: reconstructions(trained, count), content)
    if not trained.has_prior:
        try:
            density = trained.density
        except VaemonError as error:
            say(f"no GEN-GMM: {error}")
            return
        arrays = (density.weights, density.means, density.covariances)
        key = hashlib.sha256(b"".join(each.tobytes() for each in arrays)).hexdigest()
        yield "GEN-GMM", made("GEN-GMM", 1, lambda: samples(trained, 1, count), key)
        return
    yield "GEN-1", made("GEN-1", 1, lambda: samples(trained, 1, count))
    if not trained.has_second:
        say(f"no GEN-2: run {trained.folder.name!r} has no second stage")
        return
    yield "GEN-2", made("GEN-2", 2, lambda: samples(trained, 2, count))
    try:
        how = current(trained, say)
    except VaemonError as error:
        say(f"no GEN-2 renormalised: {error}")
        return
    name = f"GEN-2 renormalised {how.name}"
    yield "GEN-2 renormalised", made(name, 2, lambda: samples(trained, 2, count, renormalisation=how), repr(how))


def _text(name: str, found: dict[str, "Comparison"]) -> str:
    """A table with a row a set, below headings where there is more than the distance; and the conditions."""
    from analysis.fid.report import conditions, figures

    first = next(iter(found.values()))
    told = [(each.judged.name, *(value for _, value in figures(each))) for each in found.values()]
    rows = [("", *(label for label, _ in figures(first))), *told] if len(told[0]) > 2 else told
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [f"{name}: {first.distance} against its test images", ""]
    for label, *values in rows:
        cells = (f"{value:>{width + 3}}" for value, width in zip(values, widths[1:], strict=True))
        lines.append(f"{label:<{widths[0]}}{''.join(cells)}")
    return "\n".join([*lines, "", *conditions(first)]) + "\n"
