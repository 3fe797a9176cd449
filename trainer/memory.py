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
OF_A_DEVICE = ("out of memory", "ALLOC_FAILED")
"""What is in the complaints of a GPU's libraries that are no torch.OutOfMemoryError."""
OF_THE_MACHINE = ("can't allocate memory", "not enough memory")
"""What is in those of torch's allocator for the CPU."""

DEVICES, OURS = "the device's", "this machine's"


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
def explained_memory(config: Config, images: int = 0) -> Iterator[None]:
    """Say what to lower where memory runs out.

    Args:
        config: of the run.
        images: bytes of them, where they are brought to the device whole; no smaller batch makes room for them.

    Raises:
        OutOfMemory: it did.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        whose = _full(error)
        if not whose:
            raise
        told = f"{whose} memory is full ({_short(error)})"
        if images and whose == DEVICES:
            raise OutOfMemory(f"{told}; {_advice_on_images(config, images)}") from error
        raise OutOfMemory(f"{told}; {_advice(config, elsewhere=whose == DEVICES)}") from error


def _full(error: RuntimeError | MemoryError) -> str:
    """Whose memory an error says is full; empty where it says something else."""
    if isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in OF_A_DEVICE):
        return DEVICES
    return OURS if isinstance(error, MemoryError) or any(words in str(error) for words in OF_THE_MACHINE) else ""


def _advice(config: Config, elsewhere: bool) -> str:
    """What takes memory, the largest part first, and what it may become; or whether to go on elsewhere."""
    ways = [f"stage1.batch={max(1, config.stage1.batch // 2)}"]
    if config.network.name == "resnet":
        ways.append(f"network.base_dim={max(1, config.network.base_dim // 2)}")
    if config.stage2.enabled:
        ways.append(f"stage2.second_dim={max(1, config.stage2.second_dim // 2)}")
    lower = f"lower what a new run needs ({', '.join(f'--set {each}' for each in ways)})"
    if not elsewhere:
        return f"{lower}, or end what else fills it and go on with --resume"
    half = " --set precision=bfloat16 or" if config.precision == "float32" else ""
    return f"{lower}, or go on with{half} --set device=cpu --resume"


def _advice_on_images(config: Config, size: int) -> str:
    fewer = "" if config.data.size == 0 else f", --set data.size={max(1, config.data.size // 2)}"
    return (
        f"all training images are to lie there, {size / 2**30:.3g} GiB: leave them with the host (--set "
        f"data.place=host), take fewer or smaller ones (--set data.limit=…{fewer}), or --set device=cpu"
    )


def _short(error: RuntimeError | MemoryError) -> str:
    text = str(error).partition("\n")[0]
    text = text.partition("DefaultCPUAllocator: ")[2] or text  # before that stands a line of torch's source
    first, _, second = text.partition(". ")
    size = f", {second.partition('. ')[0]}" if second.startswith("Tried to allocate") else ""
    return f"{first}{size}" if first else type(error).__name__
