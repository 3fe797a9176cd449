"""The counts of the latents in one row, at any width and for any number of latents."""

import numpy as np
import pytest

from vaemon.view.state import RunView
from vaemon.watch.render.cells import length, plain
from vaemon.watch.render.palette import DARK
from vaemon.watch.widgets.header import Counts
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture


def row_of(latents, width, units=None):
    states = np.arange(latents, dtype=np.int8) % 4
    units = np.arange(latents) % 2 == 0 if units is None else units
    view = RunView(states=states, inactive=latents // 3, units=units)
    return Counts(Pen(DARK)).rows(Picture(view), width, 1)[0]


@pytest.mark.parametrize(
    ("latents", "width", "ends"),
    [
        (64, 200, "│  inactive (E[σ²] ≥ 0.8): 21  │  active units (Var(μ) > 0.01): 32"),
        (64, 118, "│ inactive (E[σ²] ≥ 0.8): 21 │ active units (Var(μ) > 0.01): 32"),
        (64, 90, "· 16 collapsed │ inactive 21 │ active units 32"),
        (64, 80, "· 16 collapsed │ inactive 21 │ units 32"),
        (512, 80, " ●128 ◐128 ○128 ·128 │ inactive 170 │ units 256"),
        (64, 44, " ●16 ◐16 ○16 ·16 │ inactive 21 │ units 32"),
        (512, 40, "●128◐128○128·128│≥0.8 170│AU 256"),
        (4096, 40, "●1024◐1024○1024·1024│≥0.8 1365│AU 2048"),
    ],
)
def test_both_counts_stand_beside_the_states(latents, width, ends):
    row = row_of(latents, width)
    assert plain(row).rstrip().endswith(ends)
    assert length(row) <= width


def test_a_count_that_is_not_recorded_is_not_made_up():
    assert plain(row_of(64, 120, np.zeros(0, bool))).endswith("active units (Var(μ) > 0.01): –")
