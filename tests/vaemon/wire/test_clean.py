"""Text of strangers cannot command a terminal."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaemon.batch import Event, RunInfo, RunState
from vaemon.wire.clean import clean
from vaemon.wire.questions import Answer, Refusal

WILD = st.text(st.characters(exclude_categories=[]), max_size=20)
DEEP = st.recursive(
    WILD | st.integers() | st.none() | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(WILD, inner, max_size=3) | st.lists(inner, max_size=3).map(tuple)
    ),
)


def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from texts(key)
            yield from texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts(each)


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("\x1b[2J\x1b]0;title\x07", "\ufffd[2J\ufffd]0;title\ufffd"),
        ("\x9b31m", "\ufffd31m"),
        ("a\tb\nc\rd\x0be\u2028f\u3000g\xa0h", "a b c d e f g h"),
        ("run\u202e24nur\u2066\u2069", "run\ufffd24nur\ufffd\ufffd"),
        ("\ud800\udcff\x00\x7f", "\ufffd\ufffd\ufffd\ufffd"),
        ("zero\u200bwidth\ufeff\u200d", "zero\ufffdwidth\ufffd\ufffd"),
        ("\U000e0041\ue000", "\ufffd\ufffd"),
        ("naïve σ² 漢字 🎉 é", "naïve σ² 漢字 🎉 é"),
        ("", ""),
    ],
)
def test_what_a_terminal_would_obey_is_replaced(text, harmless):
    assert clean(text) == harmless
    assert clean({text: [({"k": text},)]}) == {harmless: [({"k": harmless},)]}
    assert clean(Event(1, 2.0, 1, "note", -1, text)) == Event(1, 2.0, 1, "note", -1, harmless)
    info = clean(RunInfo(text, "", RunState.FAILED, config={"a": [{"b": text}]}))
    assert (info.name, info.config, info.state) == (harmless, {"a": [{"b": harmless}]}, RunState.FAILED)
    assert clean(Answer(1, refusal=Refusal("SourceLost", text))).refusal.text == harmless


@settings(max_examples=80, deadline=None)
@given(DEEP)
def test_no_text_at_any_depth_has_anything_but_characters_for_print(value):
    for text in texts(clean(value)):
        assert not {unicodedata.category(c) for c in text} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@settings(max_examples=80, deadline=None)
@given(DEEP)
def test_cleaned_twice_is_cleaned_once(value):
    once = clean(value)
    assert clean(once) is once


@settings(max_examples=80, deadline=None)
@given(WILD)
def test_every_other_character_stays_in_its_place(text):
    cleaned = clean(text)
    assert len(cleaned) == len(text)
    assert all(a == b for a, b in zip(text, cleaned, strict=True) if a.isprintable())


def test_what_is_harmless_is_handed_back_itself():
    for value in ("run", ["a", ("b", {"c": 1.5})], Event(1, 0.0, 1, "note"), RunState.FAILED, 3, None, b"\x1b"):
        assert clean(value) is value
