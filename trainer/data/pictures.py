"""Many picture files -> pixels by name, decoded in parallel.

Knows neither train nor test, nor what the pictures are for.
"""

import os
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from trainer.data.decode import Unreadable, decode
from trainer.data.images import Pixels
from trainer.data.members import Member
from vaemon.errors import UsageError

TASK = 32
"""Pictures a task."""
TASK_BYTES = 4 * 2**20
"""Bytes a task, for a tar's members wait in memory."""
WORKERS = 16
"""Threads at most."""
SMALL = 4096
"""Mean bytes of a task's pictures up to which it is done at once: Pillow lets other threads run only while it
decompresses, which takes so short a time for small pictures that waiting for one another costs more."""
MEMORY_SHARE = 0.4
"""Share of the machine's memory that decoded pictures may fill; joining them takes as much again."""

Found = tuple[str, Pixels | None]
"""A picture's name and its pixels; None where it cannot be read."""


def decode_all(members: Iterable[Member], size: int) -> dict[str, Pixels | None]:
    """Decode every file.

    Args:
        members: the files; at most a few tasks of them are held in memory.
        size: side of the squares to bring them to; 0 leaves them as they are.

    Returns:
        By name, (H, W) or (H, W, 3), all of one H and W; None for a file that is not a readable picture.

    Raises:
        UsageError: with size 0, a picture whose size is not that of the first; or more than fit in memory.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")  # of damaged files, which are counted instead
        return _collected(_decoded(members, size))


def _collected(found: Iterable[Found]) -> dict[str, Pixels | None]:
    decoded: dict[str, Pixels | None] = {}
    room = MEMORY_SHARE * _memory()
    first = ""
    for name, pixels in found:
        decoded[name] = pixels
        if pixels is None:
            continue
        first = first or name
        _refuse_odd(name, pixels, first, decoded[first])
        room -= pixels.nbytes
        if room < 0:
            raise UsageError(
                f"the pictures do not fit in memory ({len(decoded):,} of {_sides(pixels)} read so far); "
                "make them smaller with --set data.size=N"
            )
    return decoded


def _refuse_odd(name: str, pixels: Pixels, first: str, model: Pixels | None) -> None:
    if model is not None and pixels.shape[:2] != model.shape[:2]:
        raise UsageError(
            f"the pictures differ in size: {name} is {_sides(pixels)}, but {first} is {_sides(model)}; "
            "cut and resize all to squares with --set data.size=N"
        )


def _sides(pixels: Pixels) -> str:
    """Width and height, as people name them."""
    return f"{pixels.shape[1]} × {pixels.shape[0]}"


def _decoded(members: Iterable[Member], size: int) -> Iterator[Found]:
    """Task by task; threads are at most a few tasks ahead of the caller."""
    workers = min(WORKERS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    ahead: deque[Future[list[Found]]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
        for task in _tasks(members):
            if sum(member.size for member in task) <= SMALL * len(task):
                yield from _decode_task(task, size)
                continue
            ahead.append(pool.submit(_decode_task, task, size))
            if len(ahead) > 2 * workers:
                yield from ahead.popleft().result()
        while ahead:
            yield from ahead.popleft().result()


def _tasks(members: Iterable[Member]) -> Iterator[list[Member]]:
    task: list[Member] = []
    held = 0
    for member in members:
        task.append(member)
        held += member.size
        if len(task) == TASK or held >= TASK_BYTES:
            yield task
            task, held = [], 0
    if task:
        yield task


def _decode_task(task: list[Member], size: int) -> list[Found]:
    return [(member.name, _pixels(member, size)) for member in task]


def _pixels(member: Member, size: int) -> Pixels | None:
    try:
        return decode(member.read(), size)
    except (Unreadable, OSError):
        return None


def _memory() -> int:
    """Bytes of memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
