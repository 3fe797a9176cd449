from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaemon.commands.filter import keys_of, parse_condition, parse_since
from vaemon.commands.summary import size_words
from vaemon.errors import UsageError

CONFIG = {
    "lr": 1e-4,
    "seed": 7,
    "big": 2**60,
    "text": "adam",
    "number": "0.5",
    "date": "2026-11-01",
    "on": True,
    "off": False,
    "none": None,
    "betas": [0.9, 0.999],
    "stage1": {"lr": 3e-4, "opt": {"name": "sgd"}},
    "a.b": 1,
    "a": {"b": 2, "c.d": 3},
}


@pytest.mark.parametrize(
    "text",
    [
        "lr=1e-4",
        "lr = 0.0001",
        "lr==1e-4",
        "lr>=1e-4",
        "lr<1",
        "lr!=1",
        "lr>-1",
        "seed=7.0",
        f"big={2**60}",
        f"big<{2**60 + 1}",
        "text=adam",
        "text='adam'",
        "text!=sgd",
        "text>abc",
        "text!=3",
        "number>0.4",
        "number=.5",
        "date>=2026-10-31",
        "on=true",
        "on=True",
        "off=false",
        "on!=false",
        "none=none",
        "none=null",
        "on!=1",
        "lr!=abc",
        "betas=[0.9, 0.999]",
        "betas!=[1]",
        "stage1.lr>1e-4",
        "stage1.opt.name=sgd",
        "a.b=1",
        "a.c.d=3",
    ],
)
def test_what_holds(text):
    assert parse_condition(text).holds(CONFIG)


@pytest.mark.parametrize(
    "text",
    [
        "lr>1e-4",
        "lr=abc",
        "text>1e-4",
        "text=Adam",
        "text=",
        "none>0",
        "none=",
        "on=1",
        "on=yes",
        "betas>[0]",
        "betas=adam",
        "stage1=3",
        "stage1.lr.x=3",
        "missing=1",
        "missing!=1",
        "stage1.missing!=1",
    ],
)
def test_what_does_not_hold(text):
    assert not parse_condition(text).holds(CONFIG)


@given(st.text())
def test_any_text_is_a_condition_or_a_usage_error(text):
    with suppress(UsageError):
        assert parse_condition(text).holds(CONFIG) in (True, False)


@given(st.floats(allow_nan=False), st.floats(allow_nan=False), st.sampled_from(["<", "<=", ">", ">=", "=", "!="]))
def test_numbers_are_compared_as_numbers(found, asked, sign):
    truth = {"<": found < asked, "<=": found <= asked, ">": found > asked, ">=": found >= asked, "=": found == asked}
    truth["!="] = found != asked
    assert parse_condition(f"x{sign}{asked!r}").holds({"x": found}) is truth[sign]


def test_every_key_is_known_with_its_dots():
    assert {"lr", "stage1", "stage1.lr", "stage1.opt.name", "a.b", "a.c.d"} <= keys_of(CONFIG)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("30min", 1800), ("12h", 43_200), ("1.5 d", 129_600), ("2w", 1_209_600)],
)
def test_an_age_is_counted_from_now(text, seconds):
    assert parse_since(text, now=1e9) == 1e9 - seconds


@given(st.text())
def test_any_text_is_a_time_or_a_usage_error(text):
    with suppress(UsageError):
        assert parse_since(text, now=1e9) < 1e12


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (34_567, "35 kB"), (1.25e9, "1.2 GB"), (3e15, "3000 TB")],
)
def test_sizes_in_words(size, words):
    assert size_words(size) == words
