"""The links of several machines together: one to each, as long as a run of it is open."""

import sys

import pytest

from vaemon import Recorder
from vaemon.errors import SourceLost, UnknownName, UsageError
from vaemon.source.far.address import FarAddress, Place
from vaemon.source.far.link import Link
from vaemon.source.far.links import Links

AGENT = "from vaemon.agent import main; main()"


def refused(ask_it, kind):
    with pytest.raises(kind) as caught:
        ask_it()
    return str(caught.value)


def test_all_links_are_ended_before_one_is_waited_for():
    done = []

    class Held:
        def __init__(self, name):
            self.name = name

        def hang_up(self):
            done.append(("hang up", self.name))

        def close(self):
            done.append(("close", self.name))

    held = Links()
    held._held = {Place(name): Held(name) for name in "ab"}
    held.close()
    assert sorted(done[:2]) == [("hang up", "a"), ("hang up", "b")]
    assert sorted(done[2:]) == [("close", "a"), ("close", "b")]


def test_one_link_for_all_runs_of_a_machine(runs, monkeypatch, link_to):
    monkeypatch.setattr("vaemon.source.far.ssh.FarEnd.command", lambda self, asks: [sys.executable, "-B", "-c", AGENT])
    made, init = [], Link.__init__
    monkeypatch.setattr(Link, "__init__", lambda self, *a, **k: (made.append(self), init(self, *a, **k))[1])
    for name in ("cifar-1", "cifar-2", "mnist"):
        with Recorder(name, latents=1) as recorder:
            recorder.log(1, mse=0.5)
    held_links, place = Links(), Place("gpu1")
    first = held_links.source(FarAddress(place, "cifar-1"))
    second = held_links.source(FarAddress(place, ""), exists=True)
    assert (first.info().name, second.info().name) == ("cifar-1", "mnist")
    found = held_links.addresses_like(FarAddress(place, "cifar-*"))
    assert [each.path for each in found] == ["cifar-2", "cifar-1"]
    assert [each.path for each in held_links.addresses_like(FarAddress(place, f"{runs}/m*"))] == [f"{runs}/mnist"]
    assert "did you mean 'mnist'" in refused(lambda: held_links.addresses_like(FarAddress(place, "mnits*")), UsageError)
    refused(lambda: held_links.source(FarAddress(place, "mnits")), UnknownName)
    refused(lambda: held_links.source(FarAddress(place, "mnist"), {"wake": 0.9}), UsageError)
    first.close(), first.close()
    assert second.info().name == "mnist"
    assert len(made) == 1
    second.close()
    assert refused(second.info, SourceLost) == "the link was closed"
    third = held_links.source(FarAddress(place, "mnist"))
    assert (third.info().name, len(made)) == ("mnist", 2)
    third.close()
