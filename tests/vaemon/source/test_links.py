"""Links that break, and what is told of it: programs in place of ssh, without a network."""

import os
import signal
import threading
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from msgspec import Raw

from vaemon import Recorder
from vaemon.batch import Columns, Cursor, RunInfo, RunState, Want
from vaemon.errors import FarEndLacksVaemon, NeedsPerson, SourceLost, UnknownName, UsageError, VaemonError
from vaemon.source.far import connection as connections
from vaemon.source.far import link as links
from vaemon.source.far.address import Place
from vaemon.source.far.remote import RemoteSource
from vaemon.source.far.ssh import FarEnd
from vaemon.source.local import LocalSource
from vaemon.view.fold import fold
from vaemon.view.state import RunView
from vaemon.wire.codec import pack
from vaemon.wire.questions import Answer, Info, Refusal, Run

GREET = """
import os, struct, sys, time
from vaemon.wire.frames import *
def write(data):
    while data: data = data[os.write(1, data):]
writer, reader = FrameWriter(write), FrameReader(lambda most: os.read(0, most), LONGEST_QUESTION)
def greet():
    writer.greet()
    reader.meet()
    return iter(reader)
"""
"""How a program begins that speaks as an agent does; its answers are packed here, for NumPy takes long to load."""
INFO = Info(Run("r"))
WANT = Want(("gamma", "mse", "mean_variance"), columns=32)


def pid_of(link):
    return link._connection._program.pid


def lost(ask_it, kind=SourceLost):
    with pytest.raises(kind) as caught:
        ask_it()
    assert str(caught.value).isprintable()
    return str(caught.value)


def back(ask_it):
    """What is answered once the link stands again."""
    for _ in range(50):
        try:
            return ask_it()
        except SourceLost:
            continue
    return ask_it()


def test_killed_twenty_times_nothing_is_missing_or_told_twice(runs, staircase, log_rows, link_to):
    variance, link, view, losses = staircase(400, 3), link_to(), RunView(), 0
    with Recorder("r", latents=3) as recorder:
        source = RemoteSource(link, str(recorder.folder))
        for turn in range(20):
            log_rows(recorder, variance[20 * turn : 20 * turn + 20], first=20 * turn + 1)
            recorder.event("note", f"turn {turn}")
            recorder.flush()
            view = fold(view, back(partial(source.poll, view.cursor, WANT)))
            os.kill(pid_of(link), signal.SIGKILL)
            try:
                view = fold(view, source.poll(view.cursor, WANT))
            except SourceLost:
                losses += 1
    view = fold(view, back(partial(source.poll, view.cursor, WANT)))
    while view.loading:
        view = fold(view, source.poll(view.cursor, WANT))
    here, fresh = LocalSource(runs / "r"), RunView()
    while fresh.loading or not fresh.rows:
        fresh = fold(fresh, here.poll(fresh.cursor, WANT))
    here.close()
    assert losses
    assert (view.rows, view.info.state) == (400, RunState.FINISHED)
    assert view.events == fresh.events
    assert [each.text for each in view.events if each.kind == "note"] == [f"turn {turn}" for turn in range(20)]
    assert (view.columns.first, view.columns.width) == (fresh.columns.first, fresh.columns.width)
    assert view.columns.step.tolist() == fresh.columns.step.tolist()
    for name, each in fresh.columns.mean.items():
        assert each == pytest.approx(view.columns.mean[name], rel=1e-5)


def test_a_program_that_stands_still_is_told_as_lost_and_made_anew(runs, link_to, monkeypatch):
    monkeypatch.setattr(links, "SILENCE", 0.3)
    monkeypatch.setattr(connections, "PARTING", 0.1)
    link = link_to()
    source = RemoteSource(link, str(runs / "r"))
    assert back(source.info).state is RunState.WAITING
    stopped = pid_of(link)
    os.kill(stopped, signal.SIGSTOP)
    assert lost(source.info) == "gpu1 has not answered for 0 s"
    monkeypatch.setattr(links, "SILENCE", 30.0)
    assert back(source.info).state is RunState.WAITING
    assert pid_of(link) != stopped


def test_heartbeats_keep_a_slow_answer_alive(link_to, monkeypatch):
    monkeypatch.setattr(links, "SILENCE", 0.6)
    answer = pack(Answer(1, refusal=Refusal("UnknownName", "at last")))
    beats = "for _ in range(20): writer.beat(); time.sleep(0.05)\n"
    code = f"questions = greet(); next(questions)\n{beats}writer.send({answer}); [*questions]"
    assert lost(lambda: link_to(GREET + code).ask(INFO, RunInfo), UnknownName) == "at last"


def test_a_machine_that_slept_gives_a_link_less_time(link_to, monkeypatch):
    monkeypatch.setattr(links, "AFTER_SLEEP", 0.1)
    slept = iter([0.0])
    monkeypatch.setattr(links, "_asleep", lambda: next(slept, 3600.0))
    link = link_to(GREET + "[*greet()]")
    assert lost(lambda: link.ask(INFO, RunInfo)) == "gpu1 has not answered for 0 s"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("next(greet()); write(b'\\xff' * 40)", "a frame of 4,294,967,295 bytes"),
        ("next(greet()); write(struct.pack('>I', 9) + b'not zlib!')", "a damaged frame"),
        ("next(greet()); writer.send(b'garbage')", "what came is no Answer"),
        (f"next(greet()); writer.send({pack([1, 2, 3])})", "what came is no Answer"),
        ("next(greet()); writer.send(bytes(2 << 20))", "more than 1,048,576 bytes, unpacked"),
        ("next(greet()); write(struct.pack('>I', 99) + b'cut')", "the vaemon on gpu1 ended"),
        (
            f"next(greet()); writer.send({pack(Answer(1, Raw(pack(7))))})",
            "what came is no RunInfo",
        ),
        (f"next(greet()); writer.send({pack(Answer(1, Raw(bytes([0xC1]))))})", "what came is no"),
        (
            "next(greet()); sys.exit('out of\\x1b[2J memory')",
            "ended with exit code 1: out of\ufffd[2J memory",
        ),
        ("greet(); sys.exit(3)", "ended with exit code 3"),
        ("os.kill(os.getpid(), 9)", "the ssh to gpu1 was ended by signal 9"),
        ("write(b'x' * 70000); time.sleep(99)", "no hello in the first 64 kB"),
        ("write(b'Welcome!'); sys.exit(0)", "ended with exit code 0"),
        ("write(MAGIC + b'\\0\\0\\0\\2{}'); time.sleep(99)", "a hello that cannot be read"),
        (
            "import vaemon.wire.frames as f; f.__dict__['PROTOCOL'] = 2;"
            'hello = b\'{"protocol": 2, "vaemon": "9.9", "pid": 1}\';'
            "write(MAGIC + struct.pack('>I', len(hello)) + hello); time.sleep(99)",
            "the far end has vaemon 9.9 (protocol 2), here is",
        ),
    ],
)
def test_what_is_no_answer_ends_the_link_with_a_reason(link_to, monkeypatch, code, told):
    monkeypatch.setattr(connections, "PARTING", 0.2)
    monkeypatch.setattr(connections, "LONGEST_ANSWER", 1 << 20)
    link = link_to(GREET + code)
    assert told in lost(lambda: link.ask(INFO, RunInfo))


def test_an_answer_to_nothing_is_passed_over(link_to):
    told = [Answer(100)] + [Answer(1, refusal=Refusal("UnknownName", text)) for text in ("this", "again")]
    send = f"for told in {[*map(pack, told)]}: writer.beat(); writer.send(told)"
    last = pack(Answer(2, refusal=Refusal("UnknownName", "the next")))
    link = link_to(
        f"{GREET}questions = greet(); next(questions)\n{send}\nnext(questions); writer.send({last}); [*questions]"
    )
    assert [lost(lambda: link.ask(INFO, RunInfo), UnknownName) for _ in range(2)] == ["this", "the next"]


def test_arrays_that_do_not_fit_end_the_link(link_to):
    columns = pack(Columns(step=np.arange(3)))
    link = link_to(f"{GREET}next(greet()); writer.send({pack(Answer(1, Raw(columns)))}); time.sleep(99)")
    assert "do not fit each other" in lost(lambda: link.ask(INFO, Columns))
    assert link._connection.over


def test_a_refusal_of_any_kind_is_an_error_of_ours(link_to):
    kinds = ["SourceLost", "nearest", "VaemonError", "KeyboardInterrupt", "__name__", "\x1b"]
    told = [pack(Answer(n, refusal=Refusal(kind, "no \x1b[2J"))) for n, kind in enumerate(kinds, 1)]
    link = link_to(f"{GREET}questions = greet()\nfor told in {told}: next(questions); writer.send(told)\n[*questions]")
    errors = []
    for _ in kinds:
        with pytest.raises(VaemonError) as caught:
            link.ask(INFO, RunInfo)
        errors.append((type(caught.value), str(caught.value)))
    assert errors == [(VaemonError if kind == "VaemonError" else SourceLost, "no \ufffd[2J") for kind in kinds]


def test_noise_before_the_hello_is_passed_over(runs, link_to, relay):
    link = link_to(f"import os\nos.write(1, b'Welcome to gpu1' * 4000); os.write(2, b'motd')\n{relay}")
    assert RemoteSource(link, str(runs / "r")).info().state is RunState.WAITING


def test_a_program_that_is_not_there(link_to):
    class Missing(FarEnd):
        def command(self, *, asks, environ=os.environ):
            return ["/no/such/ssh"]

    link = link_to(far=Missing(Place("gpu1")))
    assert lost(link.connect) == "cannot start /no/such/ssh: No such file or directory"
    assert "cannot start" in lost(lambda: link.ask(INFO, RunInfo))


def test_no_vaemon_there(link_to):
    link = link_to("import sys; sys.exit(83)")
    assert "gpu1 has no vaemon on its PATH, nor by what the runs in its folder of runs tell: install it there" in lost(
        link.connect, FarEndLacksVaemon
    )
    untrusted = link_to("import os; os.write(2, b'vaemon-untrusted: /a/py'); os._exit(84)")
    assert "--remote-python /a/py" in lost(untrusted.connect, UsageError)


def test_a_program_that_says_nothing(link_to, monkeypatch):
    monkeypatch.setattr(links, "ATTEMPT", 0.3)
    monkeypatch.setattr(connections, "PARTING", 0.1)
    link = link_to("import time; time.sleep(99)")
    assert lost(lambda: link.ask(INFO, RunInfo)) == "the vaemon on gpu1 does not answer"


def test_what_it_says_is_shown_until_the_hello_where_a_person_is_asked(link_to, capsys, monkeypatch, tmp_path):
    shown, show = tmp_path / "shown", connections.Connection._show
    monkeypatch.setattr(connections.Connection, "_show", lambda self, got: (show(self, got), shown.touch()))
    asks = f"os.write(2, b'touch your key\\x1b[2J\\n')\nwhile not os.path.exists({str(shown)!r}): time.sleep(0.01)\n"
    later = "next(greet()); os.write(2, b'later'); sys.exit(3)"
    link = link_to(GREET + asks + later)
    link.connect()
    assert "exit code 3: touch your key\ufffd[2J later" in lost(lambda: link.ask(INFO, RunInfo))
    assert capsys.readouterr().err == "touch your key\ufffd[2J\n"
    quiet = link_to(f"{GREET}os.write(2, b'touch your key'); {later}")
    assert "exit code 3: touch your key" in lost(lambda: quiet.ask(INFO, RunInfo))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("kind", "longest"),
    [(SourceLost, 30.0), (NeedsPerson, 300.0)],
)
def test_between_attempts_there_is_a_pause_that_grows(link_to, monkeypatch, kind, longest):
    now, shares, attempts = [1000.0], [], []
    monkeypatch.setattr(links.time, "monotonic", lambda: now[0])

    class Counted(FarEnd):
        def command(self, *, asks, environ=os.environ):
            attempts.append(now[0])
            raise kind("not now")

    link = link_to(far=Counted(Place("gpu1")), pause=lambda: (shares.append(1), 1.0)[-1])
    while len(attempts) < 12:
        with pytest.raises(SourceLost):
            link.ask(INFO, RunInfo)
        now[0] += 0.25
    waited = [b - a for a, b in pairwise(attempts)]
    assert waited == [min(0.5 * 2**n, longest) for n in range(11)]


def test_an_error_that_is_told_again_and_again_takes_no_more_memory(link_to):
    link = link_to("import os; os._exit(255)", pause=lambda: 1e6)
    depths = set()
    for _ in range(20):
        with pytest.raises(SourceLost) as caught:
            link.ask(INFO, RunInfo)
        depths.add(len(caught.traceback))
    assert max(depths) < 12


def test_a_link_that_stood_begins_with_the_shortest_pause(link_to, runs):
    shares = []
    link = link_to(pause=lambda: shares.append(link._failures) or 0.0)
    source = RemoteSource(link, str(runs / "r"))
    for _ in range(3):
        back(source.info)
        os.kill(pid_of(link), signal.SIGKILL)
        lost(source.info)
    assert set(shares) == {0}


def test_a_person_may_try_at_once(link_to):
    link = link_to("import sys; sys.exit(255)", pause=lambda: 1e6)
    assert "ssh cannot reach gpu1" in lost(lambda: link.ask(INFO, RunInfo))
    first = link._attempt
    lost(lambda: link.ask(INFO, RunInfo))
    assert link._attempt is first
    lost(link.connect)
    assert link._attempt is not first


@pytest.mark.parametrize("code", ["greet(); print('met', file=sys.stderr); [*reader]", "time.sleep(99)"])
def test_hanging_up_wakes_who_waits(link_to, monkeypatch, code):
    monkeypatch.setattr(connections, "PARTING", 0.1)
    waiting, told = threading.Event(), []
    link = link_to(GREET + code)
    source = RemoteSource(link, "r")
    meet, ask = connections.Connection.meet, connections.Connection.ask
    monkeypatch.setattr(
        connections.Connection,
        "meet",
        lambda self, seconds: ("sleep" in code and waiting.set(), meet(self, seconds))[1],
    )
    monkeypatch.setattr(connections.Connection, "ask", lambda *asked: (ask(*asked), waiting.set())[0])

    def watch():
        told.append(lost(source.info))

    thread = threading.Thread(target=watch)
    thread.start()
    assert waiting.wait(60)
    source.hang_up()
    thread.join(60)
    assert told == ["the link was closed"]
    assert lost(source.info) == "the link was closed"
    assert lost(source.reach) == "the link was closed"


def test_a_link_closed_while_it_is_made_is_not_left_behind(link_to):
    link = link_to()
    link.close()
    assert lost(link.connect) == "the link was closed"


def test_bytes_are_counted(runs, link_to):
    link = link_to()
    assert link.traffic == (0, 0)
    source = RemoteSource(link, str(runs / "r"))
    source.poll(Cursor(), WANT)
    first = link.traffic
    source.poll(Cursor(), WANT)
    received, sent = (b - a for a, b in zip(first, link.traffic, strict=True))
    assert 0 < received < first[0]
    assert 0 < sent < first[1]
