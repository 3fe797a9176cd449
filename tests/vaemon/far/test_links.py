"""Links that break while a run is recorded at the far end: what is seen in the end is what there is."""

import os
import signal
import subprocess
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from vaemon.batch import RunState
from vaemon.errors import NeedsPerson, SourceLost
from vaemon.headless.record import record
from vaemon.source.far import link
from vaemon.source.local import LocalSource
from vaemon.view.state import RunView
from vaemon.watch.asked import Asked
from vaemon.watch.poller import Poller


class Exactly(Asked):
    """What a screen asks for, not rounded: it is to be compared."""

    @property
    def want(self):
        return replace(Asked().want, coarse=False)


class Eye:
    """What a screen does with a source, a question at a time."""

    def __init__(self, source, until):
        self._poller = Poller(source, lambda view: None, hz=10.0, clock=time.time)
        self._until = until
        self.view = RunView()
        self.losses = []

    def look(self):
        """The view after one more question."""
        self.view = self._poller.ask(self.view, Exactly())
        if self.view.lost:
            self.losses.append(self.view.lost)
            time.sleep(0.02)
        return self.view

    def see(self, rows):
        """Look until so many rows are seen."""
        self._until(
            lambda: not self.look().lost and self.view.rows == rows and not self.view.loading, lambda: self.view
        )


@pytest.fixture
def eye_of(far):
    """see(source) -> an Eye on it."""
    return lambda source: Eye(source, far.until)


def same_but_for_the_address(view, wanted):
    now = time.time()
    a, b = record(view, now), record(wanted, now)
    for each in (a, b):
        del each["address"], each["age"]
    assert a == b
    assert view.events == wanted.events
    for part in ("mean", "low", "high", "bad"):
        shown, there = getattr(view.columns, part), getattr(wanted.columns, part)
        assert shown.keys() == there.keys()
        for name, column in shown.items():
            np.testing.assert_array_equal(column, there[name])
    np.testing.assert_array_equal(view.columns.step, wanted.columns.step)


@pytest.mark.timeout(300)
def test_an_ssh_that_is_killed_again_and_again(far, training, source_of, eye_of):
    """Every other time in the midst of a question, or of making the link anew."""
    source = source_of("there:live")
    eye = eye_of(source)
    eye.see(50)
    for time_killed in range(20):
        training.go_on(23)
        if time_killed % 2:
            threading.Timer(0.005 * time_killed, far.cut).start()
            eye.look()
        else:
            far.cut()
        eye.see(training.rows)
    assert len(eye.losses) >= 10
    fresh = eye_of(LocalSource(far.runs / "live"))
    fresh.see(training.rows)
    same_but_for_the_address(eye.view, fresh.view)
    again = eye_of(source)
    again.see(training.rows)
    same_but_for_the_address(again.view, fresh.view)


def test_a_server_that_is_stopped_and_started(far, training, source_of, eye_of):
    eye = eye_of(source_of("there:live"))
    eye.see(50)
    far.server.stop()
    try:
        training.go_on(100)
        far.until(lambda: "Connection refused" in eye.look().lost, lambda: eye.losses)
        assert eye.view.rows == 50
    finally:
        far.server.start()
    eye.see(150)


def test_a_link_that_stalls(far, training, source_of, eye_of, monkeypatch):
    monkeypatch.setattr(link, "SILENCE", 0.3)
    eye = eye_of(source_of("there:live"))
    eye.see(50)
    stalled = far.server.ssh()
    far.cut(signal.SIGSTOP)
    training.go_on(100)
    assert eye.look().lost == "there has not answered for 0 s"
    monkeypatch.setattr(link, "SILENCE", 10.0)
    eye.see(150)
    far.until(lambda: not set(stalled) & set(far.server.ssh()))


def test_a_training_that_is_killed_is_told_by_the_link_that_stands(far, training, source_of, eye_of):
    eye = eye_of(source_of("there:live"))
    eye.see(50)
    assert eye.view.info.state is RunState.RUNNING
    before = far.server.ssh()
    os.kill(training.process.pid, signal.SIGKILL)
    far.until(lambda: eye.look().info.state is RunState.CRASHED)
    assert eye.losses == []
    assert far.server.ssh() == before


def batch_mode(far):
    return [b"BatchMode=yes" in far.arguments(pid) for pid in far.server.ssh()]


def test_a_link_that_needs_somebody(far, training, source_of, eye_of):
    """What is made anew by itself asks for nothing; who asks for it may be asked."""
    source = source_of("there:live")
    eye = eye_of(source)
    eye.see(50)
    assert batch_mode(far) == [False]
    far.cut()
    far.until(lambda: not eye.look().lost)
    assert batch_mode(far) == [True]
    far.login(key="stranger")
    far.cut()
    far.until(lambda: "needs your password: press r" in eye.look().lost, lambda: eye.losses)
    with pytest.raises(NeedsPerson):
        source.info()
    with pytest.raises(SourceLost, match="Permission denied"):
        source.reach()
    far.login()
    source.reach()
    assert batch_mode(far) == [False]
    eye.see(50)


def test_a_host_that_is_no_longer_known_is_nobody_s_to_trust_but_a_person_s(far, training, source_of):
    known = far.server.folder / "known_forgotten"
    known.write_text((far.server.folder / "known").read_text())
    source = source_of("forgotten:live")
    assert source.info().name == "live"
    known.unlink()
    far.cut()
    told = []

    def needs_somebody():
        try:
            source.info()
        except SourceLost as error:
            told.append(error)
        return told and isinstance(told[-1], NeedsPerson)

    far.until(needs_somebody, lambda: told)
    assert str(told[-1]) == "forgotten has a host key that only you can trust"
    assert not known.exists()


def test_a_closed_link_is_not_made_anew(far, training, source_of):
    source = source_of("there:live")
    source.info()
    source.hang_up()
    for ask in (source.info, source.reach):
        with pytest.raises(SourceLost, match="the link was closed"):
            ask()
    far.until(far.is_empty)


def test_a_connection_that_other_sessions_share_is_used_but_none_is_begun(far, training, source_of):
    """Other sessions would end with the one that began it."""
    shared = far.server.folder / "shared"
    source_of("shared:live").info()
    assert not shared.exists()
    ssh = ["ssh", "-F", far.server.config]
    subprocess.run([*ssh, "-o", "ControlMaster=yes", "-N", "-f", "shared"], check=True, stderr=subprocess.DEVNULL)
    try:
        before = far.server.sessions()
        source_of("shared:live").info()
        assert far.server.sessions() == before
    finally:
        subprocess.run([*ssh, "-O", "exit", "shared"], check=True, stderr=subprocess.DEVNULL)
