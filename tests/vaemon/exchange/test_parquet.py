"""Parquet, by what pyarrow reads of it."""

import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from pyarrow import parquet

from vaemon.exchange import parquet as module
from vaemon.exchange.parquet import parquet_parts

ROWS = st.integers(0, 40).flatmap(
    lambda n: st.fixed_dictionaries(
        {
            "step": npst.arrays(np.int64, n),
            "own": npst.arrays(np.float64, n),
            "loss": npst.arrays(np.float32, n),
            "epoch": npst.arrays(np.int32, n),
            "mean_variance": npst.arrays(np.float32, (n, 3)),
        }
    )
)


def read(blocks):
    return parquet.ParquetFile(io.BytesIO(b"".join(parquet_parts(blocks))))


@given(ROWS, st.integers(1, 20), st.integers(1, 30))
def test_every_value_comes_back(rows, size, group):
    count = len(rows["step"])
    blocks = [{name: each[i : i + size] for name, each in rows.items()} for i in range(0, max(count, 1), size)]
    before, module.ROW_GROUP = module.ROW_GROUP, group
    try:
        table = read(blocks).read()
    finally:
        module.ROW_GROUP = before
    assert table.column_names == list(rows)
    for name, values in rows.items():
        column = table[name].combine_chunks()
        found = column.flatten().to_numpy().reshape(count, 3) if values.ndim == 2 else column.to_numpy()
        assert found.dtype == values.dtype
        np.testing.assert_array_equal(found, values)


def test_row_groups_are_as_large_as_said():
    blocks = [{"step": np.arange(1000 * i, 1000 * (i + 1))} for i in range(20)]
    found = read(blocks)
    assert [found.metadata.row_group(i).num_rows for i in range(found.num_row_groups)] == [9000, 9000, 2000]


def test_words_and_no_rows():
    table = read([{"step": np.zeros(0, np.int64), "kind": np.array([], np.object_)}]).read()
    assert (table.num_rows, str(table.schema.field("kind").type)) == (0, "string")
    table = read([{"step": np.array([1]), "kind": np.array(["wake “α”"], np.object_)}]).read()
    assert table["kind"].to_pylist() == ["wake “α”"]
