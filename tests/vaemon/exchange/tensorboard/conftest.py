"""Event files made by hand, and the command that imports them."""

import numpy as np
import pytest
from click.testing import CliRunner

from vaemon.cli import vaemon
from vaemon.exchange.tensorboard.messages import Event
from vaemon.exchange.tensorboard.records import framed
from vaemon.exchange.tensorboard.tensors import fill


@pytest.fixture(scope="session")
def event():
    """event(step, time, {tag: value}) -> the record of an event; numbers as tf.Summary has them, arrays as tensors."""

    def event(step, time, values, start=False):
        made = Event(wall_time=time, step=step)
        if start:
            made.session_log.status = 1
        for tag, found in values.items():
            value = made.summary.value.add(tag=tag.encode())
            if isinstance(found, np.ndarray):
                fill(value.tensor, found)
            else:
                value.simple_value = found
        return framed(made.SerializeToString())

    return event


@pytest.fixture
def write(tmp_path):
    """write(path, *records) -> the folder `log`, in which an event file holds them."""

    def write(path, *records):
        file = tmp_path / "log" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(framed(Event(file_version=b"brain.Event:2").SerializeToString()) + b"".join(records))
        return tmp_path / "log"

    return write


@pytest.fixture
def bring(runs):
    """bring(*words) -> what `vaemon import tensorboard WORDS` has printed; raises what it raises."""

    def bring(*words):
        done = CliRunner().invoke(vaemon, ["import", "tensorboard", *map(str, words)], standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        return done

    return bring
