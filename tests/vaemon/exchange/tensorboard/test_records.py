"""The framing of event files, sound and damaged."""

import io

import pytest
from crc32c import crc32c
from hypothesis import given
from hypothesis import strategies as st

from vaemon.errors import VaemonError
from vaemon.exchange.tensorboard.records import _records, framed, masked, read_records


def records(data):
    told = []
    return [found for found, _ in _records(io.BytesIO(data), len(data), told.append)], told


def test_checksums_are_castagnolis():
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    crc = crc32c(b"abc")
    assert masked(b"abc") == ((crc >> 15 | (crc & 0x7FFF) << 17) + 0xA282EAD8) % 2**32


@given(st.lists(st.binary(max_size=50), max_size=6))
def test_records_come_back(given_records):
    found, told = records(b"".join(map(framed, given_records)))
    assert (found, told) == (given_records, [])


@given(st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=5), st.integers(0, 10_000), st.data())
def test_of_a_file_that_is_cut_all_before_the_cut_is_kept(given_records, at, data):
    whole = list(map(framed, given_records))
    file = b"".join(whole)
    cut = data.draw(st.integers(0, len(file)))
    kept = max(n for n in range(len(whole) + 1) if len(b"".join(whole[:n])) <= cut)
    found, told = records(file[:cut])
    assert found == given_records[:kept]
    assert bool(told) is (len(b"".join(whole[:kept])) != cut)


@given(st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=5), st.data())
def test_a_bit_that_is_wrong_costs_its_record_or_what_follows_and_is_told(given_records, data):
    file = bytearray(b"".join(map(framed, given_records)))
    at = data.draw(st.integers(0, len(file) - 1))
    file[at] ^= 1 << data.draw(st.integers(0, 7))
    hit = next(n for n in range(len(given_records)) if len(b"".join(map(framed, given_records[: n + 1]))) > at)
    found, told = records(bytes(file))
    assert told
    assert found in (given_records[:hit], given_records[:hit] + given_records[hit + 1 :])


@given(st.binary(max_size=300))
def test_any_bytes_are_read_to_some_end(data):
    records(data)


def test_a_length_beyond_the_file_takes_no_memory():
    import struct

    head = struct.pack("<Q", 1 << 60)
    found, told = records(head + struct.pack("<I", masked(head)))
    assert found == []
    assert "ends within a record" in told[0]


def test_what_is_no_file_is_refused_in_words(tmp_path):
    with pytest.raises(VaemonError, match="cannot read"):
        list(read_records(tmp_path / "none", print))
