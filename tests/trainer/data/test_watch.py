import pytest

from trainer.data import watch as room
from trainer.data.watch import Stopped, Watch


def test_a_count_is_shown_now_and_then_and_at_its_end(monkeypatch):
    shown, now = [], 0.0
    monkeypatch.setattr(room.time, "monotonic", lambda: now)
    watch = Watch(show=lambda *count: shown.append(count))
    for done in range(1, 101):
        now += 0.004
        watch.tell("decoding", done, 100)
    assert shown[-1] == ("decoding", 100, 100)
    assert [done for _, done, _ in shown] == [1, 26, 51, 76, 100]


def test_whoever_is_asked_to_stop_stops_whether_it_is_shown_or_not():
    asked = iter([False, False, True])
    watch = Watch(stop=lambda: next(asked))
    watch.look()
    watch.tell("decoding", 1, 9)
    with pytest.raises(Stopped):
        watch.tell("decoding", 2, 9)
