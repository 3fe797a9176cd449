import numpy as np
import pytest

from vaemon.watch.render.axis import Scale
from vaemon.watch.render.braille import ASCII, BRAILLE, line
from vaemon.watch.render.margins import row_of, tick_labels


@pytest.mark.parametrize("dots", [BRAILLE, ASCII])
@pytest.mark.parametrize("height", [1, 2, 7, 30])
def test_a_label_stands_in_the_cell_of_its_line(height, dots):
    for place in np.linspace(0, 1, 41):
        rows = np.flatnonzero(line(np.array([place]), height, 1, dots).any(axis=1))
        assert row_of(float(place), height, dots) == rows[0] // dots.down


def test_outside_there_is_no_row():
    assert row_of(1.2, 5, BRAILLE) == row_of(-0.1, 5, BRAILLE) == row_of(float("nan"), 5, BRAILLE) == -1


def test_the_first_ticks_come_first_and_none_beside_another():
    labels = tick_labels(Scale(0.0, 1.0), 5, ASCII, [0.8, 1.0, 0.5, 0.0])
    assert labels == {1: "0.8", 4: "0"} or labels == {1: "0.8", 3: "0.5"}
