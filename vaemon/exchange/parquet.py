"""A table as an Apache Parquet file, written by row groups, however long the run is."""

from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, cast

import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from vaemon.exchange.parts import Parts

Array = npt.NDArray[Any]

ROW_GROUP = 8192
"""Rows of a group, at least, but for the last."""


def parquet_parts(blocks: Iterable[Mapping[str, Array]]) -> Iterator[bytes]:
    """The file in pieces.

    Args:
        blocks: the columns by name, each of shape (n,), or (n, k) for a latent channel, which becomes a list of k in
            each row; names and k are those of the first block in all.
    """
    parts = Parts()
    writer: Any = None
    held: list[Any] = []
    for block in blocks:
        held.append(pa.table({name: _column(values) for name, values in block.items()}))
        if writer is None:
            writer = parquet.ParquetWriter(pa.PythonFile(cast("IO[bytes]", parts), "w"), held[0].schema)
        if sum(map(len, held)) >= ROW_GROUP:
            writer.write_table(pa.concat_tables(held), row_group_size=1 << 30)
            held = []
            yield parts.take()
    if writer is not None:
        if held:
            writer.write_table(pa.concat_tables(held), row_group_size=1 << 30)
        writer.close()
    yield parts.take()


def _column(values: Array) -> Any:
    if values.dtype.kind in "OU":
        return pa.array(values.tolist(), pa.string())
    flat = pa.array(values.reshape(-1))
    return flat if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
