import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaemon import Recorder, open_run
from vaemon.batch import Event
from vaemon.evaluations import MOST_BYTES, evaluations, of_event, to_events, to_texts

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=18)


@settings(deadline=None)
@given(st.dictionaries(NAMES, st.floats(allow_nan=False), max_size=40))
def test_values_come_back_from_texts_that_fit_an_event(values):
    texts = to_texts(values)
    assert all(len(text.encode()) <= MOST_BYTES for text in texts)
    found = {}
    for text in texts:
        found |= of_event(Event(1, 0.0, 1, "evaluation", text=text))
    assert found == values


def test_few_values_are_one_event_and_nan_is_kept():
    (text,) = to_texts({"mse": 0.0123, "inactive": 17.0, "REC": math.nan})
    assert json.loads(text)["inactive"] == 17
    assert math.isnan(of_event(Event(1, 0.0, 1, "evaluation", text=text))["REC"])


@pytest.mark.parametrize("name", ["", "x" * 121, "é" * 61])
def test_a_name_that_no_event_can_hold_is_refused(name):
    with pytest.raises(ValueError, match="empty or longer"):
        to_texts({name: 1.0})


@pytest.mark.parametrize("text", ["", "hello", "[1, 2]", '{"a": "b"}', "{" * 100_000, '{"a": 1' + "0" * 400 + "}"])
def test_a_text_that_is_no_evaluation_has_no_values(text):
    assert of_event(Event(1, 0.0, 1, "evaluation", text=text)) == {}


def test_events_of_one_step_are_one_row_the_later_value_counts():
    many = {f"value{i}": i / 7 for i in range(60)}
    events = [
        *to_events(2, 5, 1.0, {"mse": 2.0}),
        *to_events(1, 90, 0.0, many),
        *to_events(2, 5, 3.0, {"mse": 1.0, "a": 0.0}),
    ]
    first, second = evaluations([*events, Event(5, 0.0, 2, "note", text='{"mse": 9}')])
    assert (first.stage, first.step, first.values) == (1, 90, many)
    assert (second.stage, second.step, second.time, second.values) == (2, 5, 3.0, {"mse": 1.0, "a": 0.0})


def test_a_loop_records_them_and_a_reader_has_them(runs):
    with Recorder("r") as recorder:
        recorder.log(1, mse=1.0)
        recorder.evaluation(mse=torch.tensor(0.5), inactive=np.int64(3), left_out=None)
        recorder.log(2, mse=1.0)
        recorder.evaluation(step=2, **{"GEN-1": 81.5})
        recorder.evaluation(mse="much")
        recorder.evaluation(mse=1.0, step=-3)
    with open_run("r") as run:
        assert [(each.step, each.values) for each in run.evaluations()] == [
            (1, {"mse": 0.5, "inactive": 3.0}),
            (2, {"GEN-1": 81.5}),
        ]
        assert sum(event.kind == "error" for event in run.events()) == 2


def test_a_resumed_run_replaces_the_evaluations_of_the_steps_it_replaces(runs):
    for first, last, options in ((1, 30, {}), (11, 20, {"resume": True})):
        with Recorder("r", **options) as recorder:
            for step in range(first, last + 1):
                recorder.log(step, mse=1.0)
                if step % 10 == 0:
                    recorder.evaluation(mse=float(first))
    with open_run("r") as run:
        assert [(each.step, each.values["mse"]) for each in run.evaluations()] == [(10, 1.0), (20, 11.0)]
