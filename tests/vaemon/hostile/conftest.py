import os
import subprocess
import sys

import pytest

MEMORY = 3 << 30
"""Bytes of address space that a look at hostile files is given: HDF5, NumPy and their libraries take one GB."""


@pytest.fixture(scope="session")
def looked_at():
    """looked_at(*words) -> what `vaemon WORDS` says, in a process of its own that has so much memory and time."""

    def looked_at(*words, seconds=60, **environment):
        limit = f"import resource, sys; resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY})); "
        code = limit + "from vaemon.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, words)],
            capture_output=True,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **environment},
            check=False,
        )
        told = (done.stdout + done.stderr).decode(errors="replace")
        assert "Traceback" not in told, told
        assert done.returncode in (0, 1, 2), (done.returncode, told)
        return told

    return looked_at
