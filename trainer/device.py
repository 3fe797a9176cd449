"""The device that a training runs on."""

import torch

from trainer import ranks
from trainer.config import Config
from vaemon.errors import UsageError


def choose_device(config: Config) -> torch.device:
    """The device to train on; sets torch's threads, too.

    Raises:
        UsageError: torch knows no such device, it is not there, or it holds no values.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    name = config.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if ranks.here().count > 1 and name.startswith("cuda"):
        name = _own_gpu(name)
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()  # torch has kinds of device that hold no values, too
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"device={config.device} cannot be used here ({reason}); device=auto takes what is there"
        ) from error
    if ranks.here().count > 1 and device.type == "cuda":
        torch.cuda.set_device(device)
    return device


def _own_gpu(name: str) -> str:
    """The GPU of this process among those of its machine that train together.

    Raises:
        UsageError: there are too few, or one was named for all.
    """
    local, there = ranks.here().local, torch.cuda.device_count()
    if name != "cuda":
        raise UsageError(f"device={name} is one GPU, and {ranks.here().count} processes want one each; use device=auto")
    if local >= there:
        raise UsageError(f"there are more processes on this machine than its {there} GPUs: lower --nproc-per-node")
    return f"cuda:{local}"
