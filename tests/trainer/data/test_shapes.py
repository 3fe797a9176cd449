import numpy as np
import pytest

from trainer.data import shapes
from trainer.data.shapes import FACTORS, draw, images, render
from trainer.data.split import TEST, TRAIN
from vaemon.errors import UsageError

NAMES = [factor.name for factor in FACTORS]
MIDDLE = 0.5


def _picture(**factors):
    row = [factors.get(name, MIDDLE) for name in NAMES]
    return render(np.array([row]), 64)[0].astype(float)


def _mask(**factors):
    """Share of each pixel that the block covers, told by its colour against a dark backdrop."""
    picture = _picture(hue=0.0, tint=1.0, **factors)
    return np.clip((picture[..., 0] - 70) / 120, 0, 1)


def _centre(mask):
    grid = (np.arange(len(mask)) + 0.5) / len(mask)
    return (mask.sum(0) @ grid) / mask.sum(), (mask.sum(1) @ grid) / mask.sum()


def _tilt(mask):
    """Angle of the longest axis from upright, clockwise, by second moments."""
    x, y = _centre(mask)
    grid = (np.arange(len(mask)) + 0.5) / len(mask)
    right, up = grid[None, :] - x, y - grid[:, None]
    moments = [(mask * a * b).sum() for a, b in ((right, right), (up, up), (right, up))]
    return 0.5 * np.arctan2(2 * moments[2], moments[1] - moments[0])


def test_the_dataset_is_what_the_readme_says():
    made = images(limit=20)
    assert made.train.shape == made.test.shape == (20, 32, 32, 3)
    assert made.train.dtype == np.uint8
    assert made.factors == ("x", "y", "hue", "angle", "size", "taper", "light", "tint")
    assert (shapes.TRAIN_COUNT, shapes.TEST_COUNT) == (10_000, 2_000)


def test_the_seed_makes_the_images():
    one, again, other = (images(limit=30, seed=seed) for seed in (4, 4, 5))
    assert np.array_equal(one.train, again.train)
    assert np.array_equal(one.test, again.test)
    assert not np.array_equal(one.train, other.train)
    assert not np.array_equal(one.train, one.test), "train and test are different pictures"


def test_a_smaller_limit_draws_the_beginning_of_a_larger():
    assert np.array_equal(images(limit=7).train, images(limit=50).train[:7])


def test_pictures_do_not_depend_on_how_many_are_painted_at_a_time(monkeypatch):
    factors = draw(40, 1)
    together = render(factors, 24)
    monkeypatch.setattr(shapes, "BLOCK", 24 * 24 * 7)
    assert np.array_equal(render(factors, 24), together)


def test_factors_are_uniform_and_independent():
    drawn = draw(20_000, 0)
    # Kolmogorov-Smirnov against the uniform law: sqrt(n) * D stays below 1.95 with probability .999.
    expected = np.arange(20_000) / 20_000
    distance = np.abs(np.sort(drawn, axis=0) - expected[:, None]).max(axis=0)
    assert (distance * np.sqrt(20_000) < 1.95).all()
    correlation = np.corrcoef(drawn.T) - np.eye(len(FACTORS))
    assert np.abs(correlation).max() < 4 / np.sqrt(20_000)
    halves = (drawn < 0.5).astype(int) @ (1 << np.arange(len(FACTORS)))
    counts = np.bincount(halves, minlength=2 ** len(FACTORS))
    assert ((counts - counts.mean()) ** 2 / counts.mean()).sum() < 340  # chi-square, 255 degrees: .999 is at 330


def test_train_and_test_factors_are_independent_streams():
    train, test = draw(5_000, 0, TRAIN), draw(5_000, 0, TEST)
    across = np.corrcoef(train.T, test.T)[: len(FACTORS), len(FACTORS) :]
    assert np.abs(across).max() < 4.5 / np.sqrt(5_000)


def test_factors_stand_in_the_order_of_their_share_of_the_variance():
    """Total-effect index (Homma & Saltelli 1996): half the mean square change when one factor is drawn anew."""
    drawn, anew = draw(400, 1, TRAIN), draw(400, 1, TEST)
    before = render(drawn).astype(float)
    shares = []
    for factor in range(len(FACTORS)):
        changed = drawn.copy()
        changed[:, factor] = anew[:, factor]
        shares.append(((render(changed) - before) ** 2).mean())
    assert shares == sorted(shares, reverse=True)
    assert min(shares) > 0.02 * max(shares), "the faintest one can still be seen"


@pytest.mark.parametrize("factor", FACTORS, ids=NAMES)
def test_every_step_of_a_factor_changes_the_picture(factor):
    rows = np.full((9, len(FACTORS)), MIDDLE)
    rows[:, NAMES.index(factor.name)] = np.linspace(0, 1, 9)
    line = render(rows, 32).astype(float)
    steps = np.abs(np.diff(line, axis=0)).sum(axis=(1, 2, 3))
    assert (steps > 0).all()
    from_start = np.abs(line - line[0]).sum(axis=(1, 2, 3))
    assert from_start[-1] > steps.max(), "the far end is no nearer to the start than a step: the factor does not close"


@pytest.mark.parametrize("taper", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("angle", [0.0, 0.5, 0.9])
def test_the_centre_of_mass_is_where_x_and_y_say(taper, angle):
    x, y = _centre(_mask(x=0.3, y=0.6, size=0.3, taper=taper, angle=angle))
    low, high = FACTORS[0].low, FACTORS[0].high
    assert x == pytest.approx(low + 0.3 * (high - low), abs=0.006)
    assert y == pytest.approx(low + 0.6 * (high - low), abs=0.006)


@pytest.mark.parametrize("angle", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_the_block_turns_clockwise_by_its_angle(angle):
    factor = FACTORS[NAMES.index("angle")]
    radians = factor.low + angle * (factor.high - factor.low)
    assert _tilt(_mask(angle=angle, taper=0.0)) == pytest.approx(radians, abs=0.03)


@pytest.mark.parametrize("size", [0.0, 0.5, 1.0])
def test_size_is_half_the_length_of_the_block(size):
    factor = FACTORS[NAMES.index("size")]
    half = factor.low + size * (factor.high - factor.low)
    column = _mask(size=size, taper=0.0, angle=0.5)[:, 32]
    assert column.sum() / 64 == pytest.approx(2 * half, abs=0.02)


def test_taper_turns_a_bar_into_a_triangle():
    bar, triangle = (_mask(taper=taper, angle=0.5, size=1.0).sum(axis=1) for taper in (0.0, 1.0))
    inner = np.flatnonzero(bar > 0.5 * bar.max())[3:-3]
    assert np.ptp(bar[inner]) < 0.05 * bar.max(), "a bar is as wide above as below"
    rows = np.flatnonzero(triangle > 1)
    assert triangle[rows[4]] < 0.4 * triangle[rows[-4]], "a triangle is pointed above"
    assert triangle.sum() == pytest.approx(bar.sum(), rel=0.12), "of about the same area"


def test_hue_and_tint_change_colour_but_hardly_brightness():
    for name in ("hue", "tint"):
        brightness = [_picture(**{name: value}).mean() for value in np.linspace(0, 1, 7)]
        assert np.ptp(brightness) < 0.02 * np.mean(brightness)


def test_light_comes_from_one_side():
    left, right = (_picture(light=value).mean(axis=(0, 2)) for value in (0.0, 1.0))
    assert left[0] > left[-1] + 20
    assert right[-1] > right[0] + 20


def test_edges_are_soft():
    """Moving by a quarter of a pixel shifts the centre of mass by a quarter: nothing jumps from pixel to pixel."""
    span = FACTORS[0].high - FACTORS[0].low
    centres = [_centre(_mask(x=0.5 + i / 4 / 64 / span))[0] * 64 for i in range(5)]
    assert np.diff(centres) == pytest.approx([0.25] * 4, abs=0.04)


@pytest.mark.parametrize("size", [8, 16, 48, 256])
def test_other_sizes_show_the_same_scene(size):
    row = draw(1, 6)
    assert render(row, size).shape == (1, size, size, 3)
    assert render(row, size).mean() == pytest.approx(render(row, 64).mean(), rel=0.02)


@pytest.mark.parametrize("size", [1, 7, 257])
def test_sizes_that_show_nothing_or_too_much_are_refused(size):
    with pytest.raises(UsageError, match=rf"8 to 256 pixels wide, not {size}"):
        images(size=size)
