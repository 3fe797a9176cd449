"""A far end made to harm whoever asks it. What SECURITY.md promises of it is tested here.

`tests/vaemon/wire` tests the parts: frames, weights, arrays, texts. Here whole answers go all the way to what is
shown, whatever is in them. VAEMON_FUZZ says how many times as long as in `make test`.
"""

import importlib.util
import io
import json
import os
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaemon.batch import Batch, Latest, Listed, RunInfo, RunState, StageInfo
from vaemon.commands.summary import summarise_listed
from vaemon.headless.record import as_json
from vaemon.headless.text import frame
from vaemon.view.fold import fold
from vaemon.view.state import RunView
from vaemon.wire import questions as ask
from vaemon.wire.codec import pack, unpack
from vaemon.wire.frames import LONGEST_QUESTION, FrameReader, FrameWriter, WireError
from vaemon.wire.shapes import check
from vaemon.wire.weight import check_weight

_spec = importlib.util.spec_from_file_location("values", Path(__file__).parents[1] / "wire" / "values.py")
values = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(values)

FUZZ = int(os.environ.get("VAEMON_FUZZ", "1"))
SOME, MORE = (settings(max_examples=count * FUZZ) for count in (40, 100))
LATENTS = ("mean_variance", "latent_kl", "mean_mu", "mu_squared")
SCALARS = ("gamma", "mse", "kl", "own")


@st.composite
def telling(draw):
    """Batches that are told by the names that a screen looks for, and whose numbers are as wild as can be."""
    batch = draw(values.BATCHES)
    k, n = draw(st.integers(0, 3)), draw(st.integers(0, 4))
    numbers = st.floats(width=64)
    floats = lambda *shape: values.hnp.arrays(draw(st.sampled_from(["<f4", "<f8", "<f4", "<f8", "<i8"])), shape)  # noqa: E731
    stage = draw(st.integers(1, 2))
    mean = {name: draw(floats(n, k)) for name in LATENTS if draw(st.booleans())}
    mean |= {name: draw(floats(n)) for name in SCALARS if draw(st.booleans())}
    flat = {name: draw(floats(n)) for name in SCALARS if draw(st.booleans())}
    smoothed = {name: draw(floats(k)) for name in LATENTS if draw(st.booleans())}
    smoothed |= {name: draw(floats()) for name in SCALARS}
    latest = Latest(
        draw(values.INTS), draw(values.INTS), draw(numbers), {name: draw(numbers) for name in SCALARS}, smoothed
    )
    columns = replace(batch.columns, mean=mean, low=flat, high=flat, bad={}, absent={})
    columns = replace(
        columns,
        step=draw(values.hnp.arrays("<i8", n)),
        time=draw(values.hnp.arrays("<f8", n)),
        epoch=draw(values.hnp.arrays("<i4", n)),
    )
    stages = (StageInfo(stage, k, draw(st.none() | values.INTS), draw(st.none() | values.INTS)),)
    events = tuple(
        replace(each, stage=stage, latent=draw(values.INTS | st.integers(-1, k)), kind=kind)
        for each in batch.events
        for kind in ("wake", "sleep", "nan", "evaluation", "collapse", "ignored", "restored")
    )
    return replace(
        batch,
        info=replace(batch.info, stages=stages),
        stage=stage,
        columns=columns,
        latest=latest,
        events=events,
    )


def received(answer, kind):
    """What is made of an answer, as `Link.ask` does; None where it is refused."""
    try:
        check_weight(answer)
        value = unpack(answer, kind)
        check(value)
        return value
    except WireError as error:
        assert str(error).isprintable()
        return None


def shown(batches):
    """All that is told of a view without a screen, after these answers."""
    view = RunView()
    for each in batches:
        view = fold(view, each)
        told = frame(view, 1e9)
        assert told.replace("\n", "").isprintable()
        json.loads(as_json(view, 1e9))


@SOME
@given(st.lists(telling() | values.BATCHES, min_size=1, max_size=3))
def test_whatever_is_answered_is_refused_or_shown(batches):
    shown([each for each in (received(pack(batch), Batch) for batch in batches) if each is not None])


EDITS = st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=9), st.integers(0, 9)), min_size=1, max_size=4)


def edited(whole, edits):
    """Bytes with others put in at some places, in the place of so many."""
    for at, new, cut in edits:
        at %= len(whole) + 1
        whole = whole[:at] + new + whole[at + cut :]
    return whole


@MORE
@given(telling(), EDITS)
def test_answers_changed_on_the_way_are_refused_or_shown(batch, edits):
    answer = received(edited(pack(batch), edits), Batch)
    shown([answer] if answer is not None else [])
    listed = received(edited(pack((Listed("r", "/r", 0.0, batch),)), edits), tuple[Listed, ...])
    for each in listed or ():
        summarise_listed(each.name, each)


def stream(*frames):
    sent = bytearray()
    writer = FrameWriter(sent.extend)
    writer.greet()
    for each in frames:
        writer.send(each)
    return bytes(sent)


@MORE
@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=3), EDITS)
def test_a_stream_changed_at_any_place_gives_frames_or_a_reason(frames, edits):
    reader = FrameReader(io.BytesIO(edited(stream(*frames), edits)).read1, LONGEST_QUESTION)
    try:
        reader.meet()
        for got in reader:
            received(got, ask.Answer)
            received(got, ask.Asked)
    except (WireError, EOFError) as error:
        assert str(error).isprintable()


@SOME
@given(st.integers(0, 2**32 - 1), st.integers(0, 40_000_000), st.binary(max_size=20))
def test_lengths_that_lie_and_bombs_take_no_more_than_a_frame(length, zeros, rest):
    packer = zlib.compressobj(9)
    packed = packer.compress(bytes(zeros)) + packer.flush(zlib.Z_SYNC_FLUSH) + rest
    for told in (length, len(packed)):
        reader = FrameReader(io.BytesIO(stream() + struct.pack(">I", told) + packed).read1, LONGEST_QUESTION)
        reader.meet()
        try:
            assert all(len(each) <= LONGEST_QUESTION for each in reader)
        except WireError as error:
            assert str(error).isprintable()


def test_an_answer_of_tiny_values_is_refused_before_it_takes_memory():
    """A config of 64 MB, empty mappings all: 4.7 GB, were it unpacked."""
    info = pack(RunInfo("r", "/r", RunState.RUNNING, config={"a": 0}))
    empty = 60 << 20
    bomb = info.replace(b"\xa1a\x00", b"\xa1a\xdd" + empty.to_bytes(4, "big") + b"\x80" * empty)
    with pytest.raises(WireError, match="bytes of memory"):
        check_weight(bomb)


def test_a_far_end_writes_nothing_here(tmp_path, monkeypatch):
    """Whatever a program in ssh's place answers to all that can be asked."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "TMPDIR", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.chdir(home)
    evil = "../../../evil\x1b[2J/x"
    info = RunInfo(evil, evil, RunState.RUNNING, config={evil: evil})
    told = [info, Batch(info, values.batch.Cursor()), (Listed(evil, evil, 0.0, Batch(info, values.batch.Cursor())),)]
    kinds = [RunInfo, Batch, tuple[Listed, ...]]
    for value, kind in zip(told, kinds, strict=True):
        got = received(pack(value), kind)
        assert got is not None
        for each in got if isinstance(got, tuple) else (got,):
            if isinstance(each, Listed):
                summarise_listed(each.name, each)
    shown([told[1]])
    assert not list(home.rglob("*"))
    assert sorted(tmp_path.iterdir()) == [home]
