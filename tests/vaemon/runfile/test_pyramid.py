"""Any window, at any number of columns, from the pyramid: equal to pooling the rows, and read from few bins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaemon.batch import StageInfo
from vaemon.runfile.append import SegmentWriter
from vaemon.runfile.check import check_pyramid
from vaemon.runfile.pyramid import PyramidBuilder
from vaemon.runfile.read import RunReader
from vaemon.runfile.schema import LEVELS, Layout, blank
from vaemon.runfile.segment import SegmentReader
from vaemon.runfile.series import StageRows

LATENTS = 3


def layout(first_step=1, first_row=0, latents=LATENTS):
    return Layout(StageInfo(1, latents), first_step, first_row, ("mse", "tokens"), ("mean_variance", "a/b.c"))


def rows_of(layout, count, seed, holes=0.0):
    rng = np.random.default_rng(seed)
    rows = blank(layout, count)
    rows["step"] = layout.first_step + np.arange(count)
    rows["time"] = 1e9 + rows["step"] / 7
    rows["epoch"] = rows["step"] // 50
    for name in ("mse", "tokens", "mean_variance", "a/b.c"):
        values = rng.normal(size=rows[name].shape)
        wrong = rng.random(values.shape) < holes
        values[wrong] = rng.choice([np.nan, np.inf, -np.inf], size=int(wrong.sum()))
        rows[name] = values
    return rows


def write(path, layout, rows, stroke=1000):
    writer = SegmentWriter(path, layout)
    for begin in range(0, len(rows), stroke):
        writer.append(rows[begin : begin + stroke])
        writer.flush()
    writer.close()
    return SegmentReader(path, int(path.stem[-4:]))


def slowly_pooled(values, first, last, width):
    """Mean, low, high and count of not finite, column by column, by the definition."""
    found = []
    for begin in range(first // width * width, last, width):
        part = values[max(begin, first) : min(begin + width, last)].astype(np.float64)
        finite = np.where(np.isfinite(part), part, np.nan)
        known = np.isfinite(part).sum(axis=0)
        low = np.where(known, np.min(np.where(np.isfinite(part), part, np.inf), axis=0), np.nan)
        high = np.where(known, np.max(np.where(np.isfinite(part), part, -np.inf), axis=0), np.nan)
        total = np.nansum(finite, axis=0)
        mean = np.divide(total, known, out=np.full_like(total, np.nan), where=known > 0)
        found.append((mean, low, high, len(part) - known))
    return [np.array(each) for each in zip(*found, strict=True)]


@pytest.fixture(scope="module")
def resumed(tmp_path_factory):
    """A stage of three segments: the second replaces the end of the first, the third begins where no bin does."""
    folder = tmp_path_factory.mktemp("run")
    parts = [(1, 0, 5000), (3001, 3000, 9000), (11_778, 11_777, 20_001)]
    written = []
    for number, (step, row, count) in enumerate(parts):
        each = layout(step, row)
        written.append(rows_of(each, count, number, holes=0.02 if number == 1 else 0.0))
        write(folder / f"segment-{number:04d}.h5", each, written[-1]).close()
    return folder, np.concatenate([written[0][:3000], written[1][:8777], written[2]])


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_window_at_any_width_is_what_its_rows_pool_to(resumed, data):
    folder, rows = resumed
    first = data.draw(st.integers(0, len(rows) - 1))
    last = data.draw(st.integers(first + 1, len(rows)))
    width = 2 ** data.draw(st.integers(0, 16))
    if (last - first) // width > 3000:
        last = first + 3000 * width
    segments = [SegmentReader(folder / f"segment-{n:04d}.h5", n) for n in range(3)]
    stage = StageRows(segments)
    assert len(stage) == len(rows)
    found = stage.pooled(first, last, width, ("mse", "mean_variance", "a/b.c"), means=("a/b.c",))
    for name, pooled in found.channels.items():
        expected = slowly_pooled(rows[name], first, last, width)
        np.testing.assert_allclose(pooled.mean, expected[0], rtol=2e-6, atol=1e-6)
        np.testing.assert_array_equal(pooled.bad, expected[3])
        if name != "a/b.c":
            np.testing.assert_array_equal(pooled.low, expected[1].astype(pooled.low.dtype))
            np.testing.assert_array_equal(pooled.high, expected[2].astype(pooled.high.dtype))
    ends = [min(begin + width, last) for begin in range(first // width * width, last, width)]
    np.testing.assert_array_equal(found.clock["step"], rows["step"][np.array(ends) - 1])
    assert found.counts.sum() == last - first
    for segment in segments:
        segment.close()


@given(cuts=st.lists(st.integers(1, 700), max_size=30), first_row=st.integers(0, 2000), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_how_the_rows_came_makes_no_difference_bit_for_bit(cuts, first_row, seed):
    at = layout(first_row=first_row)
    rows = rows_of(at, 3000, seed, holes=0.01)
    made = []
    for sizes in ([3000], [*cuts, 3000]):
        builder, parts, begin = PyramidBuilder(at), {}, 0
        for size in sizes:
            for width, bins in builder.add(rows[begin : begin + size]).items():
                for name, values in bins.datasets():
                    parts.setdefault((width, name), []).append(values)
            begin += size
        made.append({key: np.concatenate(each).tobytes() for key, each in parts.items()})
    assert made[0] == made[1]


def test_step_finds_its_row_through_the_bins(resumed):
    folder, rows = resumed
    with_bins = SegmentReader(folder / "segment-0002.h5", 2)
    steps = rows["step"][11_777:]
    for step in [*range(11_770, 11_790), 12_288, 12_289, 20_000, 31_777, 31_778, 31_779, 99_999]:
        assert with_bins.row_of(step) == np.searchsorted(steps, step)
    with_bins.close()


@pytest.fixture(scope="module")
def long_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    at = layout(latents=2)
    rows = rows_of(at, 300_000, 0)
    segment = write(folder / "segment-0000.h5", at, rows, stroke=20_000)
    yield segment, rows
    segment.close()


@pytest.mark.parametrize("columns", [1, 7, 200, 512])
@pytest.mark.parametrize("share", [1.0, 0.3, 0.01])
def test_a_view_costs_the_columns_it_has_and_not_the_rows_behind_them(long_run, monkeypatch, columns, share):
    segment, _ = long_run
    read = {"rows": 0, "bins": 0}
    rows_before, bins_before = SegmentReader.rows, SegmentReader.bins

    def count_rows(self, first, last):
        read["rows"] += last - first
        return rows_before(self, first, last)

    def count_bins(self, width, part, first, last, every=1):
        read["bins"] += (last - first) if part == "clocks" else 0
        return bins_before(self, width, part, first, last, every)

    monkeypatch.setattr(SegmentReader, "rows", count_rows)
    monkeypatch.setattr(SegmentReader, "bins", count_bins)
    first = int((1 - share) * 1e5) + 3
    last = first + int(share * 200_000)
    width = 1
    while (last - first) / width > columns:
        width *= 2
    StageRows([segment]).pooled(first, last, width, ("mse", "mean_variance"))
    # Rows only at the two ends, where no bin fits, unless there are few of them a column anyway.
    assert read["rows"] <= max(2 * LEVELS[0], 0 if width >= LEVELS[0] else LEVELS[0] * columns)
    assert read["bins"] <= 2 * (columns + 2) * 16


def test_the_bins_of_a_long_run_are_those_of_its_rows(long_run):
    segment, _ = long_run
    assert list(check_pyramid(segment)) == []


def test_a_huge_number_of_the_loops_own_is_kept_in_the_bins(tmp_path):
    at = layout()
    rows = rows_of(at, 64, 0)
    rows["tokens"][5] = 1e300
    segment = write(tmp_path / "segment-0000.h5", at, rows)
    found = StageRows([segment]).pooled(0, 64, 32, ("tokens",)).channels["tokens"]
    assert found.high.tolist() == [1e300, rows["tokens"][32:].max()]
    segment.close()


def test_a_run_is_seen_as_one_whatever_its_segments(resumed):
    folder, rows = resumed
    (folder / "run.json").write_text('{"format": 1, "name": "r", "created": 0}')
    with RunReader(folder) as run:
        few = run.series("mean_variance", points=40)
        assert len(few.step) <= 40
        assert few.step[-1] == rows["step"][-1]
        window = run.series("mse", first=2990, last=3010)
        assert window.exact
        np.testing.assert_array_equal(window.mean, rows["mse"][2989:3010])
