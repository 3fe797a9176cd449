"""No frame takes more memory, once it is unpacked, than its bytes were found to allow."""

import importlib.util
import tracemalloc
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaemon import batch
from vaemon.wire import weight
from vaemon.wire.codec import pack, unpack
from vaemon.wire.frames import LONGEST_ANSWER, WireError
from vaemon.wire.weight import MOST, UNSEEN, check_weight

_spec = importlib.util.spec_from_file_location("values", Path(__file__).with_name("values.py"))
values = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(values)

N = 3000
BOMBS = {
    "empty mappings": b"\x80",
    "empty lists": b"\x90",
    "empty texts": b"\xa0",
    "short texts": b"\xa2ab",
    "mappings of one": b"\x81\xa1a\x80",
    "lists of one": b"\x91\x90",
    "floats": b"\xcb" + b"\x3f" * 8,
    "large numbers": b"\xcf" + b"\x3f" * 8,
    "negative numbers": b"\xd1\xf0\x00",
    "small numbers": b"\x07",
    "nothing": b"\xc0",
    "bytes": b"\xc4\x01a",
    "short arrays": pack(np.zeros(1, np.uint8)),
    "arrays of nothing": pack(np.zeros((0, 3))),
    "wide texts": b"\xd9\x54" + "\U0001f600".encode() + b"a" * 80,
}


def weighed(data):
    """What is found of these bytes, all of which are looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weight, "UNSEEN", -1)
        for limit in (2**bits for bits in range(4, 40)):
            patch.setattr(weight, "MOST", limit)
            try:
                check_weight(data)
            except WireError:
                continue
            return limit
    raise AssertionError("no limit holds it")


def taken(data):
    """Bytes of memory that what is unpacked takes."""
    tracemalloc.start()
    try:
        value = unpack(data, list)
        return tracemalloc.get_traced_memory()[0] if value else 0
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("what", BOMBS)
def test_nothing_takes_more_than_was_found(what):
    data = b"\xdd" + N.to_bytes(4, "big") + BOMBS[what] * N
    assert taken(data) <= weighed(data)


def test_a_mapping_of_many_keys_takes_no_more_than_was_found():
    data = msgspec.msgpack.encode([{str(i): {} for i in range(N)}])
    assert taken(data) <= weighed(data)


@pytest.mark.parametrize("what", ["empty mappings", "short arrays"])
def test_a_frame_full_of_it_is_refused(what):
    """4.7 GB of memory, unpacked."""
    count = (LONGEST_ANSWER - 5) // len(BOMBS[what])
    data = b"\xdd" + count.to_bytes(4, "big") + BOMBS[what] * count
    with pytest.raises(WireError, match="more than 268,435,456 bytes of memory"):
        check_weight(data)


def test_what_is_too_short_to_be_looked_at_is_within_the_limit():
    worst = max(weighed(b"\xdd" + N.to_bytes(4, "big") + each * N) / (N * len(each)) for each in BOMBS.values())
    assert worst * UNSEEN <= 2 * MOST  # what is weighed is told to the next power of two


def test_arrays_may_be_as_large_as_a_frame():
    check_weight(pack([np.zeros(LONGEST_ANSWER // 2, np.uint8)] * 2))


def test_a_list_of_a_thousand_runs_and_many_events_pass():
    info = batch.RunInfo("run", "/runs/run", batch.RunState.RUNNING, config={f"section.key{i}": i for i in range(60)})
    listed = batch.Listed("run", "/runs/run", 0.0, batch.Batch(info, batch.Cursor()))
    check_weight(pack([listed] * 1000))
    check_weight(pack([batch.Event(10_000, 0.5, 1, "wake", 1000, "a text")] * 50_000))


@settings(max_examples=100)
@given(st.sampled_from(list(values.VALUES)).flatmap(lambda kind: values.VALUES[kind]))
def test_every_value_is_gone_through_to_its_end(value):
    """The steps from value to value end where the bytes do: what is weighed is what is unpacked."""
    data, at = pack(value), 0
    while at < len(data):
        at += (weight._ALONE[data[at]] or weight._with_length(data, at))[0]
    assert at == len(data)


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_what_is_no_value_is_left_to_whoever_reads_it(data):
    weighed(data)


@pytest.mark.parametrize("end", [b"\xc6\xff\xff\xff\xff", b"\xc9\xff\xff\xff\xff\x01", b"\xdf\xff", b"\xd9", b"\xdb"])
def test_a_length_that_lies_ends_the_look(end):
    data = b"\xc0" * (UNSEEN + 1) + end
    try:
        check_weight(data)
    except WireError as error:
        assert "more than" in str(error)
