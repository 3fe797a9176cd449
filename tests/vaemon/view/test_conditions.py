import math
import operator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaemon.errors import UnknownName, UsageError
from vaemon.view.conditions import Comparison, Condition, parse_condition
from vaemon.view.facts import TRUTHS

FACTS = {"active": 32.0, "mse": 0.01, "step": 1000.0, "finished": 0.0, "running": 1.0, "lost nan": math.nan}

words = st.text(st.characters(exclude_characters='"', exclude_categories=["Cs"]), min_size=1).filter(
    lambda word: word not in TRUTHS
)
comparisons = st.builds(
    Comparison,
    words,
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    st.floats(allow_nan=False, allow_infinity=False),
) | st.sampled_from(TRUTHS).map(Comparison)
conditions = st.lists(st.lists(comparisons, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3).map(
    lambda alternatives: Condition(tuple(alternatives))
)


@given(conditions)
def test_what_is_written_is_read_again(condition):
    assert parse_condition(str(condition)) == condition


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("active>=32", True),
        ("active > 32", False),
        ("active=32", True),
        ("active==32", True),
        ("active!=32", False),
        ("mse<=1e-2", True),
        ("mse<.01", False),
        ("step >= 1_000", True),
        ("step>-1", True),
        ("running", True),
        ("finished", False),
        ("finished or running", True),
        ("finished and running", False),
        ("finished and running or step>=1000", True),
        ("step>=1000 or finished and running", True),
        ("running AND step>=1000", True),
        ('"lost nan"<1', False),
        ('"lost nan"!=1', False),
        ("unheard<1", False),
        ("unheard!=1", False),
    ],
)
def test_a_condition_holds_or_does_not(text, holds):
    assert parse_condition(text).holds(FACTS) is holds


@given(st.integers(-5, 5), st.integers(-5, 5), st.sampled_from(["lt", "le", "gt", "ge", "eq", "ne"]))
def test_the_signs_are_those_of_arithmetic(left, right, name):
    sign = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}[name]
    assert parse_condition(f"x{sign}{right}").holds({"x": left}) is getattr(operator, name)(left, right)


@given(st.text(max_size=30))
def test_any_text_is_a_condition_or_a_usage_error(text):
    with suppress(UsageError):
        assert parse_condition(text).holds(FACTS) in (True, False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "at the beginning"),
        ("active", "'active' is no state"),
        ("finish", "did you mean 'finished'?"),
        ("active>=", "'active' is no state, and is compared with no number"),
        ("active>=32 and", "after 'active>=32 and'"),
        ("or running", "at the beginning"),
        ("active>=32 mse<1", "'mse<1' is not understood"),
        ("active>=32x", "'x' is not understood"),
        ("finished>=1", "true or false"),
        ("mse<nan", "compared with no number"),
        (">=3", "at the beginning"),
    ],
)
def test_what_is_none_is_answered_in_words(text, said):
    with pytest.raises(UsageError, match="--until") as raised:
        parse_condition(text, "--until")
    assert said in str(raised.value)


def test_the_reasons_are_the_comparisons_that_make_it_so():
    condition = parse_condition("active>=32 and finished or mse<1 and step>=1000")
    assert [each.name for each in condition.reasons(FACTS)] == ["mse", "step"]


@pytest.mark.parametrize("number", ["1_", "1__0", "1_000_.5", "_1"])
def test_digits_that_make_no_number_are_told(number):
    with pytest.raises(UsageError, match="write it as in"):
        parse_condition(f"step>={number}")
    assert parse_condition("step>=1_000.5").comparisons[0].number == 1000.5


def test_a_name_that_there_is_not_is_told_with_the_nearest():
    condition = parse_condition("activ_>=32")
    with pytest.raises(UnknownName, match=r"--until 'activ_' \(did you mean 'active'\?\)"):
        condition.check(FACTS, "--until")
    parse_condition("active>=32 or mse<1").check(FACTS)
