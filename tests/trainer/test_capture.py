"""Without a GPU: a stand-in for the graph, which captures without changing anything and replays without Python."""

import contextlib
import copy
from functools import partial
from types import SimpleNamespace

import pytest
import torch

from trainer import capture, ranks
from trainer.capture import WARM_UP, CapturedStep, CudaGraph, how_to_step
from trainer.loop import run_stage, train_batch
from trainer.networks.norm import BatchNorm
from trainer.place import Place

RESNET = ("network=resnet", "network.base_dim=2", "network.num_scale=2", "network.fc_dim=4", "network.l2_up=1e-3")
INFOGAN = ("network=infogan", "network.conv_dim=1")
BALANCES = [
    ("computed",),
    ("learned",),
    ("optimal",),
    ("beta", "balance.beta=.1"),
    ("linear", "balance.gamma=.2", "balance.warm_up=2"),
    ("cyclical", "balance.gamma=.2", "balance.cycles=2"),
    ("free-bits", "balance.gamma=.2", "balance.floor=.1"),
    ("geco", "balance.tolerance=.01"),
    ("rae-l2",),
    ("rae-sn",),
    ("rae-gp",),
    ("wae-mmd",),
    ("vampprior", "balance.gamma=.2", "balance.pseudo_inputs=5"),
]
SETTINGS = [RESNET, INFOGAN, *[(f"balance={name}", *rest) for name, *rest in BALANCES]]
RATES = ("stage1.epochs=3", "stage1.halve_every=1", "stage1.lr=.0009765625")
"""A rate of 2⁻¹⁰: the same in float32, as a graph reads it, and in Python."""


def tensors_of(stage):
    """What a stage is, on the device, by name."""
    found = {f"weight {i}": each.data for i, each in enumerate(stage.weights)}
    found |= {f"network {name}": each for name, each in stage.network.named_buffers()}
    found |= {f"balance {name}": each for name, each in stage.balance.named_buffers()}
    for i, moments in stage.optimizer.state_dict()["state"].items():
        found |= {f"{name} {i}": each for name, each in moments.items()}
    return found


class Replayed:
    """What a CUDA graph does, on the CPU."""

    def __init__(self, stage):
        self.stage = stage
        self.replays = 0

    def warm(self, run):
        return run()

    def capture(self, run):
        before, drawn = {name: each.clone() for name, each in tensors_of(self.stage).items()}, self._state()
        self.rates = [group["lr"] for group in self.stage.optimizer.param_groups]
        assert all(group["capturable"] for group in self.stage.optimizer.param_groups)
        self.made, self.run = run(), run
        for name, each in tensors_of(self.stage).items():
            each.copy_(before[name])
        self.stage.noise.set_state(drawn)
        return self.made

    def replay(self):
        self.replays += 1
        groups = self.stage.optimizer.param_groups
        norms = [each for each in self.stage.network.modules() if isinstance(each, BatchNorm)]
        counts, rates = [each.steps for each in norms], [group["lr"] for group in groups]
        for group, rate in zip(groups, self.rates, strict=True):
            group["lr"] = rate
        made = self.run()
        for norm, steps in zip(norms, counts, strict=True):
            norm.steps = steps
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate
        for name, each in made.items():
            if isinstance(each, torch.Tensor):
                self.made[name].copy_(each)

    def _state(self):
        return self.stage.noise.get_state()


class Refused(Replayed):
    """One that cannot capture, and leaves the generator of no use."""

    def capture(self, run):
        super().capture(run)
        self.stage.noise.manual_seed(9)
        try:
            raise RuntimeError("operation not permitted when stream is capturing\nmore of it")
        except RuntimeError:
            raise RuntimeError("operation failed due to a previous error during capture")  # noqa: B904


class Kept:
    """A recorder, which copies what it is given."""

    first_bad = None
    newest = ()
    folder = "here"

    def __init__(self):
        self.rows = []

    def log(self, step, **values):
        self.rows.append({"step": step} | {name: copy.deepcopy(value) for name, value in values.items()})

    def flush(self):
        return True


def trained(stage, how=partial, stop=lambda: False):
    recorder = Kept()
    shown = SimpleNamespace(show=lambda stage, newest: None)
    run_stage(stage, recorder, save=id, save_every=1e9, evaluate=id, stop=stop, screen=shown, capture=how)
    return recorder.rows


def same(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: settings[0])
def test_captured_steps_train_as_plain_ones_do_bit_for_bit(tiny_stage, settings):
    plain, captured = (tiny_stage(*RATES, *settings, *no_second(settings)) for _ in range(2))
    graph, said = Replayed(captured), []
    rows = trained(captured, partial(CapturedStep, graph=graph, say=said.append))
    assert same(trained(plain), rows)
    assert same(plain.state_dict(), captured.state_dict())
    assert graph.replays == plain.total_steps - WARM_UP
    assert not said


def no_second(settings):
    return ("stage2.enabled=false",) if settings[0].startswith(("balance=rae", "balance=wae", "balance=vamp")) else ()


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: settings[0])
def test_a_step_changes_tensors_where_they_are(tiny_stage, settings):
    """A graph knows of each only its address; what is a plain number in a row is the same in all of them."""
    stage = tiny_stage(*RATES, *settings, *no_second(settings))
    batches = list(stage.batches())
    rows = [train_batch(stage, batches[0])]
    before = {name: each.data_ptr() for name, each in tensors_of(stage).items()}
    assert len(before) > 4
    rows += [train_batch(stage, batch) for batch in batches[1:]]
    assert {name: each.data_ptr() for name, each in tensors_of(stage).items()} == before
    for name, value in rows[0].items():
        if not isinstance(value, torch.Tensor):
            assert [row[name] for row in rows] == [value] * 4


@pytest.mark.parametrize("settings", [(), RESNET], ids=["dense", "resnet"])
def test_what_cannot_be_captured_is_told_and_trained_step_by_step(tiny_stage, settings):
    plain, refused = (tiny_stage(*RATES, *settings) for _ in range(2))
    said = []
    rows = trained(refused, partial(CapturedStep, graph=Refused(refused), say=said.append))
    assert same(trained(plain), rows)
    assert same(plain.state_dict(), refused.state_dict())
    assert said == [
        "the steps of stage 1 cannot be captured (operation not permitted when stream is capturing); they go one by one"
    ]


def test_a_resumed_stage_is_captured_anew(tiny_stage):
    """Stopped after a replay and after a warm-up; the checkpoints are those of plain steps."""
    plain, captured = (tiny_stage(*RATES, *RESNET) for _ in range(2))
    rows, stops = [], [6, 8, 99]
    for stop in stops:
        graph = Replayed(captured)
        rows += trained(
            captured,
            partial(CapturedStep, graph=graph, say=pytest.fail),
            stop=lambda: captured.step >= stop,  # noqa: B023
        )
        resumed = tiny_stage(*RATES, *RESNET)
        resumed.load_state_dict(copy.deepcopy(captured.state_dict()))
        captured = resumed
    assert same(trained(plain), rows)
    assert same(plain.state_dict(), captured.state_dict())


@pytest.mark.parametrize(("device", "count"), [("cpu", 1), ("cuda", 2)])
def test_where_there_is_no_graph_it_is_said(tiny, monkeypatch, device, count):
    monkeypatch.setattr(ranks, "_here", Place(0, count))
    said = []
    assert how_to_step(tiny("graph=true"), torch.device(device), said.append) is partial
    assert said == ["graph=true is for a single GPU; steps go one by one"]
    assert how_to_step(tiny(), torch.device("cuda"), said.append) is partial
    assert len(said) == 1


class Cuda:
    """A stand-in for `torch.cuda`, which notes what it is asked for, in order."""

    def __init__(self, fails):
        self.fails = fails
        self.asked = []
        self.current = self.Stream("usual")

    def Stream(self, name="side"):
        return SimpleNamespace(name=name, wait_stream=lambda other: self.asked.append(f"{name} waits for {other.name}"))

    def CUDAGraph(self):
        def note(what):
            return lambda *given: self.asked.append((what, *given))

        return SimpleNamespace(register_generator_state=note("registered"), replay=note("replayed"))

    def device(self, device):
        return contextlib.nullcontext()

    def current_stream(self, device=None):
        return self.current

    def set_stream(self, stream):
        self.current = stream

    @contextlib.contextmanager
    def stream(self, stream):
        before, self.current = self.current, stream
        yield
        self.current = before

    @contextlib.contextmanager
    def graph(self, graph, stream, capture_error_mode):
        self.asked.append(("captures on", stream.name, capture_error_mode))
        before, self.current = self.current, stream
        yield
        if self.fails:
            raise RuntimeError("operation failed due to a previous error during capture")
        self.current = before


@pytest.mark.parametrize("fails", [False, True])
def test_cuda_is_asked_for_a_graph_in_this_order(monkeypatch, fails):
    cuda, noise = Cuda(fails), torch.Generator()
    monkeypatch.setattr(capture.torch, "cuda", cuda)
    graph = CudaGraph(torch.device("cuda"), noise)
    usual = cuda.current
    assert graph.warm(lambda: cuda.current.name) == "side"
    with pytest.raises(RuntimeError) if fails else contextlib.nullcontext():
        assert graph.capture(lambda: cuda.current.name) == "side"
    assert cuda.current is usual
    graph.replay()
    assert cuda.asked == [
        ("registered", noise),
        *("side waits for usual", "usual waits for side"),
        ("captures on", "side", "thread_local"),
        ("replayed",),
    ]
