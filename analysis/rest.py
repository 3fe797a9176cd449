"""What an analysis leaves out unless it is asked for, and about how long it would take."""

import os
from collections.abc import Sequence

from analysis.alone import IMAGES
from analysis.report import Report

RATE = 8.0
"""Images a second and core through Inception in float32, as measured on two cores."""


def rest(reports: Sequence[Report]) -> str:
    """The line that names what was not asked for, with its time; empty where there is no checkpoint.

    Both are answers of their own: whoever has these reports has asked for neither.
    """
    first, second = (sum(each.checkpoint is not None and each.stage == stage for each in reports) for stage in (1, 2))
    told = ["--renormalize (seconds)"] if second else []
    if first or second:
        told.append(f"--fid ({_fid_words(first, second)})")
    return f"Not computed: {', '.join(told)}." if told else ""


def _fid_words(first: int, second: int) -> str:
    # Test images, reconstructions and first-stage samples; second-stage samples as they are and renormalised.
    images = IMAGES * (3 * max(first, second) + 2 * second)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    where = f"{cores} core{'s' if cores > 1 else ''}"
    return f"{images:,} images through Inception: about {_duration(images / (RATE * cores))} on {where}, less on a GPU"


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    return f"{minutes:.0f} minutes" if minutes < 90 else f"{minutes / 60:.0f} hours"
