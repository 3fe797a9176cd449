"""Pixels as a PNG file, without a package for it. Pure."""

import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = {1: 0, 3: 2, 4: 6}
"""The numbers by which a PNG knows grey, RGB and RGBA, by channels."""
UP = 2
"""The number of the filter that tells each row by how it differs from that above."""
EFFORT = 6
"""Of the compression, 1 to 9."""


def png(pixels: npt.NDArray[Any]) -> bytes:
    """The bytes of a PNG file.

    Args:
        pixels: uint8, (height, width, channels), neither of the first two 0; channels 1: grey, 3: red, green, blue,
            4: these and opacity.
    """
    height, width, channels = pixels.shape
    flat = pixels.reshape(height, channels * width)
    filtered = np.full((height, 1 + channels * width), UP, np.uint8)
    filtered[0, 1:] = flat[0]
    filtered[1:, 1:] = flat[1:] - flat[:-1]  # modulo 256, as it is to be
    head = struct.pack(">IIBBBBB", width, height, 8, COLOURS[channels], 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(filtered.tobytes(), EFFORT)), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(name, data) for name, data in parts)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
