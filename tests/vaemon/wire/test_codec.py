"""Values go over a wire bit for bit; whatever is none of them is refused."""

import dataclasses
import importlib.util
import inspect
import sys
import tracemalloc
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaemon import batch
from vaemon.wire import questions as ask
from vaemon.wire.codec import ARRAY, LARGE, pack, unpack
from vaemon.wire.frames import WireError

_spec = importlib.util.spec_from_file_location("values", Path(__file__).with_name("values.py"))
values = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(values)
same = values.same

INFO = batch.RunInfo(
    "r", "/r", batch.RunState.RUNNING, config={"a": [1, None, {"b": 0.5}]}, stages=(batch.StageInfo(1, 3),)
)
COLUMNS = batch.Columns(0, 2, *[np.arange(5)] * 3, {"gamma": np.ones(5), "z": np.ones((5, 3), "f4")}, {}, {}, {})
LATEST = batch.Latest(9, 1, 0.5, {"mse": 0.25}, {"z": np.ones(3)})
BATCH = batch.Batch(INFO, batch.Cursor(1), 1, 10, COLUMNS, LATEST, (batch.Event(3, 0.5, 1, "wake", 2),))

FEW = settings(max_examples=12, deadline=None)
SOME = settings(max_examples=60, deadline=None)


def test_the_strategies_make_every_value_that_flows():
    classes = {each for _, each in inspect.getmembers(batch, inspect.isclass) if each.__module__ == batch.__name__}
    assert {each for each in classes if dataclasses.is_dataclass(each)} == set(values.VALUES)


@pytest.mark.parametrize("kind", values.VALUES, ids=lambda kind: kind.__name__)
def test_every_value_comes_out_as_it_went_in(kind):
    @FEW
    @given(values.VALUES[kind])
    def check(value):
        assert same(unpack(pack(value), kind), value)

    check()


@settings(max_examples=80, deadline=None)
@given(values.arrays())
def test_every_array_comes_out_as_it_went_in_and_is_the_receivers_own(array):
    out = unpack(pack(array), np.ndarray)
    assert same(out, array)
    assert out.dtype.isnative
    assert out.flags.writeable
    assert out.flags.c_contiguous


@pytest.mark.parametrize("kind", ["<u2", "<u4", "<u8"])
def test_the_bits_of_every_nan_are_kept(kind):
    size = np.dtype(kind).itemsize
    ones = np.iinfo(kind).max
    bits = np.array([ones, ones >> 1, (ones >> 1) - 3], kind)
    floats = bits.view(f"<f{size}")
    assert np.isnan(floats).all()
    assert unpack(pack(floats.astype(floats.dtype.newbyteorder(">"))), np.ndarray).tobytes() == bits.tobytes()


def test_numbers_of_numpy_go_as_those_of_python():
    given_numbers = {"a": np.float32(0.5), "b": np.int64(3), "c": np.bool_(True), "d": np.float64(0.25)}
    out = unpack(pack(given_numbers), dict)
    assert [(type(each), each) for each in out.values()] == [(float, 0.5), (int, 3), (bool, True), (float, 0.25)]


def test_a_number_stands_for_the_array_it_is_a_mean_of():
    latest = unpack(pack(batch.Latest(1, 1, 0.0, {}, {"mse": np.float64(0.5)})), batch.Latest)
    assert same(latest.smoothed["mse"], np.array(0.5))


QUESTIONS = [
    ask.Info(ask.Run("r")),
    ask.Poll(ask.Run("r", {"wake": 0.25}, True), batch.Cursor(1, 2), batch.Want(("gamma",))),
    ask.Part(ask.Run("r"), batch.Excerpt(1, 0, 9, ("mse",))),
    ask.Line(ask.Run("r"), "mse", batch.Window(first=3), 50),
    ask.Sets(ask.Run("r")),
    ask.Image(ask.Run("r"), batch.ImageSet(1, 2, "inputs", 3, 4, 5, 1)),
    ask.Runs("runs", 0.5),
]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda each: type(each).__name__)
def test_every_question_comes_out_as_it_went_in(question):
    assert unpack(pack(ask.Asked(7, question)), ask.Asked) == ask.Asked(7, question)


def test_a_path_in_a_question_is_what_it_is():
    asked = ask.Asked(1, ask.Info(ask.Run("a\u200db\x1b/\u3000")))
    assert unpack(pack(asked), ask.Asked, cleaned=False) == asked


def test_an_answer_holds_its_value_unread():
    answer = unpack(pack(ask.Answer(3, msgspec.Raw(pack(BATCH)))), ask.Answer)
    assert (answer.number, answer.refusal) == (3, None)
    assert same(unpack(answer.value, batch.Batch), BATCH)


def test_texts_are_cleaned_on_arrival():
    event = batch.Event(1, 0.0, 1, "note", -1, "a\x1b[2J\u202eb")
    assert unpack(pack(event), batch.Event).text == "a\ufffd[2J\ufffdb"
    refused = ask.Answer(1, refusal=ask.Refusal("SourceLost", "no \x1b]0;x\x07"))
    assert unpack(pack(refused), ask.Answer).refusal.text == "no \ufffd]0;x\ufffd"


def test_what_is_no_unicode_is_sent_nonetheless():
    info = batch.RunInfo("r\udcff", "/runs/r\udcff", batch.RunState.WAITING, config={"k\ud800": ["\udfff"]})
    out = unpack(pack(info), batch.RunInfo)
    assert (out.name, out.address, out.config) == ("r\ufffd", "/runs/r\ufffd", {"k\ufffd": ["\ufffd"]})
    refusal = ask.Answer(1, refusal=ask.Refusal("UnknownName", "no run 'r\udcff'"))
    assert unpack(pack(refusal), ask.Answer).refusal.text == "no run 'r\ufffd'"


@pytest.mark.parametrize("value", [object(), {1, 2}.__iter__(), np.array([object()]), np.array([1j]), np.array(["a"])])
def test_what_is_no_value_is_not_sent(value):
    with pytest.raises(TypeError, match="cannot be sent"):
        pack(value)


def refused(data, kind):
    """Whether the bytes are read, or refused by WireError; any other exception is one of the test."""
    told = ""
    try:
        unpack(data, kind)
    except WireError as error:
        told = str(error)
    assert told.isprintable()
    return bool(told)


@SOME
@given(st.binary(max_size=64), st.sampled_from([*values.VALUES, ask.Asked, ask.Answer, np.ndarray, tuple]))
def test_random_bytes_are_refused(data, kind):
    refused(data, kind)


@pytest.mark.parametrize("seed", range(4))
def test_bytes_changed_on_the_way_are_refused_or_read(seed):
    rng = np.random.default_rng(seed)
    whole = np.frombuffer(pack(BATCH), np.uint8)
    outcomes = set()
    for _ in range(300):
        changed = whole.copy()
        changed[rng.integers(0, len(whole), rng.integers(1, 4))] = rng.integers(0, 256)
        outcomes.add(refused(changed.tobytes(), batch.Batch))
    assert outcomes == {True, False}


def test_a_value_cut_short_is_refused():
    packed = pack(BATCH)
    assert not refused(packed, batch.Batch)
    assert all(refused(packed[:end], batch.Batch) for end in range(len(packed)))
    assert refused(packed + b"\xc0", batch.Batch)


def array_of(kind="<f4", shape=(1,), numbers=b"\0\0\0\0", number=ARRAY):
    return msgspec.msgpack.encode(msgspec.msgpack.Ext(number, msgspec.msgpack.encode([kind, shape, numbers])))


@pytest.mark.parametrize(
    "data",
    [
        array_of("O", (1,), b"\0" * 8),
        array_of("|O", (1,), b"\0" * 8),
        array_of("<U1"),
        array_of("<M8[s]", (1,), b"\0" * 8),
        array_of(">f4"),
        array_of("f4"),
        array_of("i4,i4", (1,), b"\0" * 8),
        array_of("<f4\x1b[2J"),
        array_of(shape=(2,)),
        array_of(shape=(-1,)),
        array_of(shape=(-1, -1)),
        array_of(shape=(1, 1, 1, 1, 1)),
        array_of(shape=(1.0,)),
        array_of(shape=(2**63, 2**63), numbers=b""),
        array_of(shape=(2**62, 2**62), numbers=b""),
        array_of(shape=(2**62, 2, 0, 2**62), numbers=b""),
        array_of(numbers=b"\0\0\0"),
        array_of(number=5),
        array_of(number=LARGE),
        msgspec.msgpack.encode(msgspec.msgpack.Ext(ARRAY, b"")),
        msgspec.msgpack.encode([1.0, 2.0]),
        msgspec.msgpack.encode("abcd"),
        msgspec.msgpack.encode(None),
        b"\xc9\xff\xff\xff\xff\x01",
        b"\xc6\xff\xff\xff\xff",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
    ],
)
def test_what_is_no_array_is_refused(data):
    assert refused(data, np.ndarray)


@pytest.mark.parametrize("begin", [b"\x91", b"\x81\xa1a", b"\x81\x91"])
@pytest.mark.parametrize("kind", [batch.Batch, batch.RunInfo, dict, tuple, list, ask.Asked, ask.Answer])
def test_deep_nesting_is_refused(begin, kind):
    assert refused(begin * 100_000 + b"\xc0", kind)


def test_deep_nesting_where_anything_may_stand_is_refused():
    told = b"\x83\xa4name\xa1r\xa7address\xa1a\xa5state\xa7waiting"
    for depth in (200, 1000, 100_000):
        deep = b"\x84" + told[1:] + b"\xa6config\x81\xa1a" + b"\x91" * depth + b"\xc0"
        assert refused(deep, batch.RunInfo) or depth == 200


def test_an_error_does_not_repeat_what_a_terminal_would_obey():
    packed = msgspec.msgpack.encode({"name": "a", "address": "a", "state": "\x1b[2J\u202e"})
    with pytest.raises(WireError) as caught:
        unpack(packed, batch.RunInfo)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("shape", [(2**40,), (2**20, 2**20), (2**40, 0)])
def test_an_array_takes_no_more_memory_than_came(shape):
    tracemalloc.start()
    try:
        refused(array_of(shape=shape, numbers=b""), np.ndarray)
        refused(b"\xdd\x7f\xff\xff\xff" + b"\xc0" * 100, tuple)
        refused(b"\xdd\x7f\xff\xff\xff" + b"\xc0" * 100, list)
        refused(b"\xdf\x7f\xff\xff\xff" + b"\xa1a\xc0" * 100, dict)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**4000])
def test_a_whole_number_of_many_digits_is_kept(number):
    assert unpack(pack({"seed": [number]}), dict) == {"seed": [number]}


def test_a_whole_number_of_too_many_digits_is_refused():
    digits = msgspec.msgpack.encode(msgspec.msgpack.Ext(LARGE, b"9" * (sys.get_int_max_str_digits() + 1)))
    assert refused(digits, int)
    assert refused(digits, dict)
