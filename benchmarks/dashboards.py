"""The dashboards that are measured: how each is started, what it writes when it is there, the keys that change it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
LAST_STEP = 50_000


@dataclass(frozen=True)
class Dashboard:
    """One of them."""

    name: str
    command: Callable[[str, Path], list[str]]
    """What to run, given the Python of its environment and the folder that `write.py` wrote to."""
    painted: tuple[str, ...]
    """What is on the screen once header and titles of panels are."""
    whole: tuple[str, ...] = ()
    """What is on the screen once all the data are."""
    kind: str = ""
    """What `write.py` calls its format; empty: it shows no data."""
    keys: tuple[bytes, ...] = ()
    """Keys each of which changes what is on the screen, in this order."""
    spinner: int = 0
    """Bytes of a write, at most, that is no answer: something turns while a run goes on."""
    is_rival: bool = False


VAEMON = Dashboard(
    name="vaemon",
    command=lambda python, data: [python, "-m", "vaemon", "watch", str(data / "bench")],
    painted=("bench", "latents", "gamma", "MSE", "KL"),
    whole=(f"step {LAST_STEP:,}",),
    kind="vaemon",
    keys=(b"j", b"k", b"\t", b"o", b"j", b"L", b"x", b"\t", b"s", b"x"),
)
FLOOR = Dashboard(
    name="empty app",
    command=lambda python, data: [python, str(HERE / "floor.py")],
    painted=("the floor", "quit"),
)
LEET = Dashboard(
    name="W&B LEET",
    command=lambda python, data: [beside(python, "wandb"), "leet", str(data / "wandb" / "latest-run")],
    painted=("Run Overview", "Metrics ", "gamma"),
    whole=("Finished",),
    kind="wandb",
    keys=(b"n", b"N", b"n", b"n", b"N", b"N"),
    spinner=80,
    is_rival=True,
)
TERMINALBOARD = Dashboard(
    name="terminalboard",
    command=lambda python, data: [beside(python, "terminalboard"), "--reset-view", str(data)],
    painted=("terminalboard", "gamma", "loss"),
    whole=("gamma",),
    kind="tensorboard",
    keys=(b"n", b"p", b"o", b"l", b"x", b"+"),
    is_rival=True,
)
ALL = (VAEMON, FLOOR, LEET, TERMINALBOARD)


def beside(python: str, script: str) -> str:
    """A script of the environment of that Python."""
    return str(Path(python).parent / script)


def python_of(dashboard: Dashboard, rivals: Path) -> str:
    """The Python that runs it."""
    return str(rivals / "bin" / "python") if dashboard.is_rival else sys.executable
