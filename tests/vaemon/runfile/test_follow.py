import numpy as np
import pytest

from vaemon import Recorder, open_run
from vaemon.errors import UnknownName
from vaemon.runfile.compact import compact_run


def test_each_row_is_given_once_as_it_comes(runs, staircase, log_rows):
    rows = staircase(900, 2)
    seen = []
    with Recorder("r", latents=2) as recorder, open_run("r") as run:
        follower = run.follow("mean_variance", "mse")
        assert follower.read() == {}
        for begin in range(0, 900, 90):
            log_rows(recorder, rows[begin : begin + 90], first=begin + 1)
            recorder.flush()
            new = follower.read()
            assert new["step"].tolist() == list(range(begin + 1, begin + 91))
            assert follower.rewound_to is None
            seen.append(new["mean_variance"])
        assert len(follower.read()["step"]) == 0
    np.testing.assert_array_equal(np.concatenate(seen), rows.astype(np.float32))


def test_it_reads_only_what_is_new(runs, log_rows, monkeypatch):
    with Recorder("r", latents=1) as recorder, open_run("r") as run:
        log_rows(recorder, np.full((5000, 1), 0.5))
        recorder.flush()
        follower = run.follow("mse")
        follower.read()
        asked = []
        before = run.segments[0].rows
        monkeypatch.setattr(run.segments[0], "rows", lambda *a: asked.append(a) or before(*a))
        log_rows(recorder, np.full((5, 1), 0.5), first=5001)
        recorder.flush()
        assert len(follower.read()["mse"]) == 5
        assert asked == [(5000, 5005)]


def test_rows_that_were_replaced_are_given_again_and_told(runs, log_rows):
    with open_run_of(log_rows) as run:
        follower = run.follow("mse")
        assert len(follower.read()["step"]) == 100
        with Recorder("r", resume=True) as recorder:
            log_rows(recorder, np.full((50, 1), 0.2), first=61)
            recorder.flush()
            new = follower.read()
            assert new["step"].tolist() == list(range(61, 111))
            assert follower.rewound_to == 60


def test_it_goes_on_with_the_next_stage_unless_one_was_asked_for(runs, log_rows):
    with Recorder("r", latents=1) as recorder, open_run("r") as run:
        log_rows(recorder, np.full((30, 1), 0.5))
        recorder.flush()
        newest, first = run.follow("mse"), run.follow("mse", stage=1)
        assert (len(newest.read()["step"]), len(first.read()["step"])) == (30, 30)
        recorder.stage(2, latents=1)
        log_rows(recorder, np.full((7, 1), 0.5))
        recorder.flush()
        assert (len(newest.read()["step"]), newest.stage) == (7, 2)
        assert (len(first.read()["step"]), first.stage) == (0, 1)


def test_an_unknown_channel_names_the_nearest(runs, log_rows):
    with open_run_of(log_rows) as run, pytest.raises(UnknownName, match="did you mean 'mse'"):
        run.follow("mes").read()


def open_run_of(log_rows):
    with Recorder("r", latents=1) as recorder:
        log_rows(recorder, np.full((100, 1), 0.5))
    return open_run("r")


def test_files_put_together_are_not_given_again(runs):
    with Recorder("r", live=False) as recorder:
        recorder.log(1, mse=0.5)
        recorder.flush()
        with open_run("r") as run:
            follower, seen = run.follow("mse"), []
            for step in range(2, 40):
                recorder.log(step, mse=0.5)
                recorder.flush()
                seen += follower.read()["step"].tolist()
                assert follower.rewound_to is None
            assert any(segment.layout.replaces for segment in run.segments)
            assert seen == list(range(1, 40))
            recorder.close()
            compact_run(runs / "r")
            assert (len(follower.read()["step"]), follower.rewound_to) == (0, None)


def test_rows_replaced_in_files_put_together_are_told(runs):
    with Recorder("r", live=False) as recorder:
        for step in range(1, 21):
            recorder.log(step, mse=0.5)
    with open_run("r") as run:
        follower = run.follow("mse")
        assert len(follower.read()["step"]) == 20
        with Recorder("r", live=False, resume=True) as recorder:
            for step in range(11, 41):
                recorder.log(step, mse=0.25)
                recorder.flush()
        new = follower.read()
        assert follower.rewound_to is not None
        assert follower.rewound_to <= 10
        assert new["step"].tolist() == list(range(follower.rewound_to + 1, 41))
        assert (new["mse"] == np.where(new["step"] <= 10, 0.5, 0.25)).all()


def test_what_is_left_of_a_stage_is_given_before_the_next(runs, log_rows):
    with Recorder("r", latents=1) as recorder, open_run("r") as run:
        log_rows(recorder, np.full((30, 1), 0.5))
        recorder.flush()
        newest, second = run.follow("mse"), run.follow("mse", stage=2)
        newest.read()
        log_rows(recorder, np.full((70, 1), 0.5), first=31)
        recorder.stage(2, latents=1)
        log_rows(recorder, np.full((7, 1), 0.5))
        recorder.flush()
        assert (newest.read()["step"].tolist(), newest.stage) == (list(range(31, 101)), 1)
        assert (newest.read()["step"].tolist(), newest.stage) == (list(range(1, 8)), 2)
        assert (len(newest.read()["step"]), newest.stage) == (0, 2)
        assert (len(second.read()["step"]), second.stage) == (7, 2)


def test_a_channel_that_only_another_stage_has_is_not_a_number(runs):
    with Recorder("r", latents=2) as recorder, open_run("r") as run:
        recorder.log(1, mean_variance=[0.5, 0.5], mse=1.0, own=2.0)
        recorder.flush()
        follower = run.follow("mean_variance", "own")
        assert follower.read()["own"].tolist() == [2.0]
        recorder.stage(2, latents=3)
        recorder.log(1, mse=1.0)
        recorder.flush()
        new = follower.read()
        assert list(new) == ["step", "mean_variance", "own"]
        np.testing.assert_array_equal(new["own"], [np.nan])
        np.testing.assert_array_equal(new["mean_variance"], np.full((1, 3), np.nan))


def test_of_a_late_scalar_it_says_what_gives_it(runs):
    with Recorder("r", latents=1) as recorder:
        recorder.log(1, mse=1.0)
        recorder.log(2, mse=1.0, fid=3.0)
    with open_run("r") as run, pytest.raises(UnknownName, match=r"series\('fid'\)"):
        run.follow("fid").read()
