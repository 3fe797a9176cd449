"""What a record would take in memory: an event file may be anyone's, and two bytes of it may ask for a hundred.

Each message and each text of protobuf's is an object, however little it holds. So they are counted before any is made.
"""

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor import FieldDescriptor as Field

MOST_PARTS = 1 << 17
"""Fields that a record may have, those of all messages in it together; what is packed, as numbers are, is one."""
LIGHT = 1 << 16
"""Bytes of a record that may have any."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
"""Kinds of fields, as the encoding of protobuf has them: https://protobuf.dev/programming-guides/encoding."""


def check_weight(data: bytes, message: Descriptor) -> None:
    """See that a message has no more parts than any real one.

    Args:
        data: as it stands in the file.
        message: what it is said to be.

    Raises:
        ValueError: it has more, or is none of a writer's making.
    """
    if len(data) > LIGHT:
        try:
            _count(data, 0, len(data), message, 0)
        except IndexError as error:
            raise ValueError("it ends within a field") from error


def _count(data: bytes, at: int, end: int, message: Descriptor, parts: int) -> int:
    fields = message.fields_by_number
    while at < end:
        parts += 1
        if parts > MOST_PARTS:
            raise ValueError(f"more than {MOST_PARTS:,} parts")
        key, at = _varint(data, at)
        kind = key & 7
        if kind == _VARINT:
            _, at = _varint(data, at)
        elif kind == _BYTES:
            length, at = _varint(data, at)
            field = fields.get(key >> 3)
            if field is not None and field.type == Field.TYPE_MESSAGE:
                parts = _count(data, at, min(at + length, end), field.message_type, parts)
            at += length
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        else:  # groups, which TensorBoard's messages never had, would hide what comes after them
            raise ValueError(f"a field of kind {kind}")
    return parts


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where the next field begins."""
    value = shift = 0
    while shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise ValueError("a number without an end")
