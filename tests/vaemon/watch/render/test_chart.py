import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vaemon.watch.render.cells import length, plain
from vaemon.watch.render.chart import Plot, chart_rows, not_positive
from vaemon.watch.render.margins import GUTTER
from vaemon.watch.render.span import Pooled

ANY = st.floats(-1e12, 1e12) | st.just(float("nan"))


def plot(mean, spread=0.0, bad=None, **options):
    mean = np.array(mean, float)
    return Plot(
        Pooled(mean, mean - spread, mean + spread, np.zeros(len(mean), int) if bad is None else np.array(bad)),
        **options,
    )


def text(plot, height, width, ascii_only=False):
    return [plain(row).rstrip() for row in chart_rows(plot, height, width, ascii_only=ascii_only)]


def labels(plot, height, width):
    return {row[:GUTTER].strip() for row in text(plot, height, width)} - {""}


def inks(plot, height, width):
    return {span.ink.fg for row in chart_rows(plot, height, width, ascii_only=False) for span in row}


def test_a_falling_line_with_its_ticks():
    assert text(plot(np.linspace(1, 0, 20)), 5, 20) == [
        "     1 ⠑⢄",
        "         ⠑⢄",
        "   0.5     ⠑⢄",
        "             ⠑⢄",
        "     0         ⠑⢄",
    ]


def test_ascii():
    assert text(plot(np.linspace(0, 1, 5)), 3, 18, ascii_only=True) == ["     1    **", "         *", "     0 **"]


def test_a_narrow_chart_has_no_gutter():
    assert text(plot([1, 1, 2, 2]), 1, 5) == ["⣀⠏"]


def test_a_label_too_long_for_the_gutter_is_left_out():
    assert not any(sign.isdigit() for row in text(plot([-123456, -123455]), 3, 30) for sign in row)


def test_the_envelope_is_faint_and_below_the_line():
    assert {"band", "line"} <= inks(plot(np.linspace(0, 1, 20), spread=0.3), 6, 20)


def test_the_level_is_drawn_and_labelled():
    rows = text(plot(np.linspace(1.4, 1.2, 4), level=1.0), 5, 20)
    assert rows[-1].startswith("     1 ")
    assert "reference" in inks(plot(np.linspace(1.4, 1.2, 4), level=1.0), 5, 20)


def test_the_level_lies_above_the_envelope():
    noise = plot(np.linspace(0.2, 0.3, 28), spread=1.0, level=1.0)
    level = next(row for row in chart_rows(noise, 9, 21, ascii_only=False) if plain(row).startswith("     1 "))
    assert {span.ink.fg for span in level} > {"reference", "band"}


def test_not_finite_is_marked_at_the_top_in_its_colour():
    marked = plot([1, 2, 3, 4], bad=[0, 0, 3, 0])
    top = chart_rows(marked, 3, 20, ascii_only=False)[0]
    assert [span.text for span in top if span.ink.fg == "bad"] == ["⡇"]


def test_nothing_but_nan_draws_only_marks():
    lost = plot([np.nan, np.nan], bad=[5, 5])
    assert "line" not in inks(lost, 3, 20)
    assert "bad" in inks(lost, 3, 20)


def test_what_a_log_axis_cannot_show_is_counted():
    values = plot([1.0, 0.0, -1.0, 2.0], log=True)
    assert not_positive(values) == 2
    assert not_positive(plot([0.0])) == 0


def test_the_crosshair():
    assert "cursor" in inks(plot([1, 2, 3, 4], at=3), 4, 20)
    assert "cursor" not in inks(plot([1, 2, 3, 4], at=99), 4, 20)


def test_smoothed_charts_keep_the_raw_line_faint():
    assert {"band", "line"} <= inks(plot([1, 5, 1, 5, 1, 5], smoothed=np.full(6, 3.0)), 6, 20)


@given(
    st.integers(0, 8),
    st.integers(0, 30),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.data(),
)
def test_anything_can_be_drawn(height, width, log, smoothed, ascii_only, data):
    dots = width - GUTTER if width > 2 * GUTTER else width
    count = data.draw(st.integers(0, dots if ascii_only else 2 * dots))
    mean, low, high, reference = (data.draw(arrays(float, count, elements=ANY)) for _ in range(4))
    bad = data.draw(arrays(np.int64, count, elements=st.integers(0, 9)))
    picture = Plot(
        Pooled(mean, low, high, bad),
        reference=data.draw(st.sampled_from([None, reference])),
        level=data.draw(st.sampled_from([None, 1.0])),
        log=log,
        smoothed=data.draw(arrays(float, count, elements=ANY)) if smoothed else None,
        at=data.draw(st.none() | st.integers(0, 70)),
    )
    rows = chart_rows(picture, height, width, ascii_only=ascii_only)
    assert len(rows) == (height if width else 0)
    assert all(length(row) == width for row in rows)


def test_of_mere_noise_the_envelope_is_on_the_axis():
    rng = np.random.default_rng(0)
    mean = 0.01 * rng.standard_normal(80)
    noise = Plot(Pooled(mean, mean - 1, mean + 1, np.zeros(80, np.int64)))
    assert {"1", "0", "-1"} <= labels(noise, 12, 87)


def test_of_noise_that_comes_after_a_fall_the_envelope_is_on_the_axis():
    rng = np.random.default_rng(0)
    mean = 1 + 0.002 * rng.standard_normal(80)
    mean[:2] = 1.24, 1.1
    law = plot(mean, spread=0.03, level=1.0)
    assert {"0.96", "1", "1.04"} <= labels(law, 12, 87)
    assert "1.2" not in labels(law, 12, 87)


def test_an_envelope_within_the_way_of_the_mean_does_not_widen_the_axis():
    assert labels(plot(np.linspace(0, 1, 80), spread=0.2), 12, 87) == labels(plot(np.linspace(0, 1, 80)), 12, 87)
