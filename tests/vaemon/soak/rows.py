"""What is logged in a soak: every value follows from the step and from the life of the writer that logged it.

So each row that anybody ever reads can be told to be right, and whose it is, without a copy of what was written.
"""

import numpy as np

LATENTS = 8
CHANNELS = ("mse", "own", "mean_variance")
_TABLE = np.random.default_rng(0).random((4093, LATENTS), np.float32)


def row_of(step: int, life: int) -> dict[str, object]:
    """What the writer logs."""
    return {
        "mse": ((step * 2654435761 + life * 40503) & 0xFFFFFF) / 2**24,
        "own": step + life / 1024,
        "mean_variance": _TABLE[(step * 31 + life * 1009) % len(_TABLE)],
    }


def columns_of(steps: np.ndarray, lives: np.ndarray) -> dict[str, np.ndarray]:
    """The same of many rows, as they are to be read: steps and lives (n,), whole numbers of 64 bits."""
    return {
        "mse": (((steps * 2654435761 + lives * 40503) & 0xFFFFFF) / 2**24).astype(np.float32),
        "own": steps + lives / 1024,
        "mean_variance": _TABLE[(steps * 31 + lives * 1009) % len(_TABLE)],
    }


def life_of(step: int, own: float) -> int:
    """Which life logged a row, by one of its values."""
    return round((own - step) * 1024)
