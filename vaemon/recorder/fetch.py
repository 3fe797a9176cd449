"""Tensors of a step: joined on their own device by the loop, fetched a block of steps at a time by the writer.

Joining copies them (the loop may overwrite its tensors) and leaves one transfer for a whole block. The loop never
waits for a device. The writer waits for just what it fetches, on a stream of its own, so that nothing is put into the
loop's queue and nothing that was queued after a row holds that row up.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vaemon.channels import CHANNELS

Array = npt.NDArray[Any]

WIDE = ("torch.float64", "torch.int64", "torch.int32")


class Joined(NamedTuple):
    """The tensors of one step, one after the other."""

    tensor: Any
    """1-D, float32 or (see `is_wide`) float64, on their device."""
    ready: Any
    """A CUDA event: the tensor is there when it has passed; None where the device needs none."""


def join(tensors: Mapping[str, Any]) -> Joined:
    """Copy the tensors of a step into one, on their device (the first that is not the CPU, where they differ)."""
    torch = sys.modules["torch"]
    found = list(tensors.values())
    home = next((tensor.device for tensor in found if tensor.device.type != "cpu"), found[0].device)
    with torch.no_grad():
        there = [each if each.device == home else each.to(home, non_blocking=True) for each in found]
        dtype = torch.float64 if any(is_wide(*each) for each in tensors.items()) else torch.float32
        joined = torch.cat([(each if each.dim() else each.reshape(1)).to(dtype) for each in there])
    return Joined(joined, mark(joined))


def is_wide(name: str, tensor: Any) -> bool:
    """Whether a tensor is a number of the loop's own in more digits than float32 has: a count of tokens, say."""
    return not tensor.dim() and name not in CHANNELS and str(tensor.dtype) in WIDE


def mark(tensor: Any) -> Any:
    """What tells the writer that a tensor is there: a CUDA event; None where the device needs none."""
    if not tensor.is_cuda:
        return None
    # The loop's own stream may be any; the event is what the writer's stream waits for.
    cuda = sys.modules["torch"].cuda
    ready = cuda.Event()
    ready.record(cuda.current_stream(tensor.device))
    return ready


def fetch(rows: Sequence[Joined]) -> Array:
    """The joined tensors of some steps, of equal lengths, (n, values). Waits for the device."""
    torch = sys.modules["torch"]
    if rows[0].ready is None:
        return np.asarray(torch.stack([row.tensor for row in rows]).cpu().numpy())
    with torch.cuda.device(rows[0].tensor.device), torch.cuda.stream(_stream(rows[0].tensor.device)):
        stream = torch.cuda.current_stream()
        for row in rows:
            stream.wait_event(row.ready)
        block = torch.stack([row.tensor for row in rows])
        host = torch.empty(block.shape, dtype=block.dtype, pin_memory=True)
        host.copy_(block, non_blocking=True)
        # Blocking: the writer sleeps meanwhile instead of spinning on a core that the loop may want.
        done = torch.cuda.Event(blocking=True)
        done.record(stream)
    # The rows are held by the caller until here, so their memory is not given to others before it is read.
    done.synchronize()
    return np.array(host.numpy())


_streams: dict[Any, Any] = {}


def _stream(device: Any) -> Any:
    if device not in _streams:
        _streams[device] = sys.modules["torch"].cuda.Stream(device)
    return _streams[device]
