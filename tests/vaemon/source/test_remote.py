"""A run elsewhere is told as one here: an agent in a process of its own, without ssh."""

import importlib.util
import io
import os
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaemon import Recorder
from vaemon.agent import serve
from vaemon.batch import Cursor, Excerpt, ImageSet, RunState, Want, Window
from vaemon.errors import SourceLost, UnknownName, UsageError, VaemonError
from vaemon.runfile import manifest
from vaemon.source.directory import LocalDirectory
from vaemon.source.far.address import Place
from vaemon.source.far.link import Link
from vaemon.source.far.remote import RemoteDirectory, RemoteSource
from vaemon.source.far.ssh import FarEnd
from vaemon.source.local import LocalSource
from vaemon.wire import questions as ask
from vaemon.wire.codec import pack, unpack
from vaemon.wire.frames import FrameReader, FrameWriter


def _module(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


contract = _module(Path(__file__).with_name("contract.py"))
same = _module(Path(__file__).parents[1] / "wire" / "values.py").same

AGENT = "from vaemon.agent import main; main()"
SMALL_BLOCKS = "import vaemon.runfile.series as series; series.BLOCK_BYTES = 4096\n"


NOISY = """
import os
from vaemon.source.local import LocalSource
info = LocalSource.info
def noisy(self):
    print("x" * 999, flush=True)
    os.write(1, b"y" * 999)
    return info(self)
LocalSource.info = noisy
"""


class Child(FarEnd):
    """An agent as a plain child process; the interpreter asked for is the code that it runs."""

    def command(self, *, asks, environ=os.environ):
        return [sys.executable, "-B", "-c", self.python or AGENT]


def linked(code=AGENT):
    link = Link(Child(Place("gpu1"), code))
    yield link
    link.close()


link = pytest.fixture(scope="module", name="link")(lambda: (yield from linked()))
hurried = pytest.fixture(scope="module", name="hurried")(lambda: (yield from linked(SMALL_BLOCKS + NOISY + AGENT)))


class TestRemoteSource(contract.SourceContract):
    @pytest.fixture(autouse=True)
    def _agent(self, hurried):
        # One of the contract's tests has rows read in small blocks, which it cannot bring about in another process; and
        # whatever is printed there does not come among the frames.
        self.link = hurried

    def open(self, folder):
        return RemoteSource(self.link, str(folder))


CHANNELS = ("gamma", "mse", "mean_variance", "latent_kl", "psnr", "nonsense")


@pytest.fixture(scope="module")
def whole(tmp_path_factory, staircase, log_rows):
    """A run of two stages that went on once, with all that a run can have."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAEMON_RUNS", str(folder))
        with Recorder("r", latents=3, total_steps=500, config={"a": [1, {"b": None}], "seed": 2**80}) as recorder:
            recorder.images("inputs", np.random.default_rng(0).integers(0, 256, (3, 5, 4, 3), np.uint8), step=0)
            log_rows(recorder, staircase(300, 3))
            recorder.event("note", "so far, so good: σ²")
            recorder.images("GEN-1", np.zeros((2, 4, 4)))
        with Recorder("r", resume=True) as recorder:
            log_rows(recorder, staircase(200, 3), first=251)
            recorder.log(460, mean_variance=[np.nan, 0.5, np.inf], mse=np.nan, psnr=3.0)
            recorder.stage(2, latents=5)
            log_rows(recorder, np.full((77, 5), 0.2))
    return folder / "r"


@pytest.fixture(scope="module")
def both(whole, link):
    local = LocalSource(whole)
    yield local, RemoteSource(link, str(whole))
    local.close()


def outcome(ask_it):
    """The answer, or the error by its class and text."""
    try:
        return ask_it()
    except VaemonError as error:
        return type(error).__name__, str(error)


def as_local(told):
    """A batch of a run elsewhere, as its machine told it: without where that is."""
    info = getattr(told, "info", None)
    if info is None:
        return told
    assert info.place == "gpu1"
    return replace(told, info=replace(info, address=info.address.removeprefix("gpu1:"), place=""))


ROWS = st.integers(0, 600)
ASKED = st.lists(st.sampled_from(CHANNELS), max_size=4, unique=True).map(tuple)
STAGES = st.sampled_from([None, 1, 2, 3])
COLUMNS = st.sampled_from([0, 1, 3, 16, 64, 512])
WANTS = st.builds(Want, ASKED, STAGES, COLUMNS, st.just(60.0), st.none() | st.integers(1, 600), st.integers(0, 3))
EXCERPTS = st.builds(
    Excerpt,
    st.sampled_from([1, 2, 3]),
    ROWS,
    ROWS,
    ASKED,
    st.sampled_from([1, 3, 16, 512]),
    st.sampled_from([0, 1, 2, 64]),
    st.none() | st.integers(0, 2),
    st.integers(0, 3),
)
MANY = settings(max_examples=25, deadline=None)


def test_an_equal_poll_has_an_equal_answer(both):
    local, remote = both

    @MANY
    @given(WANTS, WANTS)
    def check(first, second):
        cursor = Cursor()
        for want in (first, second):
            told = local.poll(cursor, want)
            assert same(as_local(remote.poll(cursor, want)), told)
            cursor = told.cursor

    check()


def test_an_equal_excerpt_has_an_equal_answer(both):
    local, remote = both

    @MANY
    @given(EXCERPTS)
    def check(asked):
        assert same(remote.excerpt(asked), local.excerpt(asked))

    check()


def test_an_equal_series_has_an_equal_answer(both):
    local, remote = both
    windows = st.builds(Window, STAGES, st.none() | ROWS, st.none() | ROWS)

    @MANY
    @given(st.tuples(st.sampled_from(CHANNELS), windows, st.sampled_from([2, 50, 1000])))
    def check(asked):
        assert same(outcome(lambda: remote.series(*asked)), outcome(lambda: local.series(*asked)))

    check()


def test_who_the_run_is_and_its_images(both, whole):
    local, remote = both
    told = remote.info()
    assert told.address == f"gpu1:{whole}"
    assert told.config["seed"] == 2**80
    assert same(replace(told, address=str(whole), place=""), local.info())
    assert remote.images() == local.images()
    for each in remote.images():
        assert same(remote.image(each), local.image(each))


def test_the_runs_of_a_folder(whole, link, runs):
    with Recorder("bad", latents=1) as recorder:
        recorder.log(1, mse=0.5)
    (runs / "bad" / "segment-0000.h5").write_bytes(b"gone")
    with Recorder("later", latents=1, thresholds=None) as recorder:
        recorder.log(1, mse=0.5)
    for folder in (runs, whole.parent, runs / "nowhere"):
        remote, local = RemoteDirectory(link, str(folder)), LocalDirectory(folder)
        there, here = remote.runs(60.0), local.runs(60.0)
        assert [each.address for each in there] == [f"gpu1:{each.address}" for each in here]
        for a, b in zip(there, here, strict=True):
            assert same(replace(a, address=b.address, batch=as_local(a.batch)), b)
        for each in there:
            assert remote.open(each.address).info().address == each.address if not each.reason else True
        remote.close()


def test_a_run_that_has_gone_since_it_was_listed_can_be_asked_all_the_same(link, runs):
    with Recorder("gone", latents=1) as recorder:
        recorder.log(1, mse=0.5)
    directory = RemoteDirectory(link, str(runs))
    (listed,) = directory.runs(60.0)
    recorder.folder.rename(runs.parent / "elsewhere")
    assert directory.runs(60.0) == ()
    assert directory.open(listed.address).info().state is RunState.WAITING
    directory.close()


def test_thresholds_are_those_asked_for(whole, link):
    at = {"wake": 0.45, "doze": 0.7, "hold": 5}
    remote, local = RemoteSource(link, str(whole), thresholds=at), LocalSource(whole, thresholds=at)
    want = Want(("mean_variance",), stage=1, seconds=60.0)
    assert same(as_local(remote.poll(Cursor(), want)), local.poll(Cursor(), want))
    (told,) = RemoteDirectory(link, str(whole.parent), thresholds=at).runs(60.0)
    assert told.batch.info.thresholds == local.info().thresholds
    local.close()


def test_errors_keep_their_class_and_text(whole, link, both):
    def error_of(kind, ask_it):
        with pytest.raises(kind) as caught:
            ask_it()
        assert type(caught.value) is kind
        return str(caught.value)

    local, remote = both
    asked = ("gama", Window(), 9)
    assert error_of(UnknownName, lambda: remote.series(*asked)) == error_of(UnknownName, lambda: local.series(*asked))
    gone = ImageSet(1, 1, "outputs", 1, 1, 1, 1)
    assert error_of(SourceLost, lambda: remote.image(gone)) == error_of(SourceLost, lambda: local.image(gone))
    missing = RemoteSource(link, str(whole.with_name("s")), exists=True)
    assert "s is not a run" in error_of(UsageError, missing.info)
    mad = {"wake": 0.9}
    assert error_of(UsageError, RemoteSource(link, str(whole), thresholds=mad).info) == error_of(
        UsageError, LocalSource(whole, thresholds=mad).info
    )
    assert "unknown threshold" in error_of(UnknownName, RemoteSource(link, str(whole), thresholds={"x": 1.0}).info)
    assert remote.info().state is RunState.FINISHED  # the link stands


def test_several_threads_share_a_link(whole, link):
    local, want = LocalSource(whole), Want(CHANNELS, seconds=60.0)
    wanted = [local.poll(Cursor(), replace(want, stage=stage)) for stage in (1, 2)]
    told, failed = {}, []

    def watch(number):
        try:
            source = RemoteSource(link, str(whole))
            told[number] = [source.poll(Cursor(), replace(want, stage=1 + number % 2)) for _ in range(4)]
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=watch, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not failed
    for number in range(4):
        assert all(same(as_local(each), wanted[number % 2]) for each in told[number])
    local.close()


EVIL = "a\x1b[2J\u202e\x9b\ud800\nb"
HARMLESS = "a\ufffd[2J\ufffd\ufffd\ufffd b"


def test_strange_texts_are_harmless(runs, link):
    with Recorder("r", latents=1, config={"a": 1}) as recorder:
        recorder.log(1, mse=0.5)
        recorder.event("note", EVIL.replace("\ud800", ""))
    told = (runs / "r" / manifest.FILE).read_text()
    escaped = EVIL.encode("unicode_escape").replace(b"\\x1b", b"\\u001b").replace(b"\\x9b", b"\\u009b").decode()
    told = told.replace('"a": 1', f'"{escaped}": ["{escaped}"]').replace('"name": "r"', f'"name": "{escaped}"')
    told = told.replace('"reason": ""', f'"reason": "{escaped}"')
    (runs / "r" / manifest.FILE).write_text(told)
    assert LocalSource(runs / "r").info().name == EVIL
    batch = RemoteSource(link, str(runs / "r")).poll(Cursor(), Want(()))
    assert (batch.info.name, batch.info.reason) == (HARMLESS, HARMLESS)
    assert batch.info.config == {HARMLESS: [HARMLESS]}
    assert HARMLESS.replace("\ufffd b", " b") in [each.text for each in batch.events]
    (runs / "r").rename(runs / os.fsdecode(b"r\xff\x1b[2J"))
    (listed,) = RemoteDirectory(link, str(runs)).runs(60.0)
    assert listed.name == "r\ufffd\ufffd[2J"
    assert listed.address.isprintable()
    with pytest.raises(VaemonError) as caught:
        RemoteSource(link, str(runs / "no\x1b[2J\udcff"), exists=True).info()
    assert str(caught.value).isprintable()


def tree(folder):
    """All there is below a folder: names, sizes, and when each was last written or changed."""
    found = [folder, *sorted(folder.rglob("*"))]
    return {each: (s.st_size, s.st_mtime_ns, s.st_ctime_ns) for each in found for s in [each.lstat()]}


def test_the_agent_writes_nothing(whole, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "TMPDIR", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.chdir(home)
    (home / "lent").symlink_to(Path(manifest.__file__).parents[2])
    before = tree(whole.parent), tree(home)
    link = Link(Child(Place("gpu1")))
    remote = RemoteSource(link, str(whole))
    remote.poll(Cursor(), Want(CHANNELS, seconds=60.0))
    remote.excerpt(Excerpt(1, 0, 500, CHANNELS))
    remote.series("mse", Window(), 50)
    remote.image(remote.images()[0])
    RemoteDirectory(link, str(whole.parent)).runs(60.0)
    RemoteDirectory(link).runs(1.0)
    RemoteSource(link, "latest").info()
    link.close()
    assert (tree(whole.parent), tree(home)) == before


class Wire:
    """An agent in this process, fed with what it is asked, and what it answers."""

    def __init__(self, *questions):
        asked = bytearray()
        writer = FrameWriter(asked.extend)
        writer.greet()
        for number, each in enumerate(questions, 1):
            writer.send(each if isinstance(each, bytes) else pack(ask.Asked(number, each)))
        self.asked, self.answered = io.BytesIO(bytes(asked)), bytearray()

    def serve(self):
        serve(self.asked.read1, self.answered.extend)
        reader = FrameReader(io.BytesIO(bytes(self.answered)).read1, 1 << 20)
        reader.meet()
        return [unpack(frame, ask.Answer) for frame in reader if frame]


def test_only_so_many_runs_are_held_open(tmp_path, monkeypatch):
    monkeypatch.setattr("vaemon.agent.MOST_OPEN", 2)
    closed = []
    monkeypatch.setattr(LocalSource, "close", lambda self: closed.append(self.folder.name))
    names = ["a", "b", "a", "c", "d"]
    answers = Wire(*[ask.Info(ask.Run(str(tmp_path / name))) for name in names]).serve()
    assert [each.number for each in answers] == [1, 2, 3, 4, 5]
    assert closed == ["b", "a", "c", "d"]


def test_an_answer_that_is_too_large_is_refused_and_the_next_is_given(tmp_path, monkeypatch):
    monkeypatch.setattr("vaemon.agent.LONGEST_ANSWER", 300)
    first, second = Wire(ask.Info(ask.Run(str(tmp_path / ("x" * 200)))), ask.Sets(ask.Run(str(tmp_path)))).serve()
    assert (first.refusal.kind, second.refusal) == ("SourceLost", None)
    assert "too large to be sent" in first.refusal.text


def test_an_error_of_the_agents_own_is_told_and_the_next_answer_given(tmp_path, monkeypatch):
    monkeypatch.setattr(LocalSource, "info", lambda self: 1 / 0)
    first, second = Wire(ask.Info(ask.Run(str(tmp_path / "r"))), ask.Sets(ask.Run(str(tmp_path)))).serve()
    assert (first.refusal, second.refusal) == (ask.Refusal("SourceLost", "ZeroDivisionError: division by zero"), None)


def test_a_long_answer_is_preceded_by_heartbeats(tmp_path, monkeypatch):
    monkeypatch.setattr("vaemon.agent.BEAT", 0.001)
    wire, beaten, begun = Wire(ask.Info(ask.Run(str(tmp_path / "r")))), threading.Event(), []

    def write(data):
        wire.answered.extend(data)
        if begun and data == bytes(4):
            beaten.set()

    info = LocalSource.info
    monkeypatch.setattr(LocalSource, "info", lambda self: (begun.append(1), beaten.wait(60), info(self))[-1])
    serve(wire.asked.read1, write)
    assert beaten.is_set()
    reader = FrameReader(io.BytesIO(bytes(wire.answered)).read1, 1 << 20)
    reader.meet()
    assert [bool(frame) for frame in reader][-2:] == [False, True]


def test_an_answer_that_the_other_end_would_not_unpack_is_refused_here(tmp_path, monkeypatch):
    monkeypatch.setattr("vaemon.wire.weight.UNSEEN", 300)
    monkeypatch.setattr("vaemon.wire.weight.MOST", 1500)
    (answer,) = Wire(ask.Info(ask.Run(str(tmp_path / ("x" * 300))))).serve()
    assert "too large to be sent: a value that would take more than 1,500 bytes" in answer.refusal.text
