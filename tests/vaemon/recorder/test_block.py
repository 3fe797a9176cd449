"""The buffer between loop and writer: rows go in by the fast way or the slow one, and come out the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaemon.batch import StageInfo
from vaemon.recorder.block import Block, kind_of
from vaemon.recorder.ring import BLOCK_BYTES, SPARE_BYTES, Ring, Waiting
from vaemon.recorder.row import sort_values
from vaemon.recorder.sheet import read_sheet

STAGE = StageInfo(1, 3)


def block_like(values, capacity=8):
    block = Block(kind_of(STAGE, sort_values(values)), capacity)
    block.fill(1, 0.0, sort_values(values), None)
    return block


def vector(*values, dtype=np.float32):
    return np.array(values, dtype)


def test_a_row_like_the_first_is_taken_as_it_is_and_copied():
    block = block_like({"mse": 1.0, "mean_variance": vector(1, 2, 3), "kl": 2.0})
    given_vector = vector(4, 5, 6)
    assert block.put(2, {"kl": 7, "mean_variance": given_vector, "mse": np.float64(8)})
    given_vector[:] = 0
    sheet = read_sheet(Waiting(block, 0, 2))
    assert sheet.step.tolist() == [1, 2]
    assert sheet.values["mse"].tolist() == [1, 8]
    assert sheet.values["kl"].tolist() == [2, 7]
    assert sheet.values["mean_variance"].tolist() == [[1, 2, 3], [4, 5, 6]]


class Reluctant:
    """A number that must be waited for, as a tensor on a device is."""

    asked = 0

    def __float__(self):
        Reluctant.asked += 1
        return 1.0

    def __radd__(self, other):
        return self

    __add__ = __radd__


@pytest.mark.parametrize(
    "values",
    [
        {"mse": 1.0},
        {"mse": 1.0, "other": vector(1, 2, 3)},
        {"mse": 1.0, "mean_variance": vector(1, 2, 3), "more": 1.0},
        {"mse": "1", "mean_variance": vector(1, 2, 3)},
        {"mse": None, "mean_variance": vector(1, 2, 3)},
        {"mse": Reluctant(), "mean_variance": vector(1, 2, 3)},
        {"mse": vector(1), "mean_variance": vector(1, 2, 3)},
        {"mse": 1.0, "mean_variance": vector(1, 2)},
        {"mse": 1.0, "mean_variance": vector(1, 2, 3, 4)},
        {"mse": 1.0, "mean_variance": vector(1, 2, 3)[None]},
        {"mse": 1.0, "mean_variance": vector(1, 2, 3, dtype=np.float64)},
        {"mse": 1.0, "mean_variance": vector(1, 2, 3, dtype=">f4")},
        {"mse": 1.0, "mean_variance": vector(1, 2, 3, dtype=np.complex64)},
        {"mse": 1.0, "mean_variance": [1.0, 2.0, 3.0]},
        {"mse": 1.0, "mean_variance": 1.0},
        {"mse": 10**400, "mean_variance": vector(1, 2, 3)},
    ],
)
def test_any_other_row_is_left_to_the_slower_way_and_leaves_nothing_behind(values):
    block = block_like({"mse": 5.0, "mean_variance": vector(1, 2, 3)})
    assert not block.put(2, values)
    assert block.count == 1
    assert Reluctant.asked == 0, "nothing is waited for"
    assert block.put(2, {"mse": 6.0, "mean_variance": vector(7, 8, 9)})
    assert read_sheet(Waiting(block, 1, 2)).values["mean_variance"].tolist() == [[7, 8, 9]]


@pytest.mark.parametrize("step", [1, 0, -5])
def test_a_step_that_does_not_go_upwards_is_left_to_the_slower_way(step):
    block = block_like({"mse": 5.0})
    assert not block.put(step, {"mse": 6.0})
    assert not block.put(2.5, {"mse": 6.0})
    assert block.count == 1


@pytest.mark.parametrize("values", [{"mse": 1.0}, {"mean_variance": vector(1, 2, 3)}, {"mse": 1.0, "v": vector(1, 2)}])
def test_a_full_block_takes_no_more(values):
    block = block_like(values, capacity=3)
    assert [block.put(step, values) for step in (2, 3, 4, 5)] == [True, True, False, False]
    assert block.count == 3


def test_gaps_are_nan_and_what_few_rows_have_stands_beside():
    block = block_like({"mse": 1.0, "kl": 2.0, "mean_variance": vector(1, 2, 3)})
    block.fill(2, 0.0, sort_values({"kl": 3.0, "test_mse": 9.0}), None)
    sheet = read_sheet(Waiting(block, 0, 2))
    np.testing.assert_array_equal(sheet.values["mse"], [1, np.nan])
    np.testing.assert_array_equal(sheet.values["mean_variance"][1], [np.nan] * 3)
    assert sheet.extras == [(1, "test_mse", 9.0)]
    assert block.unlike == 1


NAMES = st.sampled_from(["mse", "kl", "lr", "own"])
SCALARS = st.dictionaries(NAMES, st.floats(allow_nan=False), min_size=1)


@given(rows=st.lists(SCALARS, min_size=1, max_size=30), seed=st.integers(0, 9))
@settings(max_examples=50, deadline=None)
def test_what_goes_in_comes_out_whichever_way(rows, seed):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(len(rows), 3)).astype(np.float32)
    block = Block(kind_of(STAGE, sort_values({**rows[0], "v": vectors[0]})), len(rows))
    for step, (scalars, each) in enumerate(zip(rows, vectors, strict=True), start=1):
        values = {**scalars, "v": each}
        if not block.put(step, values):
            block.fill(step, 0.0, sort_values(values), None)
    sheet = read_sheet(Waiting(block, 0, len(rows)))
    np.testing.assert_array_equal(sheet.values["v"], vectors)
    assert sheet.step.tolist() == list(range(1, len(rows) + 1))
    found = [{} for _ in rows]
    for name in rows[0]:
        for row, value in enumerate(sheet.values[name]):
            if not np.isnan(value):
                found[row][name] = value
    for row, name, value in sheet.extras:
        found[row][name] = value
    assert found == rows


def test_the_ring_holds_so_much_and_counts_what_it_drops():
    kind = kind_of(STAGE, sort_values({"mse": 1.0, "v": np.zeros(1000, np.float32)}))
    ring = Ring(limit=3 * BLOCK_BYTES)
    blocks = []
    while (block := ring.open(kind)) is not None:
        block.count = block.capacity
        blocks.append(block)
    held = sum(block.charge for block in blocks)
    assert 2 * BLOCK_BYTES < held <= 3 * BLOCK_BYTES
    assert ring.is_filling_up
    for step in (7, 8, 9):
        ring.drop(step)
    assert ring.drops() == (3, 7, 9)
    assert ring.drops()[0] == 0
    waiting = ring.waiting()
    assert [each.block for each in waiting] == blocks
    ring.settle(waiting[:2])
    assert len(ring) == held_rows(blocks[2:])
    assert ring.open(kind) is not None


def held_rows(blocks):
    return sum(block.count - block.done for block in blocks)


def test_a_row_larger_than_the_limit_still_finds_a_place():
    ring = Ring(limit=1000)
    kind = kind_of(STAGE, sort_values({"v": np.zeros(100_000, np.float32)}))
    assert ring.open(kind) is None, "not beyond the limit"
    assert Ring(limit=10_000_000).open(kind) is not None


def test_blocks_are_used_again_but_not_kept_without_end():
    kind = kind_of(STAGE, sort_values({"v": np.zeros(1000, np.float32)}))
    ring, seen = Ring(limit=64 * BLOCK_BYTES), []
    for _ in range(30):
        block = ring.open(kind)
        block.count = block.capacity
        seen.append(id(block))
        ring.settle(ring.waiting())
    assert len(set(seen)) < 10
    assert sum(block.charge for block in ring._spare) <= SPARE_BYTES


def test_a_stage_begun_anew_gets_no_block_of_an_equal_one():
    ring = Ring(limit=64 * BLOCK_BYTES)
    first, again = StageInfo(1, 3), StageInfo(1, 3)
    values = sort_values({"v": np.zeros(1000, np.float32)})
    for stage in (first, first, first, again):
        block = ring.open(kind_of(stage, values))
        assert block.kind.stage is stage
        block.count = block.capacity
        ring.settle(ring.waiting())
