"""What every source must do. A test class for a kind of source inherits this one and says how it is opened."""

from dataclasses import replace

import numpy as np
import pytest

from vaemon import Recorder
from vaemon.batch import Cursor, Excerpt, RunState, Want, Window
from vaemon.errors import SourceLost, UnknownName
from vaemon.view.fold import fold
from vaemon.view.state import RunView

WANT = Want(("gamma", "mse", "mean_variance", "latent_kl"), columns=32)


def read_to_end(source, view, want=WANT):
    while True:
        view = fold(view, source.poll(view.cursor, want))
        if not view.loading:
            return view


def same_columns(a, b):
    assert (a.first, a.width) == (b.first, b.width)
    np.testing.assert_array_equal(a.step, b.step)
    np.testing.assert_array_equal(a.epoch, b.epoch)
    for part in ("mean", "low", "high", "bad", "absent"):
        assert getattr(a, part).keys() == getattr(b, part).keys()
        for name, column in getattr(a, part).items():
            np.testing.assert_allclose(column, getattr(b, part)[name], rtol=1e-5)


def same_answer(a, b):
    assert (a.info.state, a.info.stages, a.info.thresholds) == (b.info.state, b.info.stages, b.info.thresholds)
    for part in ("cursor", "stage", "rows", "events", "events_anew", "rewound_to", "rate", "more"):
        assert getattr(a, part) == getattr(b, part), part
    same_columns(a.columns, b.columns)
    assert (a.latest is None) == (b.latest is None)
    if a.latest is not None:
        assert (a.latest.step, a.latest.time, a.latest.scalars) == (b.latest.step, b.latest.time, b.latest.scalars)
        np.testing.assert_array_equal(a.latest.smoothed["mse"], b.latest.smoothed["mse"])


class SourceContract:
    def open(self, folder):
        raise AssertionError("the inheriting class opens its kind of source")

    @pytest.fixture
    def recorder(self, runs):
        with Recorder("r", latents=3, total_steps=500, config={"a": 1}) as recorder:
            yield recorder

    def test_a_run_that_has_not_begun_is_waiting(self, runs):
        source = self.open(runs / "later")
        batch = source.poll(Cursor(), WANT)
        assert batch.info.state is RunState.WAITING
        assert (batch.stage, batch.rows, len(batch.columns)) == (0, 0, 0)

    def test_a_source_opened_before_the_run_began_sees_it_begin(self, runs, staircase, log_rows):
        source = self.open(runs / "r")
        view = fold(RunView(), source.poll(Cursor(), WANT))
        with Recorder("r", latents=3) as recorder:
            view = fold(view, source.poll(view.cursor, WANT))
            log_rows(recorder, staircase(40, 3))
            recorder.flush()
            view = read_to_end(source, view)
            assert (view.rows, view.info.state) == (40, RunState.RUNNING)
        assert read_to_end(source, view).info.state is RunState.FINISHED

    def test_asked_for_news_alone_it_tells_events_and_how_many_rows_there_are(self, recorder, staircase, log_rows):
        source = self.open(recorder.folder)
        log_rows(recorder, staircase(40, 3))
        recorder.flush()
        view = read_to_end(source, RunView())
        log_rows(recorder, staircase(60, 3)[40:], first=41)
        recorder.event("note", "look")
        recorder.flush()
        batch = source.poll(view.cursor, Want((), columns=0, newest=False))
        assert (batch.rows, len(batch.columns), batch.latest, batch.stage) == (60, 0, None, 1)
        assert [event.kind for event in batch.events] == ["note"]
        assert batch.cursor.rows == view.cursor.rows
        after = fold(view, batch)
        assert (after.latest, after.rate, after.rows) == (view.latest, view.rate, 60)

    def test_polling_while_it_is_written_ends_in_what_one_poll_gives(self, recorder, staircase, log_rows):
        variance = staircase(471, 3)
        source, view, rng = self.open(recorder.folder), RunView(), np.random.default_rng(0)
        start = 0
        while start < len(variance):
            stop = start + int(rng.integers(1, 60))
            log_rows(recorder, variance[start:stop], first=start + 1)
            recorder.flush()
            view = fold(view, source.poll(view.cursor, WANT))
            assert len(view.columns) <= WANT.columns
            start = stop
        recorder.close()
        view = read_to_end(source, view)
        fresh = read_to_end(self.open(recorder.folder), RunView())
        same_columns(view.columns, fresh.columns)
        assert view.events == fresh.events
        assert (view.rows, view.states.tolist(), view.woke.tolist()) == (
            fresh.rows,
            fresh.states.tolist(),
            fresh.woke.tolist(),
        )
        np.testing.assert_allclose(
            view.columns.mean["mean_variance"][0], variance[: view.columns.width].mean(0), rtol=1e-5
        )

    def test_equal_questions_have_equal_answers(self, recorder, staircase, log_rows):
        log_rows(recorder, staircase(300, 3))
        recorder.flush()
        first, second = self.open(recorder.folder), self.open(recorder.folder)
        middle = first.poll(Cursor(), Want(WANT.channels, columns=16)).cursor
        a, b = first.poll(middle, WANT), second.poll(middle, WANT)
        assert a.cursor == b.cursor
        same_columns(a.columns, b.columns)

    def test_a_question_put_again_and_again_has_the_answer_that_a_fresh_source_gives(self, runs, staircase, log_rows):
        """Whatever was remembered of the answer before: rows, an event, the end, another file make another one."""
        variance, source, view = staircase(120, 3), self.open(runs / "r"), RunView()

        def ask():
            nonlocal view
            for _ in range(3):
                batch = source.poll(view.cursor, WANT)
                same_answer(batch, self.open(runs / "r").poll(view.cursor, WANT))
                view = fold(view, batch)
            return batch

        ask()
        with Recorder("r", latents=3) as recorder:
            log_rows(recorder, variance[:50])
            recorder.flush()
            assert (ask().rows, len(view.events)) == (50, 1)
            recorder.event("note", "between two rows")
            recorder.flush()
            ask()
            assert view.events[-1].text == "between two rows"
            log_rows(recorder, variance[50:51], first=51)
            recorder.flush()
            assert ask().latest.step == 51
        assert ask().info.state is RunState.FINISHED
        with Recorder("r", resume=True) as recorder:
            log_rows(recorder, variance[:9], first=43)
            recorder.flush()
            batch = ask()  # as many rows as before, and others
            assert (batch.rows, batch.info.state) == (51, RunState.RUNNING)
            np.testing.assert_allclose(
                view.columns.mean["mean_variance"][42 // view.columns.width], variance[:2].mean(0), rtol=1e-5
            )
        assert ask().info.state is RunState.FINISHED

    def test_a_poll_that_runs_out_of_time_goes_on_later(self, recorder, staircase, log_rows, monkeypatch):
        monkeypatch.setattr("vaemon.runfile.series.BLOCK_BYTES", 4096)
        log_rows(recorder, staircase(400, 3))
        recorder.flush()
        hurried = Want(WANT.channels, columns=32, seconds=0.0)
        source = self.open(recorder.folder)
        assert source.poll(Cursor(), hurried).more
        view = read_to_end(source, RunView(), hurried)
        same_columns(view.columns, read_to_end(self.open(recorder.folder), RunView()).columns)

    def test_rows_that_a_resumed_run_replaces_disappear_from_the_view(self, runs, log_rows):
        source, view = self.open(runs / "r"), RunView()
        with Recorder("r", latents=2) as recorder:
            log_rows(recorder, np.repeat([[0.9, 0.9], [0.1, 0.1]], 100, axis=0))
        view = read_to_end(source, view)
        assert {e.kind for e in view.events} >= {"wake"}
        with Recorder("r", resume=True) as recorder:
            log_rows(recorder, np.full((20, 2), 0.9), first=11)
            recorder.flush()
            batch = source.poll(view.cursor, WANT)
            assert batch.rewound_to == 10
            view = fold(view, batch)
            assert view.rows == 30
            assert "wake" not in {e.kind for e in view.events}
        same_columns(
            read_to_end(source, view).columns,
            read_to_end(self.open(runs / "r"), RunView(), Want(WANT.channels, columns=4)).columns,
        )

    def test_files_put_together_are_not_read_again(self, runs):
        with Recorder("r", live=False) as recorder:
            recorder.log(1, mse=0.5)
            recorder.flush()
            source, view = self.open(recorder.folder), RunView()
            for step in range(2, 30):
                recorder.log(step, mse=0.5)
                recorder.flush()
                batch = source.poll(view.cursor, WANT)
                assert batch.rewound_to is None
                assert batch.columns.first == len(view.columns)
                view = fold(view, batch)
        assert view.columns.step.tolist() == list(range(1, 30))

    def test_the_newest_stage_is_shown_unless_another_is_asked_for(self, recorder, log_rows):
        log_rows(recorder, np.full((50, 3), 0.4))
        source = self.open(recorder.folder)
        view = read_to_end(source, RunView())
        recorder.stage(2, latents=5)
        log_rows(recorder, np.full((20, 5), 0.7))
        recorder.flush()
        view = read_to_end(source, view)
        assert (view.stage, view.rows, view.latents, len(view.columns)) == (2, 20, 5, 20)
        assert [e.kind for e in view.events] == ["stage", "stage"]
        view = read_to_end(source, view, Want(WANT.channels, stage=1))
        assert (view.stage, view.rows, view.latents) == (1, 50, 3)

    def test_a_series_is_exact_where_it_fits_and_pooled_where_not(self, recorder, staircase, log_rows):
        variance = staircase(300, 3)
        log_rows(recorder, variance)
        recorder.flush()
        source = self.open(recorder.folder)
        exact = source.series("mean_variance", Window(first=11, last=20), 10)
        assert exact.exact
        np.testing.assert_allclose(exact.mean, variance[10:20], rtol=1e-6)
        pooled = source.series("mean_variance", Window(), 50)
        assert not pooled.exact
        assert 25 <= len(pooled.step) <= 50
        with pytest.raises(UnknownName, match="gamma"):
            source.series("gama", Window(), 50)

    def test_not_finite_values_are_counted_and_take_no_part(self, runs):
        with Recorder("r", latents=1) as recorder:
            for step in range(1, 65):
                recorder.log(step, mean_variance=[0.5], mse=float("nan") if step == 40 else 2.0)
        columns = read_to_end(self.open(runs / "r"), RunView()).columns
        assert columns.bad["mse"].sum() == 1
        np.testing.assert_array_equal(columns.mean["mse"], 2.0)

    def test_an_excerpt_ends_in_the_exact_rows(self, recorder, staircase, log_rows):
        variance = staircase(300, 3)
        log_rows(recorder, variance)
        recorder.flush()
        source = self.open(recorder.folder)
        near = source.excerpt(Excerpt(1, 40, 60, ("mse", "mean_variance", "nonsense"), 32))
        assert (near.first, near.width, near.rows) == (40, 1, 60)
        np.testing.assert_allclose(near.mean["mean_variance"], variance[40:60], rtol=1e-6)
        assert near.mean.keys() == {"mse", "mean_variance"}
        assert near.low.keys() == {"mse"}
        far = source.excerpt(Excerpt(1, 41, 299, ("mean_variance",), 32))
        assert (far.first, far.width, far.rows) == (2, 16, 288)
        np.testing.assert_allclose(far.mean["mean_variance"][1], variance[48:64].mean(axis=0), rtol=1e-6)
        assert len(source.excerpt(Excerpt(1, 400, 500, ("mse",), 32))) == 0
        assert len(source.excerpt(Excerpt(7, 0, 50, ("mse",), 32))) == 0

    def test_an_excerpt_tells_scalars_that_are_in_no_row_where_they_are_asked_for(self, runs):
        with Recorder("r", latents=1) as recorder:
            for step in range(3, 103):
                values = {"a": float(step), "b": float("inf")} if step in (5, 42) else {}
                recorder.log(step, mse=1.0, **values)
        source = self.open(runs / "r")
        asked = Excerpt(1, 0, 100, ("mse", "a"), 32, late=True)
        found = source.excerpt(asked)
        assert found.width == 4
        assert [*found.mean] == ["mse", "a"]
        there = np.flatnonzero(np.isfinite(found.mean["a"])).tolist()
        assert [(found.step[i], found.mean["a"][i]) for i in there] == [(6, 5.0), (42, 42.0)]
        assert found.absent["a"].tolist() == [3 if i in there else 4 for i in range(25)]
        more = source.excerpt(replace(asked, scalars=9))
        assert [*more.mean] == ["mse", "a", "b"]
        assert more.bad["b"].tolist() == [1 if i in there else 0 for i in range(25)]
        assert [*source.excerpt(replace(asked, late=False, scalars=9)).mean] == ["mse"]
        near = source.excerpt(replace(asked, first=3, last=35))
        assert near.width == 1
        assert np.isnan(near.mean["a"][near.step < 42]).all()

    def test_an_excerpt_of_one_latent_tells_its_range(self, recorder, staircase, log_rows):
        variance = staircase(300, 3)
        log_rows(recorder, variance)
        recorder.flush()
        one = self.open(recorder.folder).excerpt(Excerpt(1, 0, 300, ("mean_variance", "mse"), 32, latent=2))
        blocks = variance[: one.rows, 2].reshape(-1, one.width)
        np.testing.assert_allclose(one.mean["mean_variance"], blocks.mean(axis=1), rtol=1e-5)
        np.testing.assert_allclose(one.low["mean_variance"], blocks.min(axis=1), rtol=1e-6)
        np.testing.assert_allclose(one.high["mean_variance"], blocks.max(axis=1), rtol=1e-6)

    def test_a_stage_taken_to_end_earlier_is_as_it_was_then(self, runs, staircase, log_rows):
        variance = staircase(300, 3)
        with Recorder("r", latents=3, total_steps=500) as recorder:
            log_rows(recorder, variance[:200])
            recorder.flush()
            then = read_to_end(self.open(recorder.folder), RunView())
            log_rows(recorder, variance[200:], first=201)
        source = self.open(runs / "r")
        view = RunView()
        for end in (10, 120, 300, 200):
            view = read_to_end(source, view, replace(WANT, end=end))
            assert (view.rows, view.latest.step) == (end, end)
        assert view.events == tuple(each for each in then.events if each.time <= view.latest.time)
        whole = read_to_end(self.open(runs / "r"), RunView(), replace(WANT, end=200))
        same_columns(whole.columns, then.columns)
        np.testing.assert_allclose(whole.latest.smoothed["mean_variance"], then.latest.smoothed["mean_variance"])

    def test_images_are_listed_and_read_while_they_come(self, runs):
        source = self.open(runs / "r")
        assert source.images() == ()
        pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 4, 3), np.uint8)
        with Recorder("r", latents=1) as recorder:
            recorder.images("inputs", pixels, step=0)
            recorder.log(1, mse=1.0)
            recorder.images("GEN-1", pixels[..., :1])
            recorder.flush()
            inputs, sampled = source.images()
            recorder.log(2, mse=1.0)
            recorder.images("GEN-1", pixels[:1])
            recorder.flush()
            told = [(each.stage, each.step, each.kind, each.count) for each in source.images()]
        assert told == [(1, 0, "inputs", 3), (1, 1, "GEN-1", 3), (1, 2, "GEN-1", 1)]
        assert (inputs.height, inputs.width, inputs.channels, sampled.channels) == (5, 4, 3, 1)
        np.testing.assert_array_equal(source.image(inputs), pixels)
        np.testing.assert_array_equal(source.image(sampled), pixels[..., :1])
        with pytest.raises(SourceLost):
            source.image(replace(inputs, kind="outputs"))

    def test_images_that_a_resumed_run_replaces_disappear(self, runs):
        source = self.open(runs / "r")
        for first, options in ((1, {}), (3, {"resume": True})):
            with Recorder("r", **options) as recorder:
                for step in range(first, 5):
                    recorder.log(step, mse=1.0)
                    recorder.images(f"from {first}", np.zeros((1, 2, 2)))
            listed = source.images()
        assert [(each.step, each.kind) for each in listed] == [
            (1, "from 1"),
            (2, "from 1"),
            (3, "from 3"),
            (4, "from 3"),
        ]

    def test_closing_twice_does_no_harm(self, recorder):
        source = self.open(recorder.folder)
        source.close()
        source.close()
