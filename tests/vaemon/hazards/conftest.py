"""Children that may hang, crash and be killed, for the tests that make them do so."""

import pytest


@pytest.fixture
def forks(fork_server):
    """start(job, **arguments) -> a child; call(job, **arguments) -> what the job returns. See tests/forks.py."""
    yield fork_server
    fork_server.end_children()
