"""What the readers of this room raise on a damaged file, gathered by feeding them damaged files.

Their documentations name only some of these.
"""

import lzma
import struct
import tarfile
import tokenize
import zipfile
import zlib

_PARSING = (
    ValueError, TypeError, KeyError, IndexError, EOFError, SyntaxError, OverflowError, MemoryError, RuntimeError,
    struct.error, zlib.error,
)  # fmt: skip
"""A length, a name or an offset that is not what was written; RuntimeError has NotImplementedError below it."""

NUMPY = (*_PARSING, OSError, zipfile.BadZipFile, tokenize.TokenError)
"""numpy.load, with allow_pickle=False."""

PILLOW = (*_PARSING, OSError)
"""Image.open and load; besides, Pillow's own DecompressionBombError."""

TAR = (OSError, EOFError, tarfile.TarError, lzma.LZMAError, zlib.error)
"""tarfile, over whatever compression."""

ZIP = (OSError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, UnicodeDecodeError)
"""zipfile, over whatever compression."""
