"""Strategies for every value that goes over a wire, and the sameness of two of them."""

import dataclasses
from collections.abc import Mapping

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vaemon import batch
from vaemon.thresholds import Thresholds

KINDS = ["?", "i1", "u1", *(f"{end}{c}{n}" for end in "<>" for c in "iu" for n in (2, 4, 8))] + [
    f"{end}f{n}" for end in "<>" for n in (2, 4, 8)
]
TEXT = st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" "), max_size=12)
INTS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(width=64)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**90), 2**90) | FLOATS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@st.composite
def arrays(draw, shapes=SHAPES):
    """Arrays of all kinds: of any order of bytes, in C order or not, with strides of either sign."""
    array = draw(hnp.arrays(draw(st.sampled_from(KINDS)), shapes))
    if array.ndim and draw(st.booleans()):
        array = np.repeat(array, 2, axis=0)[::-2]
    return draw(st.sampled_from([array, array.T, np.asfortranarray(array)]))


STAGES = st.builds(batch.StageInfo, INTS, INTS, st.none() | INTS, st.none() | INTS)
INFOS = st.builds(
    batch.RunInfo,
    TEXT,
    TEXT,
    st.sampled_from(batch.RunState),
    TEXT,
    FLOATS,
    TEXT,
    INTS,
    st.dictionaries(TEXT, ANY, max_size=3),
    st.lists(STAGES, max_size=2).map(tuple),
    st.builds(Thresholds, hold=st.integers(0, 99), smoothing=st.floats(1.0, 99.0)),
    TEXT,
)
CURSORS = st.builds(batch.Cursor, INTS, INTS, INTS, INTS, INTS, INTS, FLOATS)
NAMES = st.lists(TEXT, max_size=3).map(tuple)


@st.composite
def columns(draw):
    n, k = draw(st.integers(0, 4)), draw(st.integers(0, 3))
    tables = st.dictionaries(TEXT, arrays(st.sampled_from([(n,), (n, k)])), max_size=2)
    given_by_name = [st.dictionaries(TEXT, arrays(st.just((n,))), max_size=2) for _ in range(3)]
    return batch.Columns(
        draw(st.integers(0, 2**40)),
        1 << draw(st.integers(0, 20)),
        draw(hnp.arrays(np.int64, n)),
        draw(hnp.arrays(np.float64, n)),
        draw(hnp.arrays(np.int32, n)),
        draw(tables),
        *map(draw, given_by_name),
        draw(tables),
    )


LATEST = st.builds(
    batch.Latest,
    INTS,
    INTS,
    FLOATS,
    st.dictionaries(TEXT, FLOATS, max_size=3),
    st.dictionaries(TEXT, arrays(st.sampled_from([(), (0,), (3,)])), max_size=3),
)
EVENTS = st.builds(batch.Event, INTS, FLOATS, INTS, TEXT, INTS, TEXT)
BATCHES = st.builds(
    batch.Batch,
    INFOS,
    CURSORS,
    INTS,
    INTS,
    columns(),
    st.none() | LATEST,
    st.lists(EVENTS, max_size=2).map(tuple),
    st.booleans(),
    st.none() | INTS,
    FLOATS,
    FLOATS,
    st.booleans(),
)
VALUES = {
    batch.StageInfo: STAGES,
    batch.RunInfo: INFOS,
    batch.Event: EVENTS,
    batch.Want: st.builds(batch.Want, NAMES, st.none() | INTS, INTS, FLOATS, st.none() | INTS, INTS),
    batch.Excerpt: st.builds(batch.Excerpt, INTS, INTS, INTS, NAMES, INTS, INTS, st.none() | INTS, INTS),
    batch.Cursor: CURSORS,
    batch.Columns: columns(),
    batch.Latest: LATEST,
    batch.Batch: BATCHES,
    batch.Listed: st.builds(batch.Listed, TEXT, TEXT, FLOATS, st.none() | BATCHES, TEXT),
    batch.Window: st.builds(batch.Window, st.none() | INTS, st.none() | INTS, st.none() | INTS),
    batch.Series: st.builds(batch.Series, TEXT, *[arrays()] * 4, st.booleans()),
    batch.ImageSet: st.builds(batch.ImageSet, INTS, INTS, TEXT, *[INTS] * 4, FLOATS),
}


def same(a, b):
    """Whether two values are the same, to the last bit of a number; lists and tuples of equal parts are."""
    if isinstance(a, np.ndarray):
        bits = [np.ascontiguousarray(each.astype(each.dtype.newbyteorder("<"))).tobytes() for each in (a, b)]
        return (a.dtype.newbyteorder("<"), a.shape) == (b.dtype.newbyteorder("<"), b.shape) and bits[0] == bits[1]
    if isinstance(a, float):
        return type(b) is float and np.float64(a).tobytes() == np.float64(b).tobytes()
    if isinstance(a, Mapping):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if dataclasses.is_dataclass(a):
        return type(a) is type(b) and all(
            same(getattr(a, each.name), getattr(b, each.name)) for each in dataclasses.fields(a)
        )
    return type(a) is type(b) and a == b
