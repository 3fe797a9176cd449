"""What a packed value would take of memory, told from its bytes before anything is made of them.

A frame is bounded by its length, but an empty mapping is one byte there and a hundred here: without a look at what is
in it, 64 MB of a config would become several GB.
"""

from vaemon.wire.frames import WireError

MOST = 256 << 20
"""Bytes of memory for all of a value but the numbers in its arrays: a list of thousands of runs takes a tenth."""
EACH = 100
"""Bytes that a value takes, beside the characters of a text; an empty mapping, in a list, takes 72. Numbers take less,
but so many of them are looked at within a second or two."""
EACH_ARRAY = 1000
"""Bytes that an array takes, beside its numbers: it is a view of a view of a copy."""
WIDEST = 4
"""Bytes that a text may take for each of its bytes here: one odd character makes all of them wide."""
UNSEEN = MOST // (EACH * WIDEST)
"""A value of no more bytes than this is not looked at: whatever is in it, it is within the limit."""

# The format of MessagePack, github.com/msgpack/msgpack/blob/master/spec.md: by the first byte of a value.
_NUMBERS = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
_TEXTS = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_EXTENSIONS = {0xC7: 1, 0xC8: 2, 0xC9: 4}
_FIXED_EXTENSIONS = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
_COUNTS = {0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}


def _alone(first: int) -> tuple[int, int] | None:
    """Bytes and weight of a value that begins so; None where its length stands behind. Parts count for themselves."""
    if 0xA0 <= first < 0xC0:
        return 1 + (first & 0x1F), EACH + WIDEST * (first & 0x1F)
    if first < 0xC4 or first >= 0xE0:  # small numbers; nothing, false, true; short mappings and lists
        return 1, EACH
    if first in _NUMBERS or first in _COUNTS:
        return 1 + (_NUMBERS.get(first) or _COUNTS[first]), EACH
    return (2 + _FIXED_EXTENSIONS[first], EACH_ARRAY) if first in _FIXED_EXTENSIONS else None


_ALONE = [_alone(first) for first in range(256)]


def check_weight(data: bytes | memoryview) -> None:
    """Refuse what would take too much memory. What is no MessagePack is left to whoever reads it.

    Raises:
        WireError: all but the numbers of its arrays would take more than MOST.
    """
    if len(data) <= UNSEEN:
        return
    at = weight = 0
    while at < len(data):
        size, more = _ALONE[data[at]] or _with_length(data, at)
        at += size
        weight += more
        if weight > MOST:
            raise WireError(f"a value that would take more than {MOST:,} bytes of memory beside its arrays")


def _with_length(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """Bytes and weight of the value at a place, which is of those whose length stands behind their first byte."""
    size = _TEXTS.get(data[at]) or _EXTENSIONS[data[at]]
    length = int.from_bytes(data[at + 1 : at + 1 + size], "big")
    if data[at] in _TEXTS:
        return 1 + size + length, EACH + WIDEST * length
    return 2 + size + length, EACH_ARRAY
