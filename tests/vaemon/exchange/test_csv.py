"""CSV: what is read back is what was written, to the last digit."""

import csv
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vaemon.batch import Event
from vaemon.exchange.csv import lines, write_csv, write_events


def text(*blocks):
    return b"".join(lines(blocks)).decode()


def test_names_and_numbers():
    block = {
        "mean_variance": np.array([[1.0, 0.5], [0.1, np.nan]], np.float32),
        "step": np.array([1, 20]),
        "gamma": np.array([0.1, np.inf]),
    }
    assert text(block) == "step,mean_variance[0],mean_variance[1],gamma\n1,1.0,0.5,0.1\n20,0.1,nan,inf\n"


def test_blocks_follow_each_other_under_one_header():
    assert (
        text(*({"step": np.array([i]), "kl": np.array([i / 2])} for i in range(3))) == "step,kl\n0,0.0\n1,0.5\n2,1.0\n"
    )


def test_names_with_commas_and_quotes():
    block = {"step": np.array([1]), 'a,"b"': np.array([2.0])}
    assert next(csv.reader([text(block).splitlines()[0]])) == ["step", 'a,"b"']


def test_no_rows_and_no_blocks():
    assert text({"step": np.zeros(0, np.int64), "kl": np.zeros((0, 2))}) == "step,kl[0],kl[1]\n"
    assert text() == ""


def test_a_block_with_other_columns():
    first, second = ({"step": np.array([1]), name: np.array([1.0])} for name in ("kl", "mse"))
    with pytest.raises(ValueError, match="mse"):
        text(first, second)


def floats(width, *shape):
    return arrays.arrays(f"<f{width // 8}", shape, elements=st.floats(width=width))


@st.composite
def tables(draw):
    latents, parts = draw(st.integers(1, 3)), draw(st.lists(st.integers(0, 5), min_size=1, max_size=3))
    return [
        {
            "step": draw(arrays.arrays(np.int64, n)),
            "loss": draw(floats(64, n)),
            "mean_variance": draw(floats(32, n, latents)),
        }
        for n in parts
    ]


@given(tables())
def test_round_trip(blocks):
    rows = list(csv.reader(text(*blocks).splitlines()))[1:]
    whole = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    assert len(rows) == len(whole["step"])
    for i, (step, loss, *variance) in enumerate(rows):
        assert int(step) == whole["step"][i]
        np.testing.assert_equal(float(loss), whole["loss"][i])
        np.testing.assert_equal(np.array(variance).astype(np.float32), whole["mean_variance"][i])


def test_a_long_table_needs_no_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("vaemon.exchange.csv.AT_ONCE", 1000)

    def blocks():
        for i in range(4):
            yield {"step": np.arange(i * 4000, (i + 1) * 4000), "kl": np.full((4000, 8), np.pi, np.float32)}

    tracemalloc.start()
    try:
        path = write_csv(blocks(), tmp_path / "a.csv")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 1_300_000
    assert most < 700_000


def test_what_the_source_raises_leaves_no_file(tmp_path):
    def blocks():
        yield {"step": np.arange(3)}
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError, match="gone"):
        write_csv(blocks(), tmp_path / "a.csv")
    assert not list(tmp_path.iterdir())


def test_events(tmp_path):
    events = [Event(7, 1.5, 1, "wake", 11), Event(9, 2.25, 1, "note", text='γ, "said"\nover lines')]
    with write_events(events, tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [
            ["step", "time", "stage", "kind", "latent", "text"],
            ["7", "1.5", "1", "wake", "11", ""],
            ["9", "2.25", "1", "note", "-1", 'γ, "said"\nover lines'],
        ]
