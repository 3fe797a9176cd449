import hashlib
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from trainer.signals import caught_signals


def twice(number):
    for _ in range(2):
        os.kill(os.getpid(), number)
        time.sleep(0.05)  # the system itself makes one of what comes at once


def interrupted_twice_in_a_call_of_c():
    with caught_signals():
        timer = threading.Timer(0.02, twice, [signal.SIGINT])
        timer.start()
        hashlib.sha256(bytes(400_000_000))
        timer.join()
        time.sleep(10.0)


def test_two_signals_that_python_sees_as_one_count_as_two():
    """The training could else not be told from one that was asked once."""
    with pytest.raises(KeyboardInterrupt):
        interrupted_twice_in_a_call_of_c()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.set_wakeup_fd(-1) == -1


def test_signals_of_two_kinds_are_two_first_ones(hangs_up):
    with caught_signals() as caught:
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGINT)
        while len(caught) < 2:
            time.sleep(0.01)
    assert sorted(caught) == [signal.SIGHUP, signal.SIGINT]


def test_nothing_of_it_is_left_afterwards():
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    threads = threading.active_count()
    for _ in range(3):
        with caught_signals():
            pass
    assert threading.active_count() == threads
    assert not before or len(os.listdir("/proc/self/fd")) == before
