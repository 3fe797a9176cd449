"""The table of what differs between the configs of runs: how its columns share the room."""

import pytest

from vaemon.watch.widgets.differences import LEAST, shares


@pytest.mark.parametrize(
    ("wanted", "room", "given"),
    [
        ([11, 8, 10], 31, [11, 8, 10]),  # unequal, and all of them fit
        ([11, 20, 10], 31, [10, 11, 10]),  # the widest gives way
        ([7, 28, 28], 47, [7, 20, 20]),
        ([28, 28], 9, [LEAST, LEAST]),
        ([], 30, []),
    ],
)
def test_the_widest_columns_give_way(wanted, room, given):
    assert shares(wanted, room) == given
