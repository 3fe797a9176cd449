"""The modules of benchmarks/, which is a folder of scripts and no package."""

import importlib.util
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="session")
def module():
    """module(name): a module of benchmarks/ that imports none of its neighbours."""

    def load(name):
        spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", BENCHMARKS / f"{name}.py")
        made = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = made  # where a dataclass looks for its own annotations
        spec.loader.exec_module(made)
        return made

    return load
