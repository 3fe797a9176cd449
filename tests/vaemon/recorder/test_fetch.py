"""Tensors on a device: what is asked of it, in which order, and by whom. A device of paper, for none is here."""

import contextlib
import sys
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
import torch

from vaemon.recorder.fetch import fetch, join


class Device(NamedTuple):
    type: str
    index: int


DEVICE = Device("cuda", 0)


class Tensor:
    """A tensor on the device of paper; whatever would wait for it is told in the diary."""

    is_cuda = True
    device = DEVICE

    def __init__(self, diary, values):
        self.diary, self.values = diary, np.asarray(values, np.float32)
        self.shape, self.dtype = self.values.shape, "float32"

    def dim(self):
        return self.values.ndim

    def reshape(self, *shape):
        return Tensor(self.diary, self.values.reshape(*shape))

    def to(self, dtype):
        return self

    def waits(self, *_, **__):
        self.diary.append("WAITS")
        return self.values

    cpu = item = tolist = numpy = __float__ = __bool__ = waits


class PinnedMemory:
    def __init__(self, diary, shape):
        self.diary, self.values = diary, np.zeros(shape, np.float32)

    def copy_(self, block, non_blocking):
        self.diary.append(f"copy, non_blocking={non_blocking}")
        self.values[:] = block.values

    def numpy(self):
        self.diary.append("read")
        return self.values


@pytest.fixture
def diary(monkeypatch):
    told = []
    streams = ["loop"]

    class Event:
        count = 0

        def __init__(self, blocking=False):
            self.blocking = blocking

        def record(self, stream):
            Event.count += 1
            self.name = f"event {Event.count}"
            told.append(f"{self.name} on {stream.name}")

        def synchronize(self):
            told.append(f"synchronize {self.name}, blocking={self.blocking}")

    class Stream:
        def __init__(self, device=None, name="side"):
            self.name = name

        def wait_event(self, event):
            told.append(f"{self.name} waits for {event.name}")

    @contextlib.contextmanager
    def stream(each):
        streams.append(each.name)
        yield
        streams.pop()

    def stack(rows):
        told.append(f"stack on {streams[-1]}")
        return Tensor(told, np.stack([row.values for row in rows]))

    def cat(several):
        told.append(f"cat on {streams[-1]}")
        return Tensor(told, np.concatenate([each.values for each in several]))

    def empty(shape, dtype, pin_memory):
        told.append(f"pinned={pin_memory}")
        return PinnedMemory(told, shape)

    cuda = SimpleNamespace(
        Event=Event,
        Stream=Stream,
        stream=stream,
        device=lambda device: contextlib.nullcontext(),
        current_stream=lambda device=None: Stream(name=streams[-1]),
    )
    paper = SimpleNamespace(
        float32="float32",
        float64="float64",
        cuda=cuda,
        stack=stack,
        cat=cat,
        empty=empty,
        no_grad=contextlib.nullcontext,
    )
    monkeypatch.setitem(sys.modules, "torch", paper)
    monkeypatch.setattr("vaemon.recorder.fetch._streams", {})
    return told


def test_the_loop_joins_on_the_device_and_waits_for_nothing(diary):
    joined = join({"mse": Tensor(diary, 2.0), "v": Tensor(diary, [3, 4, 5])})
    assert diary == ["cat on loop", "event 1 on loop"]
    assert joined.tensor.values.tolist() == [2, 3, 4, 5]


def test_the_writer_waits_for_the_rows_it_fetches_on_a_stream_of_its_own_and_for_nothing_else(diary):
    rows = [join({"v": Tensor(diary, [step, step + 1])}) for step in range(3)]
    diary.clear()
    found = fetch(rows)
    assert found.tolist() == [[0, 1], [1, 2], [2, 3]]
    assert diary == [
        *(f"side waits for event {row + 1}" for row in range(3)),
        "stack on side",
        "pinned=True",
        "copy, non_blocking=True",
        "event 4 on side",
        "synchronize event 4, blocking=True",
        "read",
    ]


def test_on_the_cpu_what_the_loop_overwrites_afterwards_changes_nothing():
    vector, number = torch.ones(3), torch.tensor(2.0, dtype=torch.float64)
    rows = [join({"v": vector, "mse": number})]
    vector.mul_(5)
    rows.append(join({"v": vector, "mse": number}))
    assert fetch(rows).tolist() == [[1, 1, 1, 2], [5, 5, 5, 2]]


def test_what_is_joined_holds_no_graph():
    weights = torch.ones(3, requires_grad=True)
    assert not join({"v": weights * 2}).tensor.requires_grad
