"""A run that is recorded at full speed, killed and resumed, on a disk that fills up, watched from here and from afar,
checked and compacted in between; in the end every value is compared with what was told while it was logged.

`make soak MINUTES=60`. VAEMON_SOAK_SEED repeats what a failure names, as far as the clock lets it.
"""

import importlib.util
import os
import random
import shutil
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def _module(path):
    spec = importlib.util.spec_from_file_location(f"soak_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Soak = _module(HERE / "soak.py").Soak
_server = _module(HERE.parent / "far" / "server.py")

MINUTES = float(os.environ.get("VAEMON_SOAK_MINUTES", "60"))


@pytest.fixture
def there(tmp_path, monkeypatch):
    """HOST: of this machine, reached by ssh; empty where there can be no server."""
    if _server.trouble():
        yield ""
        return
    server = _server.Server(tmp_path)
    try:
        server.start()
        if server.refusal():
            yield ""
            return
        server.allow(
            FAR=str(tmp_path), PATH=f"{server.vaemon_there}:{server.tools}", PYTHONPATH=str(_server.REPOSITORY)
        )
        monkeypatch.setenv("VAEMON_SSH", f"ssh -F {server.config}")
        yield "there:"
    finally:
        server.stop()


def soak(seconds, there):
    seed = int(os.environ.get("VAEMON_SOAK_SEED") or random.SystemRandom().randrange(10**9))
    folder = Path(tempfile.mkdtemp(prefix=f"vaemon-soak-{seed}-"))
    work = Soak(folder, seed, there)
    try:
        work.go_on(seconds)
        work.finish()
    except BaseException as error:
        error.add_note(f"VAEMON_SOAK_SEED={seed} repeats it, as far as the clock lets it; all is kept in {folder}")
        raise
    finally:
        work.end()
    print(f"seed {seed}: {work.told()}")
    shutil.rmtree(folder)


def test_some_seconds_of_it(there):
    soak(6, there)


@pytest.mark.soak
@pytest.mark.timeout(MINUTES * 60 + 1800)
def test_as_many_minutes_as_asked_for(there):
    soak(MINUTES * 60, there)
