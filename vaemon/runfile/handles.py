"""The file descriptors of segments that this process writes, and what becomes of them in a forked child.

A child of os.fork() inherits HDF5's open files: at its exit HDF5 would write to them, and change a file under its
living writer. So in a child each of these descriptors is pointed at nothing. And a child must not begin while another
thread is inside HDF5: the lock that h5py holds there would stay locked in the child for ever.
"""

import os
import threading

PATIENCE = 1.0
"""Seconds that a fork waits for a writer that is inside HDF5; longer where a file system does not answer at all."""

_open: set[int] = set()
inside = threading.Lock()
"""Held by a writer's thread while it is inside HDF5."""
_waited: list[bool] = []


def opened(descriptor: int) -> None:
    """A segment is being written through this descriptor."""
    _open.add(descriptor)


def closed(descriptor: int) -> None:
    """It no longer is."""
    _open.discard(descriptor)


def point_nowhere(descriptor: int) -> None:
    """Have whatever is written to the descriptor from now on go nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _before() -> None:
    _waited.append(inside.acquire(timeout=PATIENCE))


def _in_parent() -> None:
    if _waited.pop():
        inside.release()


def _in_child() -> None:
    global inside
    inside = threading.Lock()
    _waited.clear()
    for descriptor in _open:
        point_nowhere(descriptor)
    _open.clear()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
