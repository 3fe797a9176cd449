"""The benchmarks that `make bench` runs, in the order of the page: their options in full and in short, their time."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Script:
    """One of them: benchmarks/NAME.py, and the part NAME of the page."""

    name: str
    minutes: tuple[float, float]
    """About what it takes on two cores, in full and in short, without peers."""
    full: tuple[str, ...] = ()
    short: tuple[str, ...] = ()
    peers: Literal["around", "beside"] | None = None
    """Where peers are installed: whether it runs in their environment, or in its own and is told where theirs is."""


SCRIPTS = (
    Script("recorder", (3, 1), ("--long", "--device", "auto"), ("--steps", "2000", "--device", "auto"), peers="around"),
    Script("encoder", (1, 0.3), (), ("--rounds", "20")),
    Script("reader", (3, 1), ("--long",)),
    Script("training", (4, 1), ("--rounds", "3"), ("--rounds", "1")),
    Script("dashboard", (5, 2), (), ("--quick",), peers="beside"),
    Script("remote", (3, 1.5), (), ("--quick",)),
    Script("trainers", (3, 1), ("--steps", "3"), ("--rounds", "2", "--steps", "2"), peers="around"),
    Script("decoding", (1, 0.5), ("--pictures", "3300"), ("--pictures", "1500", "--rounds", "3")),
    Script("features", (1, 0.5), (), ("--images", "8", "--rounds", "1"), peers="around"),
    Script("fid", (4, 2), ("--rounds", "2"), ("--rounds", "1")),
)
