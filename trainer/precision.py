"""Whether bfloat16 is worth while on a device."""

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
