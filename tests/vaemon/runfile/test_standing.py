"""Events gathered poll by poll are those of one reading of everything, whatever happens to the files meanwhile."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vaemon import Recorder, open_run
from vaemon.batch import Event, StageInfo
from vaemon.runfile import segment as segment_module
from vaemon.runfile.compact import compact_run
from vaemon.runfile.read import RunReader
from vaemon.runfile.schema import Layout
from vaemon.runfile.standing import StandingEvents

STEPS = st.integers(1, 30)
STAGES = st.integers(1, 2)
HAPPENINGS = st.one_of(
    st.tuples(st.just("tell"), STAGES, STEPS),
    st.tuples(st.just("tell"), STAGES, STEPS),
    st.tuples(st.just("begin"), STAGES, STEPS),
    st.tuples(st.just("rows"), STAGES, STEPS),
    st.tuples(st.just("lose"), STAGES, STEPS),
    st.tuples(st.just("put together"), STAGES, STEPS),
    st.tuples(st.just("vanish"), STAGES, STEPS),
)


class Segment:
    """As much of a segment as its events need."""

    def __init__(self, stage, first_step, told=(), rows=0):
        self.layout = Layout(StageInfo(stage, 1), first_step, 0, (), ())
        self.told, self.rows = list(told), rows

    def events(self):
        return self.told

    def __len__(self):
        return self.rows


def slowly(segments):
    """Event by event: it stands unless a later file with rows begins at or before it, in its stage."""
    return [
        event
        for i, segment in enumerate(segments)
        for event in segment.told
        if all(
            event.stage != later.layout.stage.number or event.step < later.layout.first_step
            for later in segments[i + 1 :]
            if later.rows
        )
    ]


def happen(segments, what, stage, step, number):
    newest = segments[-1]
    if what == "tell":
        newest.told.append(Event(step, float(number), stage, "note"))
    elif what == "begin":
        segments.append(Segment(stage, step))
    elif what == "rows":
        newest.rows += 1
    elif what == "lose":
        newest.told = newest.told[:-1]
    elif what == "vanish" and len(segments) > 1:
        segments.pop(step % len(segments))
    elif what == "put together":
        first = segments[0].layout
        one = Segment(first.stage.number, first.first_step, slowly(segments), sum(each.rows for each in segments))
        segments[:] = [one]


@given(st.lists(st.tuples(HAPPENINGS, st.booleans()), max_size=30))
def test_events_gathered_as_files_grow_come_and_go_are_those_of_one_reading(history):
    segments, standing = [Segment(1, 1)], StandingEvents()
    for number, ((what, stage, step), polled) in enumerate(history):
        happen(segments, what, stage, step, number)
        if polled:
            assert standing.of(segments) == slowly(segments)
    assert standing.of(segments) == slowly(segments)


def test_a_run_read_through_resumes_stages_and_compaction_tells_what_a_fresh_reader_tells(runs):
    reader, seen = None, []

    def both():
        nonlocal reader
        reader = reader or open_run("r")
        reader.refresh()
        with RunReader(runs / "r") as fresh:
            assert reader.events() == fresh.events()
        seen.append(len(reader.events()))

    for first, stage in ((1, 1), (15, 1), (1, 2)):
        with Recorder("r", resume=first > 1 or stage > 1) as recorder:
            if stage > 1:
                recorder.stage(stage, latents=1)
            for step in range(first, first + 20):
                recorder.log(step, mse=1.0)
                recorder.event("note", f"{first}-{step}")
                if step % 5 == 0:
                    recorder.flush()
                    both()
        both()
    compact_run(runs / "r")
    both()
    reader.close()
    assert any(after < before for before, after in pairwise(seen))  # what was resumed has replaced some
    assert seen[-1] == seen[-2]


def test_an_event_is_decoded_once(runs, monkeypatch):
    decoded = []
    make = segment_module._event
    monkeypatch.setattr(segment_module, "_event", lambda record: decoded.append(record) or make(record))
    with Recorder("r") as recorder, open_later(recorder) as run:
        before = len(decoded)
        for step in range(2, 42):
            recorder.log(step, mse=1.0)
            recorder.event("note", str(step))
            recorder.flush()
            run.refresh()
            told = run.events()
        assert len(decoded) - before == 40
        assert [event.text for event in told if event.kind == "note"] == [str(step) for step in range(2, 42)]


def open_later(recorder):
    recorder.log(1, mse=1.0)
    recorder.flush()
    run = open_run(recorder.folder)
    run.events()
    return run


def test_events_that_turn_out_not_to_be_whole_are_told_no_more(runs):
    with Recorder("r") as recorder:
        recorder.log(1, mse=1.0)
        recorder.event("note", "first")
    with open_run("r") as run:
        told = run.events()
        (one,) = run.segments
        rows, events = one._whole
        one._whole = rows, events - 1  # as `settle` has it of a writer that died
        assert run.events() == told[:-1]
        one._whole = rows, events
        assert run.events() == told


def test_what_asks_for_events_gets_a_list_of_its_own(runs):
    with Recorder("r") as recorder:
        recorder.log(1, mse=1.0)
    with open_run("r") as run:
        run.events().clear()
        assert run.events()
