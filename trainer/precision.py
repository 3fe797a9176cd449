"""In which precision a device computes, and whether bfloat16 is worth while on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

_CPU = Path("/proc/cpuinfo")
_WITH_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}
"""Flags of processors (x86 and ARM) that multiply in bfloat16; others emulate it."""


def emulates_bfloat16(device: torch.device) -> bool:
    """Whether the device is known to emulate bfloat16, which takes some 20 times as long as float32."""
    if device.type != "cpu":
        return False
    try:
        words = set(_CPU.read_text(encoding="utf-8", errors="replace").split())
    except OSError:
        return False
    return not words & _WITH_BFLOAT16


@contextmanager
def exactly() -> Iterator[None]:
    """Without gradients, and on a GPU with all digits: else it rounds what it convolves to 10 bits."""
    with torch.no_grad(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield
