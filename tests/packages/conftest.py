"""The packages, built once, and clean environments that they are installed into."""

import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
CONSTRAINTS = ("--constraint", str(ROOT / "constraints.txt"))
"""What is installed is pinned, torch above all."""


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.packages)
            item.add_marker(pytest.mark.timeout(900))


class Built(NamedTuple):
    """The packages of this checkout."""

    sdist: Path
    wheel: Path
    """Made from the sdist."""
    straight: Path
    """Made from the checkout."""


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    for place, kinds in ((folder / "both", ()), (folder / "straight", ("--wheel",))):
        words = [sys.executable, "-m", "build", "--no-isolation", *kinds, "--outdir", str(place), str(ROOT)]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    (sdist,) = (folder / "both").glob("*.tar.gz")
    (wheel,) = (folder / "both").glob("*.whl")
    (straight,) = (folder / "straight").glob("*.whl")
    return Built(sdist, wheel, straight)


class Environment:
    """A virtual environment without pip, and a home, a working folder and a $PATH of its own."""

    def __init__(self, folder):
        venv.create(folder / "venv", with_pip=False, symlinks=True)
        self.bin = folder / "venv" / "bin"
        self.home = folder / "home"
        self.home.mkdir()

    def install(self, *words):
        done = subprocess.run(
            [*PIP, "--python", str(self.bin / "python"), "install", "--no-compile", *CONSTRAINTS, *words],
            capture_output=True,
            text=True,
            env=_outside(),
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def see_others(self):
        """Let packages be imported from where these tests run, after those of this environment."""
        (purelib,) = self.bin.parent.glob("lib/python*/site-packages")
        others = [each for each in sys.path if Path(each).name == "site-packages"]
        (purelib / "others.pth").write_text("\n".join(others), encoding="utf-8")

    def run(self, *words):
        usual = {"HOME": str(self.home), "PATH": f"{self.bin}:/usr/bin:/bin", "COLUMNS": "100", "LC_ALL": "C.UTF-8"}
        return subprocess.run(
            [str(self.bin / words[0]), *words[1:]],
            capture_output=True,
            text=True,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            env={**_outside(), **usual},
        )

    def says(self, *words):
        """What a command prints that succeeds, and complains of nothing."""
        done = self.run(*words)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    def record(self, name):
        """Record a run, as a training of one's own would."""
        script = self.home / "record.py"
        script.write_text(RECORD, encoding="utf-8")
        self.says("python", str(script), name)


RECORD = """
import sys
from vaemon import Recorder

with Recorder(sys.argv[1], latents=2, total_steps=100) as recorder:
    for step in range(1, 101):
        recorder.log(step, mean_variance=[0.05, 0.99], latent_kl=[2, 0], mse=1 / step)
"""


def _outside():
    """The environment without what leads to this checkout."""
    ours = ("PYTHON", "VAEMON_", "XDG_", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


@pytest.fixture(scope="session")
def light(built, tmp_path_factory):
    """An environment with the wheel, and what it asks for without any extra."""
    made = Environment(tmp_path_factory.mktemp("light"))
    made.install(str(built.wheel))
    return made


@pytest.fixture(scope="session")
def full(built, tmp_path_factory):
    """An environment with the wheel and its train extra; what that asks for is taken from where these tests run."""
    made = Environment(tmp_path_factory.mktemp("full"))
    made.install("--no-deps", str(built.wheel))
    made.see_others()
    # All of it must be there by now, in versions that the package accepts: nothing is fetched.
    made.install("--no-index", "vaemon[train]")
    return made
