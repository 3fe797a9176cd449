"""What the command line names, a folder, an archive, an array or statistics, as a side of a comparison."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from analysis.features import statistics
from analysis.features.extract import Features, features_of, images_used
from analysis.features.extractors import CallableFeatures, EncoderFeatures, Extractor, InceptionFeatures
from analysis.features.images import ImageSet, image_set
from analysis.features.pixels import PixelFeatures
from analysis.features.recipes import Role, recipe_named
from analysis.features.statistics import Made
from analysis.fid.compare import Asked, Kind, Side, check_answerable, kind_of, refuse_unlike
from trainer import ranks
from trainer.data.load import reading
from trainer.data.watch import Watch
from vaemon.errors import UsageError

Progress = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]
"""Opens a bar under a name; gives what is told how far it is."""


@dataclass(frozen=True, slots=True)
class Means:
    """By what features are made."""

    features: str = "inception"
    """Or pixels, encoder, MODULE:NAME."""
    recipe: str = ""
    """Empty: that of a file of statistics among the sides, else tf."""
    weights: Path | None = None
    model: Path | None = None
    """Folder of the run whose encoder it is."""
    bf16: bool = False


def check_means(means: Means) -> None:
    """Raise UsageError where they contradict each other."""
    if means.features != "inception" and (means.recipe or means.weights or means.bf16):
        raise UsageError("--recipe, --weights and --bf16 are of Inception; leave them out, or leave out --features")
    if (means.features == "encoder") != (means.model is not None):
        raise UsageError("--features encoder takes the encoder of a run, and --model says which: give both")


Found = ImageSet | statistics.Kept


class Passes:
    """Makes sides, with bars on the way."""

    def __init__(
        self, means: Means, progress: Progress, say: Callable[[str], None], device: torch.device | None = None
    ) -> None:
        """Prepare them; by default for the GPU of this process, where there is one."""
        self._means = means
        self._progress = progress
        self._say = say
        own = f"cuda:{ranks.here().local}" if torch.cuda.is_available() else "cpu"
        self._device = torch.device(own) if device is None else device

    def sides(self, paths: list[Path], asked: Asked) -> list[Side | None]:
        """The reference and, where there is a second path, what is judged; None in all processes but the first.

        Raises:
            UsageError: they cannot answer what is asked, or are not of one kind.
            VaemonError: something is not there, damaged, or not to be had without weights.
        """
        found = [self._found(path) for path in paths]
        extractor = self._extractor(found)
        named = [*zip(map(str, paths), found, strict=True)]
        check_answerable(asked, [(name, _count(each, extractor)) for name, each in named])
        refuse_unlike([_kind(name, each, extractor) for name, each in named])
        roles: tuple[Role, Role] = ("reference", "judged")
        return [
            self._side(name, each, extractor, role, asked.rows)
            for (name, each), role in zip(named, roles, strict=False)
        ]

    def _found(self, path: Path) -> Found:
        with reading(path):
            kept = statistics.load(path)
        if kept is not None:
            return kept
        with self._progress(f"reading {path.name}") as told:
            return image_set(path, Watch(show=lambda what, done, total: told(done, total)))

    def _side(self, name: str, found: Found, extractor: Extractor | None, role: Role, keep_rows: bool) -> Side | None:
        if isinstance(found, statistics.Kept):
            return Side(name, found.statistics, found.made)
        assert extractor is not None
        return self.side_of(found, extractor, role, keep_rows=keep_rows)

    def side_of(self, images: ImageSet, extractor: Extractor, role: Role, *, keep_rows: bool = False) -> Side | None:
        """The side that a set of images is; None in all processes but the first."""
        with self._progress(f"features of {Path(images.name).name or images.name}") as told:
            found = features_of(images, extractor, role, keep_rows=keep_rows, told=told, say=self._say)
        if found is None:
            return None
        made = Made(
            distance=extractor.distance,
            recipe=extractor.recipe.name if extractor.recipe else "",
            made_by=extractor.made_by or self._means.features,
            quantisation=_quantisation(extractor, found, role),
        )
        return Side(images.name, found.statistics, made, found.rows, tuple(_notes(images, found)))

    def _extractor(self, found: list[Found]) -> Extractor | None:
        return self.extractor(found) if any(isinstance(each, ImageSet) for each in found) else None

    def extractor(self, found: Sequence[Found]) -> Extractor:
        """What makes the features that the means ask for.

        Args:
            found: all sides that are known; pixels are fitted to the first, one that is statistics may say the recipe.

        Raises:
            UsageError: the means contradict each other, or there is no such thing.
        """
        means = self._means
        check_means(means)
        named = means.features
        if named == "inception":
            told = [each.made.recipe for each in found if isinstance(each, statistics.Kept) and each.made]
            recipe = recipe_named(means.recipe or next((name for name in told if name), "tf"))
            return InceptionFeatures(
                recipe, means.weights, bf16=means.bf16, device=self._device, progress=self._progress
            )
        if named == "pixels":
            reference = found[0]
            if not isinstance(reference, ImageSet):
                raise UsageError("--features pixels are fitted to the reference's images; statistics are not enough")
            with self._progress("fitting components") as bar:
                return PixelFeatures(reference, bar)
        if means.model is not None:
            return EncoderFeatures(means.model, device=self._device)
        if ":" in named:
            return CallableFeatures(named, device=self._device)
        raise UsageError(f"--features {named}: known are inception, pixels, encoder, and MODULE:NAME of a function")


@contextmanager
def no_bar(name: str) -> Iterator[Callable[[int, int], None]]:
    """A `Progress` that shows nothing."""
    yield lambda done, total: None


def _count(found: Found, extractor: Extractor | None) -> int | None:
    """How many images a side will be of; None where it has none, but statistics."""
    return images_used(found, extractor) if isinstance(found, ImageSet) and extractor is not None else None


def _kind(name: str, found: Found, extractor: Extractor | None) -> Kind:
    """Of which features a side is, or will be once its images have passed."""
    if isinstance(found, statistics.Kept):
        return kind_of(name, found.statistics, found.made)
    assert extractor is not None
    return Kind(name, extractor.width, extractor.distance)


def _quantisation(extractor: Extractor, found: Features, role: Role) -> str:
    if extractor.recipe is None:
        return "floats" if found.floats else "bytes"
    return extractor.recipe.quantisation(found.floats, role)


def _notes(images: ImageSet, found: Features) -> Iterator[str]:
    count = found.statistics.count
    if found.grey:
        which = "all" if found.grey == count else f"{found.grey:,} of {count:,}"
        yield f"{which} images are grey, and were repeated to three channels"
    if found.mixed:
        yield "the images differ in size, and each was resized from its own"
    if left := images.count - count:
        yield f"the last {left:,} images do not fill a batch of 64, and were left out, as the recipe has it"
