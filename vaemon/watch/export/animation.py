"""Frames, one after the other, as an animated WebP: a fifth of what a GIF takes, in all colours. Needs Pillow."""

import io
from collections.abc import Iterable
from pathlib import Path

from vaemon.errors import UsageError
from vaemon.exchange.file import write_file
from vaemon.watch.export.frame import Frame
from vaemon.watch.export.png import SCALE, Painter


def save_animation(
    frames: Iterable[tuple[Frame, float]], path: Path, *, scale: float = SCALE, replace: bool = False
) -> Path:
    """Write frames as an animated WebP that begins again when it is over.

    Args:
        frames: each with the seconds that it stands; all of one size, at least one.
        path: where; `write_file` says how, and what it raises.
        scale: 1: a cell is 8 by 18 pixels.
        replace: take the place of a file of that name.

    Returns:
        Where it was written.

    Raises:
        UsageError: there are no frames, or not all are of one size.
        VaemonError: Pillow is not installed, or the file cannot be written.
    """
    return write_file(path, [animation(frames, scale)], replace=replace)


def animation(frames: Iterable[tuple[Frame, float]], scale: float = SCALE) -> bytes:
    """The bytes of the file; arguments and errors as of `save_animation`."""
    painter = Painter(scale)
    shown = list(frames)
    if len({(frame.width, frame.height) for frame, _ in shown}) != 1:
        raise UsageError("an animation takes frames of one size, at least one")
    images = [painter.rounded(frame) for frame, _ in shown]
    buffer = io.BytesIO()
    images[0].save(
        buffer,
        "WEBP",
        save_all=True,
        append_images=images[1:],
        duration=[round(1000 * seconds) for _, seconds in shown],
        loop=0,
        lossless=True,
        minimize_size=True,
        quality=80,  # of a lossless file: how hard it is made small
        method=4,
    )
    return buffer.getvalue()
