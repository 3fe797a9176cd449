"""Many picture files -> pixels, one after another, decoded in parallel.

Knows neither train nor test, nor what the pictures are for.
"""

import logging
import os
import warnings
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from trainer.data.decode import Fit, Unreadable, decode, silent_libtiff
from trainer.data.images import Pixels
from trainer.data.members import Member

TASK = 32
"""Pictures a task."""
TASK_BYTES = 4 * 2**20
"""Bytes a task, for an archive's members wait in memory."""
WORKERS = 16
"""Threads at most."""
SMALL = 4096
"""Mean bytes of a task's pictures up to which it is done at once: Pillow lets other threads run only while it
decompresses, which takes so short a time for small pictures that waiting for one another costs more."""

Found = tuple[str, Pixels | str]
"""A picture's name, and its pixels, (H, W) or (H, W, 3); in words what is wrong where it cannot be read."""


def decode_each(members: Iterable[Member], fit: Fit) -> Generator[Found, None, None]:
    """Decode every file, in the order of `members`.

    Args:
        members: the files; at most a few tasks of them are held in memory.
        fit: the size to bring them to, and how.
    """
    workers = min(WORKERS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    ahead: deque[Future[list[Found]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
    try:
        for task in _tasks(members):
            if sum(member.size for member in task) <= SMALL * len(task):
                yield from (_found(member, fit) for member in task)
                continue
            ahead.append(pool.submit(_decode_task, task, fit))
            if len(ahead) > 2 * workers:
                yield from ahead.popleft().result()
        while ahead:
            yield from ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


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


def _decode_task(task: list[Member], fit: Fit) -> list[Found]:
    return [_found(member, fit) for member in task]


def _found(member: Member, fit: Fit) -> Found:
    try:
        return member.name, decode(member.read(), fit)
    except (Unreadable, OSError) as error:
        return member.name, str(error) or type(error).__name__


@contextmanager
def quietly() -> Iterator[None]:
    """What Pillow, and libtiff below it, say of damaged pictures is not shown within: they are counted instead."""
    logger = logging.getLogger("PIL")
    former = logger.level
    with silent_libtiff(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        logger.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            logger.setLevel(former)
