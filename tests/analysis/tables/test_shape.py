"""Lines of means and deviations; and the printed tables as the paper has them."""

import math

import pytest

from analysis.spread import Spread
from analysis.tables.kinds import KINDS
from analysis.tables.published import printed, published
from analysis.tables.shape import Entry, Line, in_order, lines_of


def test_lines_gather_entries_of_equal_keys_and_tell_how_many_runs_know_a_value():
    entries = [
        ("a", Entry((1,), (1,), {"mse": 1.0, "REC": 50.0})),
        ("b", Entry((1,), (1,), {"mse": 3.0})),
        ("b", Entry((2,), (2,), {"mse": 0.5, "other": 7.0})),
    ]
    first, second = lines_of(entries, ("REC", "mse"))
    assert (first.keys, first.runs) == ((1,), ("a", "b"))
    assert first.values == {"mse": Spread(2.0, pytest.approx(math.sqrt(2)), 2), "REC": Spread(50.0, None, 1)}
    assert second.values == {"mse": Spread(0.5, None, 1)}


def test_the_runs_stand_before_the_paper_at_each_place():
    lines = [Line((2,), ("b",), {}), Line((1,), ("a",), {}), Line((2,), ("b",), {}, ("run",))]
    assert [(each.place, each.runs) for each in in_order(lines)] == [((1,), ()), ((2,), ("run",)), ((2,), ())]


@pytest.mark.parametrize(("number", "rows"), [(1, 14), (2, 4), (3, 24), (4, 4), (5, 4)])
def test_every_printed_row_is_there_with_its_source(number, rows):
    told = published(number)
    assert len(told.rows) == rows
    assert f"table {number}" in told.source
    assert "10.1109/ACCESS.2020.3034828" in told.source
    kind = KINDS[number]
    places = [kind.of_paper(row, i) for i, row in enumerate(told.rows)]
    assert len(set(places)) == rows
    assert [place for place, _ in places] == sorted(place for place, _ in places)
    assert all(len(keys) == len(kind.headings) for _, keys in places)
    assert all(printed(row, kind.columns) for row in told.rows)


def test_some_printed_figures_by_hand():
    last = printed(published(1).rows[-1], KINDS[1].columns)
    assert last["REC"] == Spread(53.8, 0.9, None)
    assert last["variance_law"] == Spread(0.957, 0.005, None)
    ghosh = printed(published(2).rows[0], KINDS[2].columns)
    assert ghosh["GEN-2"] == Spread(74.2, None, None)
    assert "REC" not in printed(published(4).rows[1], KINDS[4].columns)
    assert printed(published(4).rows[3], KINDS[4].columns)["GEN-2"].mean == 38.6
    assert printed(published(3).rows[19], KINDS[3].columns)["GEN-2"].mean == 57.7
    assert printed(published(5).rows[0], KINDS[5].columns)["inactive"].mean == 13


@pytest.mark.parametrize("number", [1, 2, 5])
def test_the_misprint_is_told_where_it_stands(number):
    assert any("68.8" in note and "69.8" in note for note in published(number).notes)
    gen_2 = {float(row["GEN-2"]) for row in published(number).rows}
    assert gen_2 & ({68.8} if number == 5 else {69.8})
