"""The memory that a training takes: kept rather than given back between steps; and what to do when it is full."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from trainer.config import Config
from vaemon.errors import OutOfMemory

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""Parameters of glibc's mallopt(3)."""
_MOST = 2**31 - 1


def keep_freed_memory() -> None:
    """Have freed memory of the host stay with this process, where its C library is glibc; elsewhere nothing is done.

    Each step frees what the next allocates again. Given back in between, every page of it is mapped and cleared anew:
    some 9,000 page faults a step of the CIFAR-10 network on the CPU, 36 of 500 ms.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, _MOST)


@contextmanager
def explained_memory(config: Config) -> Iterator[None]:
    """Say what to lower where a device runs out of memory.

    Raises:
        OutOfMemory: it did.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise OutOfMemory(f"the device's memory is full ({_short(error)}); {_advice(config)}") from error


def _advice(config: Config) -> str:
    """What takes memory, the largest part first, and what it may become."""
    ways = [f"stage1.batch={max(1, config.stage1.batch // 2)}"]
    if config.network.name == "resnet":
        ways.append(f"network.base_dim={max(1, config.network.base_dim // 2)}")
    if config.stage2.enabled:
        ways.append(f"stage2.second_dim={max(1, config.stage2.second_dim // 2)}")
    lower = ", ".join(f"--set {each}" for each in ways)
    going_on = " --set precision=bfloat16 or" if config.precision == "float32" else ""
    return f"lower what a new run needs ({lower}), or go on with{going_on} --set device=cpu --resume"


def _short(error: torch.OutOfMemoryError) -> str:
    return str(error).partition("\n")[0].partition(". ")[0]
