"""`vaemon watch HOST:RUN --follow` as a process of its own, over a link that is cut."""

import json
import subprocess
import sys
import time

import pytest

from vaemon.headless.follow import now_of
from vaemon.headless.record import record
from vaemon.source.local import LocalSource


@pytest.fixture
def followed(far, training):
    """`vaemon watch there:live --follow --json`, which has seen the first rows."""
    words = [sys.executable, "-m", "vaemon", "watch", "there:live", "--follow", "--json", "--hz", "10"]
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert json.loads(process.stdout.readline())["rows"] == 50
    yield process
    process.kill()
    process.communicate()


def test_it_goes_on_over_cuts_and_tells_each_row_once(far, training, followed):
    seen = [50]
    for _ in range(3):
        far.cut()
        training.go_on(100)
        while seen[-1] < training.rows:
            seen.append(json.loads(followed.stdout.readline())["rows"])
    training.finish()
    rest, err = followed.communicate(timeout=60)
    last, wanted = json.loads(rest.splitlines()[-1]), record(now_of(LocalSource(far.runs / "live")), time.time())
    assert (followed.returncode, err) == (0, "")
    assert (last["state"], last["rows"]) == ("finished", 350)
    assert (last["events"], last["latents"]) == (wanted["events"], wanted["latents"])
    assert seen == sorted(seen)


def test_nothing_is_left_of_one_that_is_killed(far, followed):
    assert not far.is_empty()
    followed.kill()
    far.until(far.is_empty)
