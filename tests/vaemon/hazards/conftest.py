"""Children that may hang, crash and be killed, for the tests that make them do so."""

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("forks", Path(__file__).with_name("forks.py"))
_forks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_forks)


@pytest.fixture(scope="session")
def fork_server(tmp_path_factory):
    server = _forks.ForkServer(tmp_path_factory.mktemp("forks") / "stderr")
    yield server
    server.close()


@pytest.fixture
def forks(fork_server):
    """start(job, **arguments) -> a child; call(job, **arguments) -> what the job returns. See forks.py."""
    yield fork_server
    fork_server.end_children()
