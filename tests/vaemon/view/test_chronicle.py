from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vaemon import Recorder
from vaemon.batch import Cursor, Event, Want
from vaemon.evaluations import EVALUATION, evaluations
from vaemon.source.local import LocalSource
from vaemon.view import chronicle as chronicle_module
from vaemon.view.chronicle import CHECKPOINT, FLICKER, Chronicle, chronicle
from vaemon.view.evaluations import brief
from vaemon.view.fold import fold
from vaemon.view.state import RunView


def event(step, kind="wake", latent=-1, text="", stage=1):
    return Event(step, float(step), stage, kind, latent, text)


def test_the_newest_comes_first():
    lines = chronicle([event(1, "stage"), event(40, latent=17), event(90, "sleep", latent=3)])
    assert [(line.step, line.text) for line in lines] == [
        (90, "z3 fell asleep"),
        (40, "z17 woke"),
        (1, "stage 1 begins"),
    ]


def test_a_latent_that_flickers_is_told_once():
    flicker = [event(10 * i, "wake" if i % 2 else "sleep", latent=5) for i in range(1, 8)]
    lines = chronicle([*flicker, event(33, latent=2)])
    assert [line.text for line in lines] == ["z5 flickers: 4 wakes since step 10, awake", "z2 woke"]
    assert lines[0].step == 70


def test_a_wake_stands_where_it_happened_though_it_is_recorded_later():
    lines = chronicle(
        [event(1, "stage"), event(140, "note", text="a"), event(118, latent=3), event(1, "stage", stage=2)]
    )
    assert [(line.stage, line.step) for line in lines] == [(2, 1), (1, 140), (1, 118), (1, 1)]


def test_the_checkpoints_of_a_stage_are_one_line():
    saves = [event(step, "checkpoint", text="s.pt", stage=stage) for stage in (1, 2) for step in (10, 20, 30)]
    lines = chronicle([*saves, event(25, latent=1)])
    assert [(line.stage, line.step, line.text) for line in lines] == [
        (2, 30, "checkpoint: s.pt, the newest of 3"),
        (1, 30, "checkpoint: s.pt, the newest of 3"),
        (1, 25, "z1 woke"),
    ]
    assert [line.text for line in chronicle(saves[:1])] == ["checkpoint: s.pt"]


def test_what_was_found_while_reading_comes_last():
    damage = Event(0, 0.0, 0, "error", text="segment 3 is damaged")
    assert chronicle([event(50, latent=1), damage])[0].kind == "error"


def test_two_passages_are_no_flicker():
    lines = chronicle([event(10, "wake", 5), event(20, "sleep", 5)])
    assert [line.text for line in lines] == ["z5 fell asleep", "z5 woke"]


def test_stages_are_told_apart():
    passages = [event(10, "wake", 5), event(20, "sleep", 5), event(10, "wake", 5, stage=2)]
    assert len(chronicle(passages)) == 3


def test_what_else_happens():
    lines = chronicle(
        [
            event(5, "checkpoint", text="step-5.pt"),
            event(6, "nan", text="mse"),
            event(7, "note", text="warm-up ends"),
            event(8, "stop"),
            event(9, "unheard-of"),
            event(9, "stage", text="second stage", stage=2),
        ]
    )
    assert [line.text for line in reversed(lines)] == [
        "checkpoint: step-5.pt",
        "not finite: mse",
        "warm-up ends",
        "stopped",
        "unheard-of",
        "second stage",
    ]


def test_nothing_has_happened():
    assert chronicle([]) == []


@given(
    st.lists(
        st.tuples(st.sampled_from(["wake", "sleep", "note", "collapse"]), st.integers(0, 2), st.integers(1, 2)),
        max_size=40,
    )
)
def test_every_passage_is_told_once_alone_or_in_a_count(kinds):
    told = [
        event(step, kind, latent if kind in ("wake", "sleep") else -1, stage=stage)
        for step, (kind, latent, stage) in enumerate(kinds)
    ]
    lines = chronicle(told)
    for latent, stage in product(range(3), (1, 2)):
        own = [e for e in told if (e.latent, e.stage) == (latent, stage)]
        mine = [line for line in lines if (line.latent, line.stage) == (latent, stage)]
        assert [line.step for line in mine] == (
            [e.step for e in reversed(own)] if len(own) < FLICKER else [own[-1].step]
        )
    assert sum(line.latent < 0 for line in lines) == sum(e.latent < 0 for e in told)
    for stage in (1, 2):
        steps = [line.step for line in lines if line.stage == stage]
        assert steps == sorted(steps, reverse=True)


def test_rows_that_a_resumed_run_replaced_leave_no_flicker_behind(runs, log_rows):
    source = LocalSource(runs / "r")
    with Recorder("r", latents=1) as recorder:
        log_rows(recorder, np.repeat([[0.9], [0.1], [0.9], [0.1]], 150, axis=0))
    view = fold(RunView(), source.poll(Cursor(), Want(())))
    assert ["flickers" in line.text for line in chronicle(view.events) if line.latent == 0] == [True]
    with Recorder("r", resume=True) as recorder:
        log_rows(recorder, np.full((200, 1), 0.1), first=251)
    view = fold(view, source.poll(view.cursor, Want(())))
    assert [line.text for line in chronicle(view.events) if line.latent == 0] == ["z0 woke"]


def test_a_latent_that_flickers_for_very_long_costs_no_more_than_its_events():
    flicker = [event(i, "wake" if i % 2 else "sleep", latent=0) for i in range(50_000)]
    (line,) = chronicle(flicker)
    assert line.text == "z0 flickers: 25000 wakes since step 0, awake"


def test_failures_have_titles():
    lines = chronicle([event(5, "collapse", text="16 of 16"), event(9, "restored", text="well"), event(12, "ignored")])
    assert [line.text for line in lines] == ["prior ignored", "restored: well", "posterior collapse: 16 of 16"]


def slowly(events):
    """(stage, step, kind, latent, words) of each line, by what the lines are to be, from every event anew."""
    begun = list(dict.fromkeys(each.stage for each in events if each.stage))
    told = sorted(events, key=lambda each: (begun.index(each.stage) if each.stage else len(begun), each.step))
    lines = []
    for place, each in enumerate(told):
        later = told[place + 1 :]
        if each.kind in ("wake", "sleep") and each.latent >= 0:
            own = [
                one
                for one in told
                if one.kind in ("wake", "sleep") and (one.stage, one.latent) == (each.stage, each.latent)
            ]
            if len(own) >= FLICKER and any(one is later_one for one in own for later_one in later):
                continue
            words = f"flickers: {sum(one.kind == 'wake' for one in own)} wakes since step {own[0].step:,}"
            words = words if len(own) >= FLICKER else {"wake": "woke", "sleep": "fell asleep"}[each.kind]
        elif each.kind == EVALUATION:
            same = [one for one in told if (one.kind, one.stage, one.step) == (each.kind, each.stage, each.step)]
            if each is not same[-1]:
                continue
            (found,) = evaluations(same)
            words = f": {brief(found)}" if found.values else EVALUATION
        elif each.kind == CHECKPOINT:
            saved = [one for one in told if (one.kind, one.stage) == (each.kind, each.stage)]
            if each is not saved[-1]:
                continue
            words = f"the newest of {len(saved)}" if len(saved) > 1 else each.text
        else:
            words = each.text
        lines.append((each.stage, each.step, each.kind, each.latent, words))
    return lines[::-1]


HAPPENED = st.builds(
    Event,
    step=st.integers(0, 12),
    time=st.just(0.0),
    stage=st.integers(0, 2),
    kind=st.sampled_from(["wake", "sleep", "wake", "sleep", CHECKPOINT, EVALUATION, "note", "drop"]),
    latent=st.integers(-1, 1),
    text=st.sampled_from(["", "a", '{"mse":1}', '{"kl":2}']),
)


@given(st.lists(st.tuples(st.lists(HAPPENED, max_size=8), st.booleans()), max_size=8))
def test_lines_made_as_events_come_are_those_of_all_events_at_once(history):
    kept, events = Chronicle(), ()
    for new, is_resumed in history:
        events = (*(events[: len(events) // 2] if is_resumed else events), *new)
        lines, slow = kept.lines(events), slowly(events)
        assert lines == chronicle(events)
        assert [(line.stage, line.step, line.kind) for line in lines] == [each[:3] for each in slow]
        assert all(words in line.text for line, (*_, words) in zip(lines, slow, strict=True))
        assert [line.latent for line in lines if line.kind in ("wake", "sleep")] == [
            each[3] for each in slow if each[2] in ("wake", "sleep")
        ]


def test_only_the_lines_of_new_events_are_made(monkeypatch):
    many = tuple(event(step, latent=step, kind="wake") for step in range(200))
    kept, made = Chronicle(), []
    kept.lines(many)
    make = chronicle_module.Line
    monkeypatch.setattr(chronicle_module, "Line", lambda *args: made.append(args) or make(*args))
    assert len(kept.lines((*many, event(300, "note", text="new")))) == 201
    assert len(made) == 1
