"""What is held of a closer look is what a fresh question would give, whatever happened before."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaemon.batch import Columns
from vaemon.decimate import width_for
from vaemon.errors import SourceLost
from vaemon.view.fold import widen
from vaemon.view.state import RunView
from vaemon.watch.asked import COLUMNS, Asked, look_closer

TOTAL, LATENTS = 5000, 3
RNG = np.random.default_rng(0)
ROWS = {
    "step": np.arange(TOTAL) + 1,
    "time": np.arange(TOTAL) * 0.5,
    "epoch": np.arange(TOTAL) // 100,
    "gamma": np.where(RNG.random(TOTAL) < 0.05, np.nan, RNG.random(TOTAL)),
    "mean_variance": RNG.random((TOTAL, LATENTS)),
    "latent_kl": RNG.random((TOTAL, LATENTS)),
}


def view_of(rows, before=None):
    """A view of so many rows, with what was seen closely before."""
    states = np.zeros(LATENTS, np.int8)
    return replace(before or RunView(), stage=1, rows=rows, states=states)


@st.composite
def steps(draw):
    """The rows there are, a window or none, a latent or none: one after the other."""
    told = []
    for _ in range(draw(st.integers(1, 8))):
        rows = draw(st.one_of(st.integers(0, TOTAL), st.integers(0, 40)))
        size = 1 << draw(st.integers(4, 12))
        grid = max(size // COLUMNS, 1)
        first = draw(st.integers(0, TOTAL)) // grid * grid
        window = draw(st.sampled_from([None, (first, first + size), (0, 64), (1024, 2048)]))
        told.append((rows, Asked(1, window, draw(st.sampled_from([None, 0, 2])))))
    return told


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), steps())
def test_what_is_held_is_what_a_fresh_question_gives(fake, data, told):
    # The source has rows that the view has not: of a run that grows, or is replayed.
    source = fake.Source(SimpleNamespace(number=1, rows=ROWS, steps=TOTAL, events=[]), shown={1: TOTAL})
    view = RunView()
    for rows, asked in told:
        source.shown[1] = data.draw(st.sampled_from([rows, TOTAL]))
        view = look_closer(view_of(rows, view), asked, source.excerpt)
        first, last = asked.window or (0, rows)
        if asked.window is not None and rows:
            check(view.near, first, min(last, rows), last - first, lambda name: ROWS[name])
        elif rows:
            assert view.near is None
        if asked.latent is not None and rows:
            one = asked.latent
            assert view.portrait.latent == one
            check(view.portrait.columns, first, min(last, rows), last - first, lambda name, one=one: ROWS[name][:, one])


def check(held, first, last, sought, rows_of):
    width = width_for(max(sought, 1), COLUMNS)
    end = max(last // width * width, first)
    if end == first:
        assert not len(held)
        return
    held = widen(held, width)
    assert (held.first * width, held.width, held.rows) == (first, width, end)
    np.testing.assert_array_equal(held.step, np.arange(first + width, end + 1, width))
    for name, column in held.mean.items():
        exact = rows_of(name)[first:end].reshape(-1, width, *column.shape[1:])
        known = np.isfinite(exact).sum(axis=1)
        mean = np.nansum(exact, axis=1) / np.where(known, known, np.nan)
        np.testing.assert_allclose(column, mean, rtol=1e-6)


def test_only_what_is_new_is_asked_for(fake):
    source = fake.Source(SimpleNamespace(number=1, rows=ROWS, steps=TOTAL, events=[]), shown={1: TOTAL})
    asked = []

    def ask(excerpt):
        asked.append((excerpt.first, excerpt.last))
        return source.excerpt(excerpt)

    view = RunView()
    for rows in (300, 300, 400, 700):
        view = look_closer(view_of(rows, view), Asked(1, (256, 512)), ask)
    assert asked == [(256, 300), (300, 400), (400, 512)]


@pytest.mark.parametrize("asked", [Asked(), Asked(1, (0, 64)), Asked(1, None, 1)])
def test_of_a_run_without_rows_nothing_is_asked(asked):
    def ask(excerpt):
        raise AssertionError(excerpt)

    view = RunView()
    assert look_closer(view, asked, ask) is view
    assert look_closer(view_of(5), Asked(1, None, LATENTS), ask).portrait is None


@pytest.mark.parametrize(
    ("latent", "values"), [(None, np.zeros((64, 4))), (None, np.zeros((64, 3, 2))), (1, np.zeros((64, 3)))]
)
def test_an_answer_with_other_latents_is_refused(latent, values):
    columns = Columns(step=np.arange(64), mean={"mean_variance": values})
    with pytest.raises(SourceLost, match="number of latents"):
        look_closer(view_of(64), Asked(1, (0, 64) if latent is None else None, latent), lambda asked: columns)
