"""What the readers of this room raise on a damaged file, gathered by feeding them damaged files.

Their documentations name only some of these.
"""

import lzma
import struct
import tarfile
import zipfile
import zlib

from vaemon.exchange.npz import UNREADABLE

NUMPY = UNREADABLE
"""numpy.load, with allow_pickle=False."""

PILLOW = (
    ValueError, TypeError, KeyError, IndexError, EOFError, SyntaxError, OverflowError, MemoryError, RuntimeError,
    struct.error, zlib.error, OSError,
)  # fmt: skip
"""Image.open and load; besides, Pillow's own DecompressionBombError."""

TAR = (OSError, EOFError, tarfile.TarError, lzma.LZMAError, zlib.error)
"""tarfile, over whatever compression."""

ZIP = (OSError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, UnicodeDecodeError)
"""zipfile, over whatever compression."""
