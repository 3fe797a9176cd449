"""Sample images on their way from the training loop to the run's folder: few, bounded, and never in the loop's way."""

import logging
import re
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vaemon.batch import Event, StageInfo
from vaemon.errors import UsageError
from vaemon.recorder.fetch import Joined, fetch, mark
from vaemon.recorder.row import is_elsewhere, on_host
from vaemon.runfile.images import LARGEST, MOST, drop_images, file_name, write_images
from vaemon.runfile.place import check_space

log = logging.getLogger("vaemon")
Array = npt.NDArray[Any]

BUFFER_BYTES = 64 * 1024 * 1024
"""Of images that wait, and of one set at most."""
MOST_TOLD = 20
"""Kinds of trouble that become an event."""
_NUMPY_HAS = ("torch.uint8", "torch.bool", "torch.float16", "torch.float32", "torch.float64")


class Taken(NamedTuple):
    """A set of images as the loop handed it in: a copy, where they lie."""

    stage: StageInfo
    step: int
    kind: str
    images: Any
    ready: Any
    """See `fetch.Joined`."""
    size: int
    """Bytes."""


def take(stage: StageInfo, step: int, kind: str, images: Any) -> Taken:
    """Copy what is to be kept of some images; waits for no device.

    Raises:
        UsageError: they are no images.
    """
    if not kind.strip():
        raise UsageError("images(): the kind is empty; say what they are: inputs, reconstructions, GEN-1, …")
    torch = sys.modules.get("torch")
    is_tensor = torch is not None and isinstance(images, torch.Tensor)
    found: Any = images if is_tensor or is_elsewhere(images) else on_host(images)
    shape = tuple(int(side) for side in found.shape)
    _check(shape, str(found.dtype))
    each = int(np.prod(shape[1:])) * int(found.dtype.itemsize)
    count = min(shape[0], MOST, BUFFER_BYTES // each)
    if not count:
        raise UsageError(f"images(): one image takes {each:,} bytes, more than {BUFFER_BYTES:,}")
    if not is_tensor:
        return Taken(stage, step, kind, found[:count].copy(), None, count * each)
    kept = found[:count].detach()
    kept = kept.clone() if str(kept.dtype) in _NUMPY_HAS else kept.float()
    return Taken(stage, step, kind, kept, mark(kept), kept.numel() * kept.element_size())


def _check(shape: tuple[int, ...], dtype: str) -> None:
    if len(shape) not in (3, 4) or 0 in shape or (len(shape) == 4 and 3 not in shape[1::2] and 1 not in shape[1::2]):
        raise UsageError(
            f"images(): shape {shape}; images are (n, h, w), (n, h, w, c) or (n, c, h, w), with c 1 or 3, n at least 1"
        )
    if not re.search(r"float|bool|uint8$", dtype):
        raise UsageError(f"images(): {dtype}; images are uint8, or numbers from 0 to 1")


def to_pixels(images: Array) -> tuple[npt.NDArray[np.uint8], int]:
    """Images as bytes (n, h, w, c), and how many of their values are NaN, which are black.

    Args:
        images: (n, h, w), (n, h, w, c) or (n, c, h, w), c 1 or 3; uint8, or numbers that are clipped to 0 to 1.
    """
    if images.ndim == 3:
        images = images[..., None]
    elif images.shape[3] not in (1, 3):
        images = images.transpose(0, 2, 3, 1)
    # One by one: what one of them takes while it is converted is little.
    converted = [_to_bytes(each) for each in images]
    return np.stack([pixels for pixels, _ in converted]), sum(bad for _, bad in converted)


@np.errstate(all="ignore")  # what float32 cannot hold is beyond 1 anyway
def _to_bytes(image: Array) -> tuple[npt.NDArray[np.uint8], int]:
    bytewise = image.dtype == np.uint8
    values = image.astype(np.float32) * (1.0 if bytewise else 255.0)
    bad = int(np.isnan(values).sum())
    values = np.clip(np.nan_to_num(values, nan=0.0, posinf=255.0, neginf=0.0), 0.0, 255.0)
    factor = -(-max(values.shape[:2]) // LARGEST)
    if factor > 1:
        values = _means(_means(values, factor, 0), factor, 1)
    return np.round(values).astype(np.uint8), bad


def _means(values: Array, factor: int, axis: int) -> Array:
    """Means over `factor` neighbours along an axis, over fewer at its end."""
    starts = np.arange(0, values.shape[axis], factor)
    counts = np.diff(np.append(starts, values.shape[axis]))
    sums = np.add.reduceat(values, starts, axis)
    return np.asarray(sums / counts.reshape([-1 if axis == each else 1 for each in range(values.ndim)]))


class ImageLog:
    """The images that wait, and those written. `put` is called by the loop, all else by the writer's thread."""

    def __init__(self, folder: Path, event: Callable[[Event], object]) -> None:
        """Write to the run in `folder`, and tell by `event` what could not be."""
        self._folder = folder
        self._event = event
        self._waiting: deque[Taken] = deque()  # the loop appends, the writer removes
        self._put = 0  # bytes; written by the loop only
        self._done = 0  # bytes; written by the writer only
        self._written: dict[str, StageInfo] = {}
        self._told: set[str] = set()

    def put(self, taken: Taken) -> None:
        """Have the images written; where too many wait already, they are dropped."""
        if self._put - self._done + taken.size > BUFFER_BYTES:
            self._tell("drop", taken, "too many images wait to be written")
            return
        self._put += taken.size
        self._waiting.append(taken)

    def write(self) -> None:
        """Write all that wait. Raises nothing: what cannot be written is dropped, and told."""
        while self._waiting:
            taken = self._waiting[0]
            try:
                self._write(taken)
            except Exception as error:
                # A full disk, a failed device: the rows are worth waiting for, these are not.
                self._tell("drop", taken, (str(error).splitlines() or [type(error).__name__])[0])
            self._waiting.popleft()
            self._done += taken.size

    def _write(self, taken: Taken) -> None:
        images = taken.images
        if hasattr(images, "detach"):
            images = fetch([Joined(images, taken.ready)])[0]
        elif hasattr(images, "get"):
            images = images.get()  # CuPy lets no array go without being asked
        pixels, bad = to_pixels(np.asarray(images))
        check_space(self._folder)
        name = file_name(taken.stage.number, taken.step, taken.kind)
        write_images(self._folder, name, pixels)
        self._written[name] = taken.stage
        if bad:
            self._tell("nan", taken, f"{bad:,} values are NaN")

    def replace(self, stage: StageInfo, first_step: int) -> None:
        """Rows of the stage from a step on replace earlier ones: so do its images."""
        keep = frozenset(name for name, written_in in self._written.items() if written_in is stage)
        try:
            drop_images(self._folder, stage.number, first_step, keep)
        except OSError as error:
            log.warning("vaemon: images of replaced steps could not be removed from %s: %s", self._folder, error)

    def _tell(self, kind: str, taken: Taken, why: str) -> None:
        # What is wrong with one set is most likely wrong with the next, too.
        text = f"images {taken.kind!r}: {why}"
        alike = re.sub(r"\d+", "", text)
        if alike in self._told or len(self._told) >= MOST_TOLD:
            return
        self._told.add(alike)
        log.warning("vaemon: step %d: %s; training goes on", taken.step, text)
        self._event(Event(taken.step, time.time(), taken.stage.number, kind, text=text))
