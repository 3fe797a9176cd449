"""`vaemon analyze RUN --fid`: how far a run's own images are from its test set: REC, GEN-1, GEN-2, GEN-2 renormalised.

Imports nothing heavy before it is called, as analysis/command.py.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analysis.fid.command import RECIPES, print_text, say
from analysis.renormalize import run_folders
from vaemon.errors import UsageError, VaemonError

if TYPE_CHECKING:
    from analysis.features.images import ImageSet
    from analysis.fid.compare import Comparison
    from analysis.fid.sides import Means
    from analysis.generate.trained import Trained
    from analysis.kept import Distances

_ALONE = ("inactive", "variance_law", "figure", "no_checkpoint", "posteriors", "conditions", "as_published", "as_csv")
"""Parameters of other reports, or of all but this one."""
_OPTIONS = (
    click.option("--fid", is_flag=True, help="FID of reconstructions and samples against the test images."),
    click.option("--n", type=click.IntRange(min=2), help="With --fid: images of each; by default 10,000."),
    click.option("--recipe", type=click.Choice(RECIPES), help="With --fid: as of `vaemon fid`; by default tf."),
    click.option("--weights", type=click.Path(path_type=Path), metavar="FILE", help="With --fid: Inception's weights."),
    click.option("--features", metavar="NAME", help="With --fid: pixels, encoder or MODULE:FUNCTION in their place."),
)


def measuring(command: Callable[..., None]) -> Callable[..., None]:
    """Give `vaemon analyze` the options of this report, and answer where it is asked for."""

    @functools.wraps(command)
    def answered(*args: Any, fid: bool, **options: Any) -> None:
        chosen = {name: options.pop(name) for name in ("n", "recipe", "weights", "features")}
        if not fid:
            if given := [name for name, value in chosen.items() if value is not None]:
                raise UsageError(f"--{given[0]} is of --fid: say both")
            command(*args, **options)
            return
        if others := [name for name in (*_ALONE, "renormalize") if options.get(name)]:
            raise UsageError(f"--fid is a report of its own: leave out --{others[0].replace('_', '-')}")
        named = options["run"]
        if isinstance(named, (list, tuple)):
            if len(named) > 1:
                raise UsageError("--fid takes a run at a time")
            named = named[0] if named else None
        folders = run_folders(named, options["runs"])
        if len(folders) != 1:
            raise UsageError(f"--fid takes a run at a time; {named} means {len(folders)}")
        _report(folders[0], options["data"], options["as_json"], **chosen)

    for option in reversed(_OPTIONS):
        answered = option(answered)
    return answered


def _report(
    folder: Path,
    data: Path | None,
    as_json: bool,
    n: int | None,
    recipe: str | None,
    weights: Path | None,
    features: str | None,
) -> None:
    from analysis.fid.sides import Means
    from analysis.generate.trained import Trained
    from analysis.kept import keep

    means = Means(features or "inception", recipe or "", weights, folder if features == "encoder" else None)
    trained = Trained(folder, data)
    found = distances(trained, means, n or MANY)
    try:
        keep(folder, as_kept(found, trained.first.step))
    except VaemonError as error:  # a run of somebody else's may still be looked at
        say(str(error))
    for warning in dict.fromkeys(warning for each in found.values() for warning in each.warnings):
        say(f"warning: {warning}")
    if as_json:
        from analysis.fid.report import to_json

        told = {name: to_json(each) for name, each in found.items()}
        click.echo(json.dumps({"run": folder.name, "distances": told}, indent=1, allow_nan=False))
    else:
        print_text(_text(folder.name, found))


MANY = 10_000
"""Images of each set where nobody says how many: what published figures are of."""


def distances(trained: "Trained", means: "Means", count: int) -> dict[str, "Comparison"]:
    """Each of a run's sets of images against its first `count` test images, as many of each.

    Raises:
        VaemonError: as of `vaemon fid`, or the run's images are not there.
    """
    from analysis.features.images import arrays_set
    from analysis.fid.compare import Asked, compare
    from analysis.fid.sides import Passes
    from analysis.render import progress

    test = trained.images.test[:count]
    if len(test) < count:
        say(f"the run has {len(test):,} test images: as many of each are compared")
    content = hashlib.sha256(test.tobytes()).hexdigest()
    reference = arrays_set(f"the test images of {trained.folder.name}", f"{content} {test.shape}", test)
    passes = Passes(means, progress, say)
    extractor = passes.extractor(reference, [reference])
    true = passes.side_of(reference, extractor, "reference")
    found = {}
    for name, images in _sets(trained, len(test), content):
        judged = passes.side_of(images, extractor, "judged")
        assert true is not None
        assert judged is not None
        found[name] = compare(true, judged, Asked())
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
    if made is not None:
        how |= {"made_by": made.made_by, "quantisation": made.quantisation}
    recipe = made.recipe if made is not None and first.distance == "FID" else first.distance
    return Distances(recipe, step, {name: each.value for name, each in found.items()}, how)


def _sets(trained: "Trained", count: int, content: str) -> Iterator[tuple[str, "ImageSet"]]:
    from analysis.features.images import made_set
    from analysis.generate.generate import reconstructions, samples
    from analysis.generate.kept import current, path_of

    def made(name: str, make: Callable[[], Iterable[Any]], key: str = "") -> tuple[str, "ImageSet"]:
        return name, made_set(name, f"{name} {_checkpoints(trained)} {count} {key}", count, make)

    yield made("REC", lambda: reconstructions(trained, count), content)
    yield made("GEN-1", lambda: samples(trained, 1, count))
    try:
        trained.second  # noqa: B018
    except UsageError as error:
        say(f"no GEN-2: {error}")
        return
    yield made("GEN-2", lambda: samples(trained, 2, count))
    try:
        renormalisation = current(trained, say)
    except VaemonError as error:
        say(f"no GEN-2 renormalised: {error}")
        return
    kept = path_of(trained.folder)
    key = hashlib.sha256(kept.read_bytes()).hexdigest() if kept.exists() else repr(renormalisation)
    yield made("GEN-2 renormalised", lambda: samples(trained, 2, count, renormalisation=renormalisation), key)


def _checkpoints(trained: "Trained") -> str:
    """Checksums of the files that images are made by."""
    files = sorted((trained.folder / "checkpoints").glob("*.pt")) + sorted(trained.folder.glob("*.npz"))
    used = (each for each in files if "-best" not in each.name and each.name != "renormalisation.npz")
    return " ".join(hashlib.sha256(each.read_bytes()).hexdigest() for each in used)


def _text(name: str, found: dict[str, "Comparison"]) -> str:
    from analysis.fid.report import conditions

    first = next(iter(found.values()))
    lines = [f"{name}: {first.distance} against its test images", ""]
    lines += [f"{which:<20}{each.value:>12.4f}" for which, each in found.items()]
    return "\n".join([*lines, "", *conditions(first)]) + "\n"
