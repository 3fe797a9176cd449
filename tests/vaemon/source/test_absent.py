"""Rows without a channel and values that are not finite are two things, from the file to the screen."""

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaemon import Recorder
from vaemon.batch import Columns, Cursor, Excerpt, Want
from vaemon.runfile import merge as merging
from vaemon.runfile.check import check_run
from vaemon.runfile.compact import compact_run
from vaemon.runfile.find import list_segments
from vaemon.runfile.repair import repair_run
from vaemon.runfile.segment import SegmentReader
from vaemon.source.local import LocalSource
from vaemon.view.facts import facts, not_finite
from vaemon.view.fold import fold, join, widen
from vaemon.view.state import RunView
from vaemon.view.status import status
from vaemon.watch.render.palette import DARK
from vaemon.watch.widgets.chart import Chart, Quantity
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture
from vaemon.watch.widgets.trajectories import Trajectories

CAME, BAD, LEFT, ROWS = 75, (90, 140), 200, 230
"""Rows in which psnr and the latents came, psnr was not finite, and psnr was given no more."""


def log(recorder, first, last, *names):
    given = {"psnr": lambda row: np.nan if row in BAD else row / 2, "mean_variance": lambda row: [0.5, row / 500]}
    for row in range(first, last):
        recorder.log(row + 1, mse=1.0, **{name: given[name](row) for name in names})


@pytest.fixture
def folder(runs):
    """A run in three files: psnr and mean_variance came with the second, and psnr is not in the third."""
    with Recorder("r", latents=2) as recorder:
        log(recorder, 0, CAME)
    with Recorder("r", resume=True) as recorder:
        log(recorder, CAME, LEFT, "psnr", "mean_variance")
    with Recorder("r", resume=True) as recorder:
        log(recorder, LEFT, ROWS, "mean_variance")
    return runs / "r"


def put_together(folder):
    segments = [SegmentReader(path, number) for number, path in list_segments(folder)]
    merging.merge(segments)
    for segment in segments:
        segment.close()


def slowly(width, count):
    """(mean, absent, bad) of psnr in each column, row by row."""
    there = np.arange(ROWS)
    has = (there >= CAME) & (there < LEFT)
    bad = np.isin(there, BAD)
    value = np.where(has & ~bad, there / 2, np.nan)
    groups = [slice(i * width, (i + 1) * width) for i in range(count)]
    means = [np.nan if np.isnan(value[g]).all() else np.nanmean(value[g]) for g in groups]
    return means, [int((~has[g]).sum()) for g in groups], [int(bad[g].sum()) for g in groups]


@pytest.mark.parametrize(
    "arrange", [lambda folder: None, compact_run, put_together], ids=["as is", "compact", "merged"]
)
def test_rows_without_a_channel_are_absent_and_no_others_at_any_width(folder, arrange):
    arrange(folder)
    source = LocalSource(folder)
    for width in (1, 2, 16, 32, 64, 128):
        found = source.excerpt(Excerpt(1, 0, ROWS, ("psnr", "mean_variance", "mse"), width=width))
        means, absent, bad = slowly(width, len(found))
        np.testing.assert_allclose(found.mean["psnr"], means, rtol=1e-6)
        assert found.absent["psnr"].tolist() == absent
        assert found.bad["psnr"].tolist() == bad
        assert found.absent["mean_variance"].sum(axis=0).tolist() == [min(CAME, found.rows)] * 2
        assert "mse" not in found.absent
        one = source.excerpt(Excerpt(1, 0, ROWS, ("mean_variance",), width=width, latent=1))
        assert (one.absent["mean_variance"].sum(), one.bad["mean_variance"].sum()) == (min(CAME, one.rows), 0)


@pytest.mark.parametrize("columns", [512, 16])
def test_a_view_that_saw_a_channel_come_has_what_a_fresh_one_has(runs, columns):
    want, source, view = Want(("psnr", "mse"), columns=columns), LocalSource(runs / "r"), RunView()
    for first, last, names in ((0, CAME, ()), (CAME, LEFT, ("psnr",)), (LEFT, ROWS, ())):
        with Recorder("r", latents=2, resume=first > 0) as recorder:
            log(recorder, first, last, *names)
        view = fold(view, source.poll(view.cursor, want))
        fresh = fold(RunView(), LocalSource(runs / "r").poll(Cursor(), want)).columns
        for part in ("mean", "low", "high", "bad", "absent"):
            have, wanted = getattr(view.columns, part), getattr(fresh, part)
            assert have.keys() == wanted.keys()
            for name in wanted:
                np.testing.assert_allclose(have[name], wanted[name], rtol=1e-12, err_msg=f"{part} of {name}")


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 3), st.booleans())
def test_joining_and_widening_counts_each_row_once(had, new, times, comes):
    def made(first, count, names):
        values = {name: np.full(count, 2.0) for name in names}
        clock = np.arange(count)
        return Columns(first, 1, clock, clock * 1.0, clock, values, values, values, dict.fromkeys(names, clock * 0))

    without, with_it = ("mse",), ("mse", "psnr")
    came = (without, with_it) if comes else (with_it, without)
    joined = join(made(0, had, came[0]), made(had, new, came[1]))
    wide = widen(joined, 2**times)
    lacks = np.arange(had + new) < had if comes else np.arange(had + new) >= had
    groups = lacks[: wide.rows].reshape(-1, 2**times)
    assert wide.absent["psnr"].tolist() == groups.sum(axis=1).tolist()
    assert wide.bad["psnr"].tolist() == [0] * len(wide)
    np.testing.assert_array_equal(wide.mean["psnr"], np.where(groups.all(axis=1), np.nan, 2.0))


def title(widget, view):
    return "".join(span.text for span in widget.rows(Picture(view, order=np.arange(2)), 80, 8)[0])


def test_the_screen_calls_not_finite_only_what_was_recorded_so(folder):
    want = Want(("psnr", "mean_variance"), columns=512)
    view = fold(RunView(), LocalSource(folder).poll(Cursor(), want))
    assert "2 not finite from step 91 on" in title(Chart(Pen(DARK), Quantity("psnr", "PSNR")), view)
    assert "not finite" not in title(Trajectories(Pen(DARK)), view)


def test_a_channel_that_the_newest_row_does_not_have_is_no_nan(folder):
    view = fold(RunView(), LocalSource(folder).poll(Cursor(), Want(("psnr",))))
    assert "psnr" not in view.latest.scalars
    assert not_finite(view) == []
    assert facts(view, status(view, 0.0))["nan"] == 0.0


def test_a_repair_that_leaves_rows_out_knows_which_of_the_others_lack_a_channel(folder, monkeypatch, change_a_row):
    monkeypatch.setattr(merging, "STROKE", 10)
    put_together(folder)
    ((_, path),) = list_segments(folder)
    change_a_row(path, 33)
    assert any(checked.findings for checked in check_run(folder, live=False))
    list(repair_run(folder))
    found = LocalSource(folder).excerpt(Excerpt(1, 0, ROWS, ("psnr",), width=1))
    assert len(found) == ROWS - 10
    assert found.absent["psnr"].nonzero()[0].tolist() == [*range(CAME - 10), *range(LEFT - 10, ROWS - 10)]
    assert found.bad["psnr"].nonzero()[0].tolist() == [row - 10 for row in BAD]


@pytest.fixture
def change_a_row():
    def change(path, row):
        with h5py.File(path, "r+") as file:
            record = file["rows"][row : row + 1]
            record["mse"] = 77.0
            file["rows"][row : row + 1] = record

    return change
