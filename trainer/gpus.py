"""`python -m trainer.gpus`: the GPUs that torch finds, as JSON. `vaemon doctor --gpu` starts it."""

import json
from typing import Any

import torch


def found() -> dict[str, Any]:
    """What torch was built for ("" for the CPU alone), and name and memory (bytes) of each GPU that holds a value."""
    devices = []
    for index in range(torch.cuda.device_count()):
        torch.zeros(1, device=f"cuda:{index}").item()
        about = torch.cuda.get_device_properties(index)
        devices.append({"name": about.name, "memory": about.total_memory})
    if torch.backends.mps.is_available():
        devices.append({"name": "Apple GPU", "memory": torch.mps.recommended_max_memory()})
    cuda, rocm = torch.version.cuda, torch.version.hip
    return {"built_for": f"CUDA {cuda}" if cuda else f"ROCm {rocm}" if rocm else "", "devices": devices}


if __name__ == "__main__":
    print(json.dumps(found()))  # noqa: T201  # it is what this program is for
