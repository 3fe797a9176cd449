"""A stream of bytes gives the frames that went into it, or ends with a reason."""

import json
import struct
import tracemalloc
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaemon.version import __version__
from vaemon.wire import frames as wire
from vaemon.wire.frames import MAGIC, MOST_NOISE, FrameReader, FrameWriter, Hello, WireError

LONGEST = 10_000


def stream(*frames, noise=b"", hello=None):
    """The bytes of an end that greets and sends the frames; an empty one is a heartbeat."""
    sent = bytearray(noise)
    writer = FrameWriter(sent.extend)
    if hello is None:
        writer.greet()
    else:
        sent += MAGIC + struct.pack(">I", len(hello)) + hello
    for each in frames:
        writer.send(each) if each else writer.beat()
    return bytes(sent)


def reader_of(data, sizes=(), longest=LONGEST):
    """A reader of these bytes, handed over in pieces of these sizes, over and over; else as many as it asks for."""
    at = turn = 0

    def read(most):
        nonlocal at, turn
        size = min(sizes[turn % len(sizes)], most) if sizes else most
        turn, at = turn + 1, at + size
        return data[at - size : at]

    return FrameReader(read, longest)


def received(data, sizes=(), longest=LONGEST):
    reader = reader_of(data, sizes, longest)
    return reader.meet(), list(reader)


FRAMES = st.lists(st.binary(max_size=60) | st.integers(1, 40).map(lambda n: b"columns" * n), max_size=8)


@settings(max_examples=60, deadline=None)
@given(
    FRAMES,
    st.binary(max_size=200).filter(lambda noise: MAGIC not in noise),
    st.lists(st.integers(1, 50), min_size=1, max_size=5),
)
def test_however_the_stream_is_cut_the_frames_are_the_same(frames, noise, sizes):
    assert received(stream(*frames, noise=noise), sizes) == (Hello(), frames)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_garbage_in_place_of_frames_ends_with_a_reason(garbage):
    reader = reader_of(stream(b"whole") + garbage)
    reader.meet()
    frames = iter(reader)
    assert next(frames) == b"whole"
    with suppress(WireError):
        list(frames)


def test_a_heartbeat_is_an_empty_frame():
    assert received(stream(b"", b"a", b"", b"", b"b"))[1] == [b"", b"a", b"", b"", b"b"]


def test_what_was_said_before_costs_next_to_nothing():
    frame = np.random.default_rng(0).bytes(3000)
    assert len(stream(frame, frame)) < len(stream(frame)) + 100


@pytest.mark.parametrize("sizes", [(), (1,), (16,), (1000,), (MOST_NOISE + 5, 1)])
def test_noise_before_the_hello_is_passed_over_up_to_its_limit(sizes):
    sizes = sizes if sizes != (1,) else (MOST_NOISE - 40, *[1] * 200)
    banner = b"Welcome to gpu1\r\n\x1b[31m" + MAGIC[:-1]
    assert received(stream(b"a", noise=banner), sizes)[1] == [b"a"]
    assert received(stream(b"a", noise=(banner * MOST_NOISE)[:MOST_NOISE]), sizes)[1] == [b"a"]
    with pytest.raises(WireError, match="no hello in the first 64 kB"):
        received(stream(b"a", noise=(banner * MOST_NOISE)[: MOST_NOISE + 1]), sizes)


def test_endless_noise_is_not_read_for_ever():
    asked = []
    reader = FrameReader(lambda most: asked.append(most) or b"x" * most, LONGEST)
    with pytest.raises(WireError, match="no hello"):
        reader.meet()
    assert sum(asked) <= 3 * MOST_NOISE


@pytest.mark.parametrize("protocol", [wire.PROTOCOL + 1, 0, -1])
def test_a_hello_of_another_protocol_is_told_with_both_versions(protocol):
    hello = json.dumps({"protocol": protocol, "vaemon": "9.8.7\x1b[2J"}).encode()
    with pytest.raises(WireError) as caught:
        received(stream(hello=hello))
    for part in (f"vaemon 9.8.7?[2J (protocol {protocol})", f"here is {__version__} (protocol {wire.PROTOCOL})"):
        assert part in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "hello",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"protocol": 1}',
        b'{"protocol": [], "vaemon": "1"}',
        b'{"protocol": "one", "vaemon": "1"}',
        b'{"protocol": Infinity, "vaemon": "1"}',
        b'{"protocol": 1e999, "vaemon": "1"}',
        b'{"protocol": NaN, "vaemon": "1"}',
        b"[" * 4000,
        b'{"a":' * 800,
    ],
)
def test_a_hello_that_cannot_be_read(hello):
    with pytest.raises(WireError, match="a hello that cannot be read"):
        received(stream(hello=hello))


def test_a_hello_of_a_later_vaemon_may_say_more():
    hello = json.dumps({"protocol": wire.PROTOCOL, "vaemon": "2", "more": [1]}).encode()
    assert received(stream(b"a", hello=hello)) == (Hello(wire.PROTOCOL, "2"), [b"a"])


def test_a_hello_that_is_too_long():
    with pytest.raises(WireError, match="a hello of 4,097 bytes"):
        received(stream(hello=b" " * (wire.LONGEST_HELLO + 1)))
    with pytest.raises(WireError, match="a hello of 4,294,967,295 bytes"):
        received(MAGIC + b"\xff" * 8)


def test_cut_at_every_place():
    whole = stream(b"first", b"", b"second", noise=b"hi\n")
    begun, ends = len(stream(noise=b"hi\n")), {}
    for each in ((), (b"first",), (b"first", b""), (b"first", b"", b"second")):
        ends[len(stream(*each, noise=b"hi\n"))] = list(each)
    for end in range(len(whole) + 1):
        reader = reader_of(whole[:end])
        if end < begun:
            with pytest.raises(EOFError):
                reader.meet()
            continue
        reader.meet()
        if end in ends:
            assert list(reader) == ends[end]
        else:
            with pytest.raises(WireError, match="cut off"):
                list(reader)


@pytest.mark.parametrize("seed", range(3))
def test_damage_at_any_place_is_told_or_shows_in_the_frame_alone(seed):
    rng = np.random.default_rng(seed)
    head, whole = len(stream()), stream(b"first" * 9, b"second" * 9)
    for at in range(head, len(whole)):
        changed = bytearray(whole)
        changed[at] ^= int(rng.integers(1, 256))
        with suppress(WireError):
            _, frames = received(bytes(changed))
            assert frames != [b"first" * 9, b"second" * 9]


def test_a_frame_may_be_as_long_as_the_limit_and_no_longer():
    rng = np.random.default_rng(0)
    for frame in (b"a" * LONGEST, rng.bytes(LONGEST), b"ab" * (LONGEST // 2)):
        assert received(stream(frame, b"next"))[1] == [frame, b"next"]
    for over in (1, 2, 257, 258, 259, 5000):
        reader = reader_of(stream(b"a" * (LONGEST + over), b"next"))
        reader.meet()
        with pytest.raises(WireError, match="more than 10,000 bytes, unpacked"):
            next(iter(reader))


def test_a_frame_that_says_it_is_too_long_is_not_waited_for():
    for length in (LONGEST + LONGEST // 100, 2**32 - 1):
        with pytest.raises(WireError, match=f"a frame of {length:,} bytes"):
            received(stream() + struct.pack(">I", length))


def test_a_bomb_takes_no_more_memory_than_the_limit():
    bomb = zlib.compressobj(9)
    packed = bomb.compress(bytes(50_000_000)) + bomb.flush(zlib.Z_SYNC_FLUSH)
    assert len(packed) < 1_000_000
    tracemalloc.start()
    try:
        with pytest.raises(WireError, match="unpacked"):
            received(stream() + struct.pack(">I", len(packed)) + packed, longest=1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_a_stream_that_has_ended_has_no_more_frames():
    packed = zlib.compress(b"all there is")
    frame = struct.pack(">I", len(packed)) + packed
    with pytest.raises(WireError, match="nothing in it"):
        received(stream() + frame + frame)
