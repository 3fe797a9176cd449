"""How the batches of an epoch reach the device: from images that lie there, or streamed from this machine's memory.

Both give the same batches in the same order, so that which of them was taken cannot be told from what was trained.
"""

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from trainer import ranks

Batches = Generator[Tensor, None, None]
Feed = Callable[[Tensor], Batches]
"""Row numbers (n, B) on the CPU to what a stage makes this process's part of each of the n batches of."""

SHARE = 0.5
"""Of the free memory of a GPU, the most that images may take; the rest is for the network and its steps."""
AHEAD = 2
"""Batches that are gathered while the device works on those before."""


def is_streamed(place: str, size: int, device: torch.device) -> bool:
    """Whether images of so many bytes are streamed.

    Args:
        place: data.place. auto streams only where a GPU lacks the room: the memory of a CPU is where they are anyway.
        size: bytes of the images.
        device: where to train.
    """
    if place != "auto" or device.type != "cuda":
        return place == "host"
    free, _ = torch.cuda.mem_get_info(device)
    return size > SHARE * free


def resident(device: torch.device) -> Feed:
    """Give row numbers, on a device where all the rest lies."""

    def feed(rows: Tensor) -> Batches:
        yield from map(ranks.share, rows.to(device, non_blocking=True))

    return feed


def streamed(images: Tensor, device: torch.device) -> Feed:
    """Give the images themselves, bytes (b, H, W, C), on the device; nothing waits for it.

    A thread gathers them, `AHEAD` batches before they are asked for. It is over when the iterator is closed, and what
    goes wrong in it is raised by the iterator.

    Args:
        images: bytes (n, H, W, C) on the CPU; be they mapped from a file.
        device: where to train.
    """
    pinned = device.type == "cuda"  # only from such memory is there a copy that is not waited for

    def feed(rows: Tensor) -> Batches:
        waiting: deque[Future[Tensor]] = deque()
        gathering = ThreadPoolExecutor(1, "images")
        try:
            for each in map(ranks.share, rows):
                # Torch gives such memory to nobody else before what is copied from it has arrived.
                room = torch.empty((len(each), *images.shape[1:]), dtype=torch.uint8, pin_memory=pinned)
                waiting.append(gathering.submit(_gather, images, each, room))
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result().to(device, non_blocking=True)
            while waiting:
                yield waiting.popleft().result().to(device, non_blocking=True)
        finally:
            gathering.shutdown(cancel_futures=True)

    return feed


def _gather(images: Tensor, rows: Tensor, room: Tensor) -> Tensor:
    return torch.index_select(images, 0, rows, out=room)
