"""The file descriptors of segments that this process writes, and what becomes of them in a forked child.

A child of os.fork() inherits HDF5's open files: at its exit HDF5 would write to them, and change a file under its
living writer. So in a child each of these descriptors is pointed at nothing. And a child must not begin while another
thread is inside HDF5: the lock that h5py holds there would stay locked in the child for ever.
"""

import os
import threading
from collections.abc import Callable

PATIENCE = 1.0
"""Seconds that a fork waits for a writer that is inside HDF5; longer where a file system does not answer at all."""

_open: dict[int, Callable[[], object]] = {}
_inherited: list[Callable[[], object]] = []
inside = threading.Lock()
"""Held by a writer's thread while it is inside HDF5."""
_waited: list[bool] = []


def opened(descriptor: int, close: Callable[[], object]) -> None:
    """A segment is being written through this descriptor; `close` has HDF5 let go of it."""
    _open[descriptor] = close


def closed(descriptor: int) -> None:
    """It no longer is."""
    _open.pop(descriptor, None)


def point_nowhere(descriptor: int) -> None:
    """Have whatever is written to the descriptor from now on go nowhere."""
    # Not a file in memory: the limit on file sizes that a write may have failed by would hold for that, too.
    with open(os.devnull, "r+b") as nowhere:
        os.dup2(nowhere.fileno(), descriptor, inheritable=False)


def close_inherited() -> None:
    """In a forked child, have HDF5 let go of its parent's files; one that is open it would not open anew."""
    while _inherited:
        _inherited.pop()()


def _before() -> None:
    _waited.append(inside.acquire(timeout=PATIENCE))


def _in_parent() -> None:
    if _waited.pop():
        inside.release()


def _in_child() -> None:
    global inside
    inside = threading.Lock()
    _waited.clear()
    for descriptor, close in _open.items():
        point_nowhere(descriptor)
        _inherited.append(close)
    _open.clear()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
