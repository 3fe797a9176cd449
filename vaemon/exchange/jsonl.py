"""Rows as JSON, an object a line; what is not finite is the string "NaN", "Infinity" or "-Infinity", as elsewhere."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def json_lines(blocks: Iterable[Mapping[str, Array]]) -> Iterator[bytes]:
    """The lines of each block of rows."""
    for block in blocks:
        names, columns = list(block), [_plain(each) for each in block.values()]
        yield b"".join(
            json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, allow_nan=False).encode() + b"\n"
            for row in zip(*columns, strict=True)
        )


def _plain(values: Array) -> list[Any]:
    if values.dtype.kind != "f":
        return list(values.tolist())
    # Through text, or a float32 would have digits that were never recorded.
    texts = values.astype("U")
    plain: Array = texts.astype(np.float64).astype(object)
    bad = ~np.isfinite(values)
    if bad.any():
        named = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
        plain[bad] = [named[text] for text in texts[bad]]
    return list(plain.tolist())
