"""What to do when a device's memory is full."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from trainer.config import Config
from vaemon.errors import OutOfMemory


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
