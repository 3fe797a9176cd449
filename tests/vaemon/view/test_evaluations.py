import math

from vaemon.batch import Event, StageInfo
from vaemon.evaluations import Evaluation, to_events
from vaemon.view.chronicle import chronicle
from vaemon.view.evaluations import brief, table


def evaluated(*rows):
    return [event for stage, step, values in rows for event in to_events(stage, step, float(step), values)]


def test_columns_are_the_papers_first_then_the_others_as_they_came():
    told = table(evaluated((1, 10, {"own": 1.0, "inactive": 3}), (1, 20, {"mse": 0.1, "REC": 40.0, "GEN-1": 90.5})))
    assert told.columns == ("REC", "GEN-1", "mse", "inactive", "own")
    assert [[cell.text for cell in row.cells] for row in told.rows] == [
        ["–", "–", "–", "3", "1"],
        ["40", "90.50", "0.1000", "–", "–"],
    ]


def test_epochs_follow_from_the_stage_or_are_told():
    events = evaluated((1, 400, {"mse": 1.0}), (1, 600, {"mse": 1.0}), (2, 5, {"mse": 1.0}), (2, 9, {"epoch": 7}))
    told = table(events, (StageInfo(1, 4, steps_per_epoch=400), StageInfo(2, 4)))
    assert [row.epoch for row in told.rows] == ["1", "1.5", "–", "7"]
    assert told.columns == ("mse",)


def test_the_best_of_each_column_is_that_of_its_stage():
    rows = [
        (1, 1, {"mse": 0.3, "variance_law": 1.2, "active_units": 4, "GEN-1": 90.0, "own": 1.0}),
        (1, 2, {"mse": 0.1, "variance_law": 0.9, "active_units": 9, "GEN-1": 80.0, "own": 2.0}),
        (1, 3, {"mse": math.nan, "variance_law": 0.5, "active_units": 2, "GEN-1": 85.0, "own": 3.0}),
        (2, 1, {"mse": 0.01, "variance_law": 1.0}),
    ]
    told = table(evaluated(*rows))
    best = [{told.columns[i] for i, cell in enumerate(row.cells) if cell.best} for row in told.rows]
    assert best == [set(), {"mse", "variance_law", "active_units", "GEN-1"}, set(), set()]


def test_no_evaluations_are_an_empty_table():
    assert table([]).rows == ()


def test_one_in_brief():
    values = {"a": 1.5, "inactive": 17.0, "variance_law": 1.02, "mse": 0.0123, "b": 2.0}
    assert brief(Evaluation(1, 5, 0.0, values)) == "mse 0.0123 · variance law 1.020 · inactive 17 · a 1.500 …"


def test_the_chronicle_tells_each_evaluation_in_one_line():
    many = {f"value{i}": i / 7 for i in range(60)}
    strange = Event(5, 0.0, 1, "evaluation", text="much better")
    lines = chronicle([strange, *evaluated((1, 10, {"mse": 0.5}), (1, 20, many))])
    assert [(line.step, line.kind, line.text) for line in lines] == [
        (20, "evaluation", "evaluation: value0 0 · value1 0.1429 · value2 0.2857 · value3 0.4286 …"),
        (10, "evaluation", "evaluation: mse 0.5000"),
        (5, "evaluation", "evaluation"),
    ]
