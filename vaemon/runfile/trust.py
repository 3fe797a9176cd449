"""What a segment may make HDF5 do: a file from elsewhere may name other files, and say that it is larger than it is.

HDF5 follows links into other files, reads the bytes of any file as a dataset's, and takes memory for what a few bytes
say that there is. So what is opened is looked at first: it must lie in the file itself, and be no larger than such a
file can hold.
"""

import mmap
from typing import Any

import h5py

MOST_PACKED = 1100
"""Times that what is read may be larger than its file: zlib packs 1,032 zeros into a byte."""
MOST_WHOLE = 64
"""As MOST_PACKED, of what is read as a whole; we do not pack it, but a file that was cut says what was in it."""
ANYWAY = 16 << 20
"""Bytes that a dataset may have in a file of any size: room is taken by the chunk."""
CHUNK_ROWS = 64
CHUNK_BYTES = 1 << 20
"""A chunk is read as a whole: it may have so many bytes, or so many rows where these are longer."""
LONGEST_ATTRIBUTE = 8 << 20
_HEAP = b"GCOL\x01"
_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}
"""What every HDF5 has built in. Another would be looked for among the plug-ins of this machine."""


def own_dataset(file: Any, name: str, size: int, *, whole: bool) -> Any:
    """A dataset that lies in the file itself.

    Args:
        file: open.
        name: of the dataset, its groups' before it.
        size: bytes of the file.
        whole: whether it is going to be read as a whole.

    Raises:
        KeyError: there is none of that name.
        ValueError: it lies elsewhere, or would take what no such file holds.
    """
    at: Any = file
    for part in name.split("/"):
        if not isinstance(at, h5py.Group) or not isinstance(at.get(part, getlink=True), h5py.HardLink):
            raise KeyError(f"{name!r} is not in it")
        at = at[part]
    if not isinstance(at, h5py.Dataset):
        raise KeyError(f"{name!r} is no dataset")
    if at.is_virtual or at.external:
        raise ValueError(f"{name!r} lies in other files, which are not read")
    if at.dtype.hasobject or at.shape is None or not at.shape:
        raise ValueError(f"{name!r} is no table")
    _check_size(at, name, size * (MOST_WHOLE if whole else MOST_PACKED) + ANYWAY)
    return at


def _check_size(dataset: Any, name: str, most: int) -> None:
    if dataset.nbytes > most:
        raise ValueError(f"{name!r} would have {dataset.nbytes:,} bytes, which such a file cannot hold")
    properties = dataset.id.get_create_plist()
    filters = {properties.get_filter(number)[0] for number in range(properties.get_nfilters())}
    if not filters <= _FILTERS:
        raise ValueError(f"{name!r} is packed in a way that is not ours (HDF5's filters {sorted(filters)})")
    if dataset.chunks:
        rows, row = dataset.chunks[0], dataset.dtype.itemsize
        for length in dataset.chunks[1:]:
            row *= length
        if rows * row > max(CHUNK_BYTES, CHUNK_ROWS * row):
            raise ValueError(f"{name!r} has chunks of {rows * row:,} bytes")


def own_attributes(file: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Those of the attributes that the file has, each one value.

    Raises:
        ValueError: one is no single value, or too long.
    """
    found = {}
    has_heaps = False
    for name in names:
        if name in file.attrs:
            told = file.attrs.get_id(name)
            kind = told.get_type()
            if told.shape != () or told.get_storage_size() > LONGEST_ATTRIBUTE:
                raise ValueError(f"its attribute {name!r} is not one value")
            if not isinstance(kind, h5py.h5t.TypeIntegerID | h5py.h5t.TypeFloatID | h5py.h5t.TypeStringID):
                raise ValueError(f"its attribute {name!r} is neither a number nor a text")
            if not has_heaps and isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str():
                has_heaps = True
                _check_heaps(file.id.get_vfd_handle())  # all of them, and once: it looks through the whole file
            found[name] = file.attrs[name]
    return found


def _check_heaps(descriptor: int) -> None:
    """Refuse a heap of texts in which HDF5 would go round for ever: it has no checksum, and is not looked at there.

    Ours have none, for their texts have a fixed length; what others wrote with h5py has one. Its layout is that of the
    HDF5 file format specification, "Global Heap", of version 1: GCOL, version, 3 bytes, size; then objects of 16 bytes
    and what they hold.
    """
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as content:
        at = content.find(_HEAP)
        while at >= 0:
            end = at + int.from_bytes(content[at + 8 : at + 16], "little")
            place = at + 16
            while place + 16 <= min(end, len(content)):
                size = int.from_bytes(content[place + 8 : place + 16], "little")
                is_free = content[place : place + 2] == b"\0\0"
                step = size if is_free else 16 + -(-size // 8) * 8
                if not 16 <= step <= end - place:
                    raise ValueError("its texts are damaged")
                place += step
            at = content.find(_HEAP, at + 4)
