"""What an analysis leaves out unless it is asked for, and about how long it would take."""

import os
from collections.abc import Collection, Sequence

from analysis.report import Report

IMAGES = 10_000
"""Of every set that is generated, and at most of the test set."""
RATE = 8.0
"""Images a second and core through Inception in float32, as measured on two cores."""


def rest(reports: Sequence[Report], options: Collection[str]) -> str:
    """The line that names what was not asked for, with its time; empty where there is nothing, or no checkpoint.

    Args:
        reports: what was found.
        options: the names of the options that were not given, of which some may be "renormalize" and "fid".
    """
    known = [each for each in reports if each.checkpoint is not None]
    stages = {stage: sum(each.stage == stage for each in known) for stage in (1, 2)}
    told = []
    if "renormalize" in options and stages[2]:
        told.append("--renormalize (seconds)")
    if "fid" in options and known:
        told.append(f"--fid ({_fid_words(*stages.values())})")
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
