from dataclasses import replace

from vaemon.batch import Event, RunState
from vaemon.headless.text import frame, line, news
from vaemon.view.fold import fold, heard, source_lost
from vaemon.view.state import RunView


def view_of(made, step=1200, **changes):
    return heard(RunView(), fold(RunView(), made.batch(step, **changes)), made.NOW)


def test_a_frame_says_all_there_is(made):
    events = [Event(300, made.NOW, 1, "wake", 0), Event(400, made.NOW, 1, "note", text="lunch")]
    assert frame(view_of(made, events=events), made.NOW + 3).splitlines() == [
        "r · running · stage 1 · epoch 13/50 · step 1,200/5,000 · 40 steps/s · 1 min 35 s left · newest row 3 s ago",
        "gamma 0.1000  mse 0.0200",
        "1 active · 0 waking · 1 limbo · 0 collapsed | inactive (E[σ²] ≥ 0.8): 1 | active units (Var(μ) > 0.01): 2",
        "  z0    E[σ²] 0.100  active     woke at step 300",
        "  z1    E[σ²] 0.900  limbo",
        "newest events",
        "  step       400  lunch",
        "  step       300  z0 woke",
    ]


def test_a_line_says_the_same_in_short(made):
    assert line(view_of(made), made.NOW) == (
        "r · running · stage 1 · epoch 13/50 · step 1,200/5,000 · 40 steps/s · 1 min 35 s left · newest row now"
        " · gamma 0.1000 · mse 0.0200 · 1 active · 0 waking · 1 limbo · 0 collapsed"
        " | inactive (E[σ²] ≥ 0.8): 1 | active units (Var(μ) > 0.01): 2"
    )


def test_before_any_row_and_before_any_answer(made):
    waiting = fold(RunView(), made.batch(state=RunState.WAITING))
    assert line(waiting, made.NOW) == "r · waiting · looked for in runs/r"
    assert frame(waiting, made.NOW) == line(waiting, made.NOW)
    assert line(RunView(), made.NOW) == "no run yet · opening"


def test_the_age_is_told_once(made):
    view = view_of(made)
    assert "newest row" not in line(view, made.NOW + 60)
    assert "stalled 1 min" in line(view, made.NOW + 60)
    assert "link lost, data 5 s old · " in line(source_lost(view, "gone"), made.NOW + 5)


def test_words_from_elsewhere_control_nothing(made):
    view = view_of(made, name="a\x1b[2J\nb", reason="no\x9b", events=[Event(1, made.NOW, 1, "note", text="\x07\nx")])
    for text in (frame(view, made.NOW), line(view, made.NOW), *news(RunView(info=view.info), view)):
        assert not any(ord(sign) < 0x20 or 0x7F <= ord(sign) < 0xA0 for sign in text.replace("\n", ""))
    assert frame(view, made.NOW).splitlines()[0].startswith("a?[2J?b · ")


def test_news_are_the_events_that_came_the_oldest_first(made):
    events = [Event(step, made.NOW, 1, "wake", step) for step in range(1, 5)]
    views = [view_of(made, events=events[:n]) for n in (1, 3)]
    assert news(*views) == ["  step         2  z2 woke", "  step         3  z3 woke"]
    assert news(views[1], views[1]) == []


def test_of_the_first_view_only_alerts_are_news(made):
    alert = Event(9, made.NOW, 1, "alert", text="mse<1")
    view = view_of(made, events=[Event(1, made.NOW, 1, "wake", 1), alert])
    assert news(RunView(), view) == ["  step         9  alert: mse<1"]
    assert news(replace(view, events=()), view) == ["  step         1  z1 woke", "  step         9  alert: mse<1"]
