"""The processes that work together, each on its share; alone unless `joined`.

Of those that train one network, every rank draws the order and the noise of the whole batch, and takes its own rows of
both: what is trained does not depend on how many ranks there are, but for rounding. Gradients are those of the sum of
all ranks' losses, divided by their number; a mean over the batch that passes through `mean` is thus right in value and
in gradient, and so is one that each rank takes of its own rows alone.

Knows no networks and no runs. A world of one costs a comparison a call.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from trainer.place import Place, place_here
from trainer.signals import ended_by_ctrl_c
from vaemon.errors import RankLost, UsageError, VaemonError

PATIENCE = timedelta(minutes=30)
"""For a rank that does not answer; one that has died is noticed at once."""
CONFER_EVERY = 0.25
"""Seconds between two agreements on whether to stop."""


Made = TypeVar("Made")

_here = Place()
_advice = ""
"""What to do once a rank is lost."""


def here() -> Place:
    """This process among those that work together."""
    return _here


def is_first() -> bool:
    """Whether this process is the one that records and saves; alone, it is."""
    return _here.rank == 0


@contextmanager
def joined(advice: str) -> Iterator[Place]:
    """Meet the other ranks that torchrun has started; a world of one outside.

    Args:
        advice: what to do once a rank is lost, to end the sentence that says so.

    Raises:
        UsageError: the environment does not say which of how many this one is, or where they meet.
        RankLost: another rank died, or did not come.
    """
    global _here, _advice
    place = place_here()
    _advice = advice
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() and dist.is_nccl_available() else "gloo"
    with _told_of_loss(place), ended_by_ctrl_c():
        dist.init_process_group(backend, timeout=PATIENCE)
    _here = place
    try:
        yield place
    except RankLost:
        # What waits on a device for the one that is lost would wait for ever, and with it the writer of the rows.
        if torch.cuda.is_available():
            dist.distributed_c10d._abort_process_group()
        raise
    finally:
        _here = Place()
        if dist.is_initialized():
            dist.destroy_process_group()


@contextmanager
def alone() -> Iterator[None]:
    """Do something as a process alone would, what the others do not do meanwhile."""
    global _here
    place, _here = _here, Place()
    try:
        yield
    finally:
        _here = place


def share(rows: Tensor) -> Tensor:
    """This rank's part of the rows of a batch, (B, ...) to (B / ranks, ...)."""
    if _here.count == 1:
        return rows
    each = len(rows) // _here.count
    return rows[_here.rank * each : (_here.rank + 1) * each]


def normal(like: Tensor, noise: torch.Generator) -> Tensor:
    """ε ~ N(0, I) for this rank's rows, (b, ...), drawn as part of what is drawn for the whole batch."""
    shape = (like.shape[0] * _here.count, *like.shape[1:])
    return share(torch.randn(shape, generator=noise, device=like.device, dtype=like.dtype))


def mean(*parts: Tensor) -> tuple[Tensor, ...]:
    """Means over this rank's rows as means over the whole batch, with their gradients; of any shapes."""
    if _here.count == 1:
        return parts
    total: Tensor = _Sum.apply(torch.cat([part.reshape(-1) for part in parts])) / _here.count
    pieces = total.split([part.numel() for part in parts])
    return tuple(piece.view(part.shape) for piece, part in zip(pieces, parts, strict=True))


def gathered(part: Tensor) -> Tensor:
    """What every rank has, (...) to (ranks, ...), with gradients."""
    # Put together on the device: an index of the host's, copied there, would be waited for.
    zeros = part.new_zeros((_here.count, *part.shape))
    found: Tensor = _Sum.apply(torch.cat((zeros[: _here.rank], part[None], zeros[_here.rank + 1 :])))
    return found


def average_gradients(weights: Iterable[Tensor]) -> None:
    """Make every rank's gradients the mean of all ranks', in one exchange."""
    if _here.count == 1:
        return
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    with _told_of_loss(_here):
        dist.all_reduce(flat)
    flat /= _here.count
    for gradient, piece in zip(gradients, flat.split([each.numel() for each in gradients]), strict=True):
        gradient.copy_(piece.view(gradient.shape))


def from_first(make: Callable[[], Made]) -> Made:
    """What the first rank makes, on all of them.

    Raises:
        VaemonError: `make` does, on the first; the others end without a word.
    """
    if _here.count == 1:
        return make()
    made: list[Any] = [None, 0]
    try:
        if _here.rank == 0:
            made[0] = make()
    except VaemonError as error:
        made[1] = error.exit_code
        raise
    finally:
        with _told_of_loss(_here):
            dist.broadcast_object_list(made)
    if made[1]:
        raise SystemExit(made[1])
    found: Made = made[0]
    return found


def from_all(mine: Made) -> list[Made]:
    """What every rank has, by rank, on all of them."""
    told: list[Any] = [mine] * _here.count
    if _here.count > 1:
        with _told_of_loss(_here):
            dist.all_gather_object(told, mine)
    return told


class Agreed:
    """An answer to "stop?" that all ranks give alike, as long as all ask equally often.

    They confer only now and then: in between, it is what it was.
    """

    def __init__(self, stop: Callable[[], str]) -> None:
        self._stop = stop
        self._answer = ""
        self._left = 1  # asks until they confer
        self._pace = 1
        self._since = time.monotonic()

    def __call__(self) -> str:
        """Why to stop; empty to go on."""
        if self._answer:
            return self._answer
        self._left -= 1
        if self._left == 0:
            self._confer()
        return self._answer

    def _confer(self) -> None:
        now = time.monotonic()
        # The first rank's clock says how many asks take so long; never many more than the last time.
        wanted = int(self._pace * CONFER_EVERY / max(now - self._since, 1e-9))
        self._pace, self._since = max(1, min(wanted, 2 * self._pace)), now
        told = from_all((self._stop(), self._pace))
        self._answer = next((answer for answer, _ in told if answer), "")
        self._pace = self._left = told[0][1]


class _Sum(torch.autograd.Function):
    """The sum over the ranks; a gradient of it is the sum of all ranks' gradients."""

    @staticmethod
    def forward(context: Any, part: Tensor) -> Tensor:
        """(...) to the same shape."""
        return _summed(part)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        """The same of the gradients; itself with a gradient, which a penalty of the Jacobian needs."""
        summed: Tensor = _Sum.apply(gradient)
        return summed


def _summed(part: Tensor) -> Tensor:
    total = part.clone(memory_format=torch.contiguous_format)
    with _told_of_loss(_here):
        dist.all_reduce(total)
    return total


@contextmanager
def _told_of_loss(place: Place) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise RankLost(
            f"another of the {place.count} processes that work together has died or does not answer, as process "
            f"{place.rank} sees it ({reason[:200]}); {_advice}"
        ) from error


def check_batch(batch: int, key: str) -> None:
    """Refuse a batch that the ranks cannot share equally.

    Raises:
        UsageError: it is no multiple of their number.
    """
    if batch % _here.count:
        near = max(1, round(batch / _here.count)) * _here.count
        raise UsageError(f"{key}={batch} cannot be shared equally by {_here.count} processes; --set {key}={near} can")
