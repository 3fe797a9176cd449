import pytest

from vaemon.view.config import differences, flat


def test_nested_keys_have_dots_and_values_are_as_they_were():
    config = {"stage1": {"lr": 1e-3, "sizes": [1, 2], "deep": {}}, "name": "x", "on": True, "none": None, "whole": 2.0}
    assert flat(config) == {
        "stage1.lr": 1e-3,
        "stage1.sizes": [1, 2],
        "stage1.deep": {},
        "name": "x",
        "on": True,
        "none": None,
        "whole": 2.0,
    }


@pytest.mark.parametrize(
    ("value", "words"),
    [(1e-3, "0.001"), ([1, 2], "[1, 2]"), ({}, "{}"), ("x", "x"), (True, "true"), (None, "null"), (2.0, "2")],
)
def test_what_differs_is_told_in_words(value, words):
    assert differences([{"a": {"b": value}}, {"a": {"b": "other"}}]) == [("a.b", (words, "other"))]


def test_only_what_differs_is_told_in_the_order_of_the_first():
    configs = [{"b": 1, "a": {"x": 1}, "same": 3}, {"a": {"x": 2}, "b": 1, "same": 3, "more": 0}, {"b": 1, "same": 3.0}]
    assert differences(configs) == [("a.x", ("1", "2", "–")), ("more", ("–", "0", "–"))]


def test_one_run_differs_from_none():
    assert differences([{"a": 1}]) == []
    assert differences([]) == []
