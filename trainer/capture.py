"""A step of training as one CUDA graph: a single call launches all its kernels, some hundreds of small ones.

A graph does the same again on the same memory, and nothing of Python's. So whatever changes from one step to the next
is in tensors that are written in place: weights, moments, statistics, what the balance remembers; the batch and the
learning rate are copied into such. Only batch norm counts in Python, and is counted for here.

CUDA wants a few steps taken on the stream that is captured, before it is. They are steps of the training like any
other, and capturing itself runs no kernel; so that nothing has to be put back but those counts.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from trainer import ranks
from trainer.config import Config
from trainer.networks.norm import BatchNorm
from trainer.stages import Stage

Channels = Mapping[str, Tensor | float]
TrainBatch = Callable[[Stage, Tensor], Channels]
Step = Callable[[Tensor], Channels]
Made = TypeVar("Made")

WARM_UP = 3
"""Steps before the one that is captured."""


class Graph(Protocol):
    """What a step is captured by."""

    def warm(self, run: Callable[[], Made]) -> Made:
        """Run as usual, on the stream that is to be captured."""
        ...

    def capture(self, run: Callable[[], Made]) -> Made:
        """Take down what `run` does without doing it; the tensors that it returns get their values from each replay.

        Raises:
            RuntimeError: something in it cannot be captured.
        """
        ...

    def replay(self) -> None:
        """Do what was taken down."""
        ...


class CudaGraph:
    """`torch.cuda.CUDAGraph`, and a stream of its own."""

    def __init__(self, device: torch.device, noise: torch.Generator) -> None:
        """Make an empty one.

        Args:
            device: that everything lies on, a GPU.
            noise: what the steps draw from; each replay moves it on as a step would.
        """
        self._device = device
        with torch.cuda.device(device):
            self._stream = torch.cuda.Stream()
            self._graph = torch.cuda.CUDAGraph()
        self._graph.register_generator_state(noise)

    def warm(self, run: Callable[[], Made]) -> Made:
        """Run on the stream; what comes before and after in the usual one is waited for, by the device."""
        usual = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(usual)
        with torch.cuda.stream(self._stream):
            made = run()
        usual.wait_stream(self._stream)
        return made

    def capture(self, run: Callable[[], Made]) -> Made:
        """Capture; other threads, as the recorder's, may go on using the device meanwhile."""
        usual = torch.cuda.current_stream(self._device)
        try:
            with (
                torch.cuda.device(self._device),
                torch.cuda.graph(self._graph, stream=self._stream, capture_error_mode="thread_local"),
            ):
                return run()
        except BaseException:
            torch.cuda.set_stream(usual)  # torch itself goes back to it only after a capture that succeeds
            raise

    def replay(self) -> None:
        """Launch all of it in the stream that is in force."""
        self._graph.replay()


class CapturedStep:
    """`train_batch`, captured after `WARM_UP` steps. What cannot be captured is told, and goes on as it was."""

    def __init__(self, train_batch: TrainBatch, stage: Stage, *, graph: Graph, say: Callable[[str], None]) -> None:
        """Capture the steps of a stage, whose state must not be replaced from here on, only trained.

        Args:
            train_batch: takes one step.
            stage: that is trained.
            graph: an empty one.
            say: is told where it cannot be captured.
        """
        self._train_batch = train_batch
        self._stage = stage
        self._graph = graph
        self._say = say
        self._norms = [each for each in stage.network.modules() if isinstance(each, BatchNorm)]
        self._before = WARM_UP
        self._failed = False
        self._channels: Channels | None = None
        self._batch = torch.empty(0)
        self._rate = torch.empty(0)
        self._rate_filled = 0.0

    def __call__(self, batch: Tensor) -> Channels:
        """Take a step; of what it returns, the next one overwrites the tensors."""
        if self._channels is None and self._before == 0 and not self._failed:
            self._capture(batch)
        if self._channels is not None:
            return self._replay(batch)
        if self._failed:
            return self._train_batch(self._stage, batch)
        self._before -= 1
        return self._graph.warm(partial(self._train_batch, self._stage, batch))

    def _capture(self, like: Tensor) -> None:
        stage = self._stage
        drawn = stage.noise.get_state()
        counted = [(each.steps, each.values) for each in self._norms]
        self._batch = like.clone()
        self._rate_filled = stage.learning_rate
        # In float32, as the fused Adam wants it: off by 3e-8 of itself at most.
        self._rate = torch.tensor(self._rate_filled, dtype=torch.float32, device=stage.device)
        stage.optimizer.zero_grad(set_to_none=True)  # so that gradients lie in the graph's own memory
        try:
            with _capturable(stage.optimizer, self._rate):
                self._channels = self._graph.capture(partial(self._train_batch, stage, self._batch))
        except RuntimeError as error:
            self._failed = True
            # A generator may take no end of a capture that failed for one.
            stage.noise = torch.Generator(stage.device)
            stage.noise.set_state(drawn)
            self._say(f"the steps of stage {stage.number} cannot be captured ({_cause(error)}); they go one by one")
        finally:
            for norm, (steps, values) in zip(self._norms, counted, strict=True):
                norm.steps, norm.values = steps, values

    def _replay(self, batch: Tensor) -> Channels:
        assert self._channels is not None
        self._batch.copy_(batch)
        if self._rate_filled != self._stage.learning_rate:
            self._rate_filled = self._stage.learning_rate
            self._rate.fill_(self._rate_filled)
        self._graph.replay()
        for norm in self._norms:
            norm.steps += 1
        return self._channels


def how_to_step(
    config: Config, device: torch.device, say: Callable[[str], None]
) -> Callable[[TrainBatch, Stage], Step]:
    """What makes of `train_batch` and a stage the steps that the config asks for.

    Args:
        config: of the run.
        device: to train on.
        say: is told where they cannot be as asked for.
    """
    if not config.graph:
        return partial
    if device.type != "cuda" or ranks.here().count > 1:
        say("graph=true is for a single GPU; steps go one by one")
        return partial
    if config.balance.name == "vampprior":
        say("graph=true is not for balance=vampprior, whose averages a graph would freeze; steps go one by one")
        return partial
    return lambda train_batch, stage: CapturedStep(train_batch, stage, graph=CudaGraph(device, stage.noise), say=say)


@contextmanager
def _capturable(optimizer: torch.optim.Optimizer, rate: Tensor) -> Iterator[None]:
    """Have an optimizer read its learning rate from a tensor; afterwards its settings are what they were."""
    before = [(group["lr"], group["capturable"]) for group in optimizer.param_groups]
    for group in optimizer.param_groups:
        group["lr"], group["capturable"] = rate, True
    try:
        yield
    finally:
        for group, (lr, capturable) in zip(optimizer.param_groups, before, strict=True):
            group["lr"], group["capturable"] = lr, capturable


def _cause(error: BaseException) -> str:
    """The first line of what went wrong first: torch complains of the end of a capture, too."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error).partition("\n")[0] or type(error).__name__
