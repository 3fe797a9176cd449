"""Recorded images of one moment of the training: inputs, reconstructions, samples, side by side.

Images are asked for when they are to be seen, and drawn when they have come.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from vaemon.batch import Array, ImageSet
from vaemon.watch.render.cells import BLANK, Row, Span, fit, join, said, spread
from vaemon.watch.render.pixels import ASCII_SHADES, HALVES, SHADES, Grain, grid_rows
from vaemon.watch.render.tiles import EDGE, TITLE, Sizes, Tiling, tile
from vaemon.watch.widgets.gestures import ListMouse
from vaemon.watch.widgets.held import grain_of_terminal
from vaemon.watch.widgets.lines import Panel
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture

KEPT_BYTES = 32 * 1024 * 1024
"""Of images that were fetched, at most, those in sight aside."""
TRAVERSAL = "traversal "
"""A kind that begins so is of one latent, whose number follows: its view shows it."""
KINDS = ("inputs", "reconstructions", "GEN-1", "GEN-2")
"""The order of the usual kinds; others follow by name."""

Moment = tuple[int, int]
"""Stage and step."""


class Samples(Panel, ListMouse, can_focus=True):
    """The newest images of each kind at a moment; follows the training until moved back."""

    def __init__(self, pen: Pen, ask: Callable[[ImageSet], object], **options: str | None) -> None:
        """Draw with `pen`.

        Args:
            pen: colours and signs.
            ask: asked once for each set that is to be seen; whoever is asked calls `take`, or `fail`, later on.
            options: those of a Textual widget.
        """
        super().__init__(pen, **options)
        self._ask = ask
        self._sets: tuple[ImageSet, ...] = ()
        self._fetched: dict[ImageSet, Array] = {}  # the oldest first
        self._asked: set[ImageSet] = set()
        self._failed: dict[ImageSet, str] = {}
        self._moment: Moment | None = None  # None: the newest
        self._only: str | None = None  # a kind that is shown alone
        self._made: tuple[object, list[Row]] = (None, [])
        self._as_text = False

    def listed(self, sets: Sequence[ImageSet]) -> None:
        """These are the sets that there are, by stage and step."""
        if tuple(sets) == self._sets:
            return
        self._sets = tuple(sets)
        there = set(self._sets)
        self._fetched = {each: images for each, images in self._fetched.items() if each in there}
        self._asked &= there
        self._hope()
        if self._moment not in self.moments:
            self._moment = None
        if self._only not in self.kinds:
            self._only = None
        self.show(self.picture)

    def take(self, which: ImageSet, images: Array) -> None:
        """The images of a set that was asked for, uint8, (n, h, w, c)."""
        if which in self._sets:
            self._fetched[which] = images
            self._forget_some()
            self.show(self.picture)

    def fail(self, which: ImageSet, why: str) -> None:
        """A set that was asked for cannot be had."""
        self._failed[which] = why
        self.show(self.picture)

    @property
    def moments(self) -> list[Moment]:
        """Stage and step of all that was recorded, in order."""
        return sorted({(each.stage, each.step) for each in self._sets})

    @property
    def kinds(self) -> list[str]:
        """What there are images of."""
        return sorted({each.kind for each in self._sets}, key=_place)

    @property
    def moment(self) -> Moment | None:
        """The one shown; None where nothing was recorded."""
        return self._moment or (self.moments[-1] if self._sets else None)

    def move(self, by: int) -> None:
        """Show a moment so many later, or earlier; at the newest it follows the training again."""
        moments = self.moments
        if not moments or self.moment is None:
            return
        self._hope()
        place = min(max(moments.index(self.moment) + by, 0), len(moments) - 1)
        self._moment = None if place == len(moments) - 1 else moments[place]
        self.show(self.picture)

    def choose(self, by: int) -> None:
        """Show one kind alone, the next one, … and all again."""
        choices = [None, *self.kinds]
        self._only = choices[(choices.index(self._only) + by) % len(choices)]
        self.show(self.picture)

    def shown(self) -> list[ImageSet]:
        """The newest set of each kind, as of the moment; those of one latent are shown alone."""
        moment, apart = self.moment, self._apart()
        newest: dict[str, ImageSet] = {}
        for each in self._sets:
            seen = each.kind == self._only or (self._only is None and each.kind not in apart)
            if moment is not None and (each.stage, each.step) <= moment and seen:
                newest[each.kind] = each
        return sorted(newest.values(), key=lambda each: _place(each.kind))

    def _apart(self) -> set[str]:
        """Kinds that are only shown alone: those of one latent, where there are others."""
        single = {kind for kind in self.kinds if kind.startswith(TRAVERSAL)}
        return single if len(single) < len(self.kinds) else set()

    @contextmanager
    def as_text(self) -> Iterator[None]:
        """While this lasts, draw nothing that only a terminal can show."""
        self._as_text = True
        self.show(self.picture)
        yield
        self._as_text = False
        self.show(self.picture)

    def show(self, picture: Picture) -> None:
        """Draw, and ask for what is not there yet."""
        super().show(picture)
        if not (self.display and all(self.size)):
            return
        for each in self.shown():
            if each not in self._fetched and each not in self._asked:
                self._asked.add(each)
                self._ask(each)

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """A title, and below it the tiles."""
        shown, grain = self.shown(), self._grain()
        place = (width, height, self.has_focus, self._shades(), grain)
        drawn = (tuple(shown), self._state(shown), self._moment, len(self._sets), place)
        if self._made[0] != drawn:
            self._made = (drawn, [self._title(width), *self._body(shown, width, height - 1, grain)])
        return self._made[1]

    def _state(self, shown: Sequence[ImageSet]) -> tuple[object, ...]:
        return tuple((each in self._fetched, self._failed.get(each)) for each in shown)

    def _title(self, width: int) -> Row:
        mark = said("▸" if self.has_focus else " ", "accent", bold=True)
        name = said("samples", "accent" if self.has_focus else "muted", bold=self.has_focus)
        moments, moment = self.moments, self.moment
        if moment is None:
            return (mark, name, said("  none yet", "muted"))
        stage, step = moment
        parts: list[Row] = [(mark, name), (said(f"stage {stage}, step {step:,}", bold=True),)]
        parts += [(said(f"{moments.index(moment) + 1} of {len(moments)}", "muted"),)]
        if self._only is None and (apart := len(self._apart())):
            parts += [(said(f"{apart} of one latent each: ↓", "muted"),)]
        aside = (said("newest " if self._moment is None else "looking back ", "muted"),)
        return spread(join(parts, said("  "), width), aside, width)

    def _body(self, shown: Sequence[ImageSet], width: int, height: int, grain: Grain) -> list[Row]:
        if not shown:
            return [BLANK, (said("  None yet: recorder.images(kind, images) records some.", "muted"),)]
        tiling = tile([_sizes(each) for each in shown], width, height, grain)
        if tiling is None:
            return [(said(" too small for pictures", "muted"),)]
        tiles = [self._tile(each, tiling, grain) for each in shown[: tiling.tiles]]
        rows = tiling.join(tiles)
        if tiling.tiles < len(shown) and rows:
            left = ", ".join(each.kind for each in shown[tiling.tiles :])
            rows[-1] = fit((said(f" no room for {left}", "muted"),), width)
        return rows

    def _tile(self, which: ImageSet, tiling: Tiling, grain: Grain) -> list[Row]:
        images = self._fetched.get(which)
        earlier = self.moment is not None and which.stage != self.moment[0]
        when = f"stage {which.stage}, step {which.step:,}" if earlier else f"step {which.step:,}"
        head: list[Row] = [(said(f" {which.kind}", bold=True),), (said(when, "muted"),)]
        if images is None:
            why = self._failed.get(which)
            body: list[Row] = [(said(f" {why}", "bad") if why else said(" reading …", "muted"),)]
        else:
            drawn, seen = self._drawn(which, images, tiling, grain)
            body = [(Span(" "), *row) for row in drawn]
            head.append((said(f"{seen} of {which.count}" if seen < which.count else f"{seen}", "muted"),))
        return [join(head, said("  "), tiling.width), *body]

    def _drawn(self, which: ImageSet, images: Array, tiling: Tiling, grain: Grain) -> tuple[Sequence[Row], int]:
        """The samples, and how many of them there are."""
        made = tiling.plan(_sizes(which), grain)
        if made is not None and grain is not HALVES and self.pen.pictures is not None:
            rows = self.pen.pictures.rows(which, self._some(images, made.shown(which.count)), made, grain, tiling.tiles)
            if rows is not None:
                return rows, made.shown(which.count)
            made = tiling.plan(_sizes(which), HALVES)
        seen = made.shown(which.count) if made is not None else 0
        drawn = self._some(images, seen)
        return grid_rows(drawn, tiling.width - EDGE, tiling.height - TITLE, self._shades()), seen

    def _some(self, images: Array, count: int) -> Array:
        """Those that are drawn where there is room for so many."""
        return images[:count]

    def _grain(self) -> Grain:
        true = self.pen.pictures is not None and not self.pen.shaded and not self._as_text
        return grain_of_terminal() if true else HALVES

    def _shades(self) -> str:
        if not self.pen.shaded:
            return ""
        shades = ASCII_SHADES if self.pen.ascii_only else SHADES
        return shades if self.pen.palette.dark else shades[::-1]

    def _hope(self) -> None:
        # What could not be had may be there now: the link is up again.
        self._asked -= self._failed.keys()
        self._failed.clear()

    def _forget_some(self) -> None:
        kept = {*self.shown()}
        held = sum(images.nbytes for images in self._fetched.values())
        for each in [each for each in self._fetched if each not in kept]:
            if held <= KEPT_BYTES:
                break
            held -= self._fetched.pop(each).nbytes
            self._asked.discard(each)


def _sizes(which: ImageSet) -> Sizes:
    return which.count, which.height, which.width


def _place(kind: str) -> tuple[int, str]:
    return (KINDS.index(kind) if kind in KINDS else len(KINDS), kind)
