"""GPUs: their driver, what torch was built for, and, where that is asked for, what torch finds.

Torch is asked in a process of its own, for it takes seconds, and a broken driver may hang it or end it.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from vaemon.commands.doctor.versions import installed
from vaemon.diagnosis import Diagnosis, failure, fine, warning
from vaemon.interpreter import command

NVIDIA = Path("/proc/driver/nvidia/version")
ROCM = Path("/dev/kfd")
PATIENCE = 120.0
"""Seconds that torch may take."""
OTHER_BUILD = "install the torch of your driver: https://pytorch.org/get-started"


def examine(*, ask_torch: bool) -> Iterator[Diagnosis]:
    """The driver and torch."""
    torch, driver = installed("torch"), find_driver()
    facts = {"torch": torch or None, "driver": driver or None}
    if not torch:
        yield fine("GPU", f"{driver or 'no driver'}; torch is not installed, which only training needs", **facts)
    elif ask_torch:
        click.echo("asking torch …", err=True)
        yield _told(_ask_torch(), facts)
    elif driver and torch.endswith("+cpu"):
        yield warning("GPU", f"{driver}, but torch {torch} is built without", OTHER_BUILD, **facts)
    elif driver:
        yield fine("GPU", f"{driver} · torch {torch}; `vaemon doctor --gpu` asks torch, too", **facts)
    else:
        yield fine("GPU", f"no driver; torch {torch} trains on the CPU", **facts)


def find_driver() -> str:
    """Which driver of GPUs is loaded, in words; "" where none is."""
    try:
        found = re.search(r"Kernel Module .*?(\d+\.[\d.]+)", NVIDIA.read_text(encoding="utf-8"))
        return f"NVIDIA driver {found[1]}" if found else "NVIDIA driver"
    except OSError:
        pass
    if shutil.which("nvidia-smi"):
        return "NVIDIA driver"
    return "ROCm driver" if ROCM.exists() else ""


def _ask_torch() -> dict[str, Any]:
    """What torch says: a list `devices`, or an `error`."""
    try:
        done = subprocess.run(
            command("trainer.gpus"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return dict(json.loads(done.stdout))
    except subprocess.TimeoutExpired:
        return {"error": f"no answer within {PATIENCE:.0f} s"}
    except ValueError:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return {"error": said[-1]}


def _told(answer: dict[str, Any], facts: dict[str, Any]) -> Diagnosis:
    facts = {**facts, **answer}
    if "error" in answer:
        text = f"torch {facts['torch']} does not work: {answer['error']}"
        return failure("GPU", text, "see whether `python -c 'import torch'` works; else install it anew", **facts)
    if answer["devices"]:
        return fine(
            "GPU", "; ".join(f"{each['name']}, {each['memory'] / 2**30:.0f} GiB" for each in answer["devices"]), **facts
        )
    if facts["driver"]:
        text = (
            f"{facts['driver']}, but torch {facts['torch']} (built for {answer['built_for'] or 'the CPU'}) finds no GPU"
        )
        return warning(
            "GPU", text, f"see that `nvidia-smi` and $CUDA_VISIBLE_DEVICES show one; else {OTHER_BUILD}", **facts
        )
    return fine("GPU", f"none; torch {facts['torch']} trains on the CPU", **facts)
