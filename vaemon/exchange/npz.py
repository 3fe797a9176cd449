"""Columns as an .npz file of NumPy's: an array a channel, written block by block, however long the run is.

And what reading such files may raise.
"""

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy
from numpy.lib.npyio import NpzFile

from vaemon.exchange.parts import Parts

Array = npt.NDArray[Any]
Blocks = Callable[[str], Iterable[Mapping[str, Array]]]

UNREADABLE = (
    ValueError, TypeError, KeyError, IndexError, EOFError, SyntaxError, OverflowError, MemoryError, RuntimeError,
    struct.error, zlib.error, OSError, zipfile.BadZipFile, tokenize.TokenError,
)  # fmt: skip
"""What numpy.load, with allow_pickle=False, raises on damaged .npy and .npz files, gathered by feeding it such.

Its documentation names only some. RuntimeError has NotImplementedError below it: a compression that is not known.
"""

MOST_PACKED = 64
"""Times that the arrays of a file may be larger than it, where they are numbers that somebody measured."""
ANYWAY = 64 << 20
"""Bytes that they may have in a file of any size."""


def check_packed(held: NpzFile, size: int, names: Iterable[str]) -> None:
    """See that arrays of a file, which may be anyone's, take no more memory than such a file can hold.

    Args:
        held: the file as `numpy.load` opens it, of which nothing was read.
        size: its bytes.
        names: of the arrays that will be read.

    Raises:
        ValueError: they would.
    """
    wanted = {part for name in names for part in (name, f"{name}.npy")}
    members = held.zip.infolist() if held.zip else []
    told = sum(member.file_size for member in members if member.filename in wanted)
    if told > MOST_PACKED * size + ANYWAY:
        raise ValueError(f"its arrays would have {told:,} bytes, which a file of {size:,} cannot hold")


def npz_parts(names: Iterable[str], rows: int, blocks: Blocks) -> Iterator[bytes]:
    """The file in pieces.

    Args:
        names: of the arrays; a "/" in one becomes a "-", for it is a file of an archive.
        rows: of each array.
        blocks: gives the blocks of one of them, each with that name, of shape (n,) or (n, k); the n add up to `rows`.
    """
    parts = Parts()
    with zipfile.ZipFile(cast("IO[bytes]", parts), "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            with archive.open(f"{name.replace('/', '-')}.npy", "w", force_zip64=True) as member:
                begun = False
                for block in blocks(name):
                    values = np.ascontiguousarray(block[name])
                    if not begun:
                        header = {"descr": values.dtype.str, "fortran_order": False, "shape": (rows, *values.shape[1:])}
                        npy.write_array_header_1_0(member, header)
                        begun = True
                    member.write(values.data.cast("B") if values.size else b"")
                    yield parts.take()
            yield parts.take()
    yield parts.take()
