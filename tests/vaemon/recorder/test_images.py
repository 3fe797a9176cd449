import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaemon import Recorder, open_run
from vaemon.batch import StageInfo
from vaemon.errors import UsageError
from vaemon.recorder import images as images_module
from vaemon.recorder.images import ImageLog, take, to_pixels
from vaemon.runfile.images import ImageFolder

STAGE = StageInfo(1, 2)


def found(folder):
    have = ImageFolder(folder)
    return {(each.stage, each.step, each.kind): have.read(each) for each in have.list()}


def events(name="r"):
    with open_run(name) as run:
        return [(event.kind, event.text) for event in run.events()]


DTYPES = ("float16", "float32", "float64", "uint8", "bool")


@pytest.mark.parametrize(
    ("library", "dtype"),
    [*((library, dtype) for library in ("numpy", "torch") for dtype in DTYPES), ("torch", "bfloat16")],
)
def test_images_of_any_kind_come_back_as_bytes(runs, library, dtype):
    given = torch.tensor([0.0, 1.0, 0.5, 0.25])[:, None, None].expand(4, 3, 2)
    given = (given * 255).to(torch.uint8) if dtype == "uint8" else given.to(getattr(torch, dtype))
    if library == "numpy":
        given = given.numpy()
    with Recorder("r") as recorder:
        recorder.log(1, mse=1.0)
        recorder.images("x", given)
    read = found(recorder.folder)[1, 1, "x"]
    assert read.shape == (4, 3, 2, 1)
    expected = [0, 255, 255, 255] if dtype == "bool" else [0, 255, 127, 63]
    np.testing.assert_allclose(read[:, 0, 0, 0], expected, atol=1)


def test_channels_may_come_first_or_last():
    image = np.random.default_rng(0).integers(0, 256, (5, 6, 4, 3), np.uint8)
    np.testing.assert_array_equal(to_pixels(image)[0], image)
    np.testing.assert_array_equal(to_pixels(image.transpose(0, 3, 1, 2))[0], image)
    grey = image[..., :1]
    np.testing.assert_array_equal(to_pixels(grey)[0], grey)
    np.testing.assert_array_equal(to_pixels(grey[..., 0])[0], grey)
    np.testing.assert_array_equal(to_pixels(grey.transpose(0, 3, 1, 2))[0], grey)


def test_what_is_out_of_range_is_clipped_and_nan_is_counted():
    pixels, bad = to_pixels(np.array([[[-1.0, 2.0, np.nan, np.inf, -np.inf, 1e300]]]))
    assert pixels.ravel().tolist() == [0, 255, 0, 255, 0, 255]
    assert bad == 1


@settings(deadline=None)
@given(st.integers(1, 900), st.integers(1, 900))
def test_large_images_are_reduced_and_keep_their_mean(height, width):
    image = np.full((1, height, width), 77, np.uint8)
    pixels, _ = to_pixels(image)
    assert max(pixels.shape) <= 256
    assert (pixels == 77).all()
    factor = -(-max(height, width) // 256)
    assert pixels.shape[1:3] == (-(-height // factor), -(-width // factor))


def test_each_reduced_pixel_is_the_mean_of_what_it_stands_for():
    image = np.random.default_rng(1).integers(0, 256, (1, 512, 512, 3), np.uint8)
    expected = image.reshape(1, 256, 2, 256, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(to_pixels(image)[0], expected, atol=0.51)


def test_what_is_kept_is_a_copy_of_the_first_64(runs):
    images = np.zeros((100, 4, 4), np.uint8)
    tensor = torch.zeros(100, 4, 4)
    with Recorder("r") as recorder:
        recorder.log(1, mse=1.0)
        recorder.images("numpy", images)
        recorder.images("torch", tensor)
        images[:] = 255
        tensor[:] = 1.0
    read = found(recorder.folder)
    assert {kind: (len(each), each.max()) for (_, _, kind), each in read.items()} == {
        "numpy": (64, 0),
        "torch": (64, 0),
    }


def test_no_set_takes_more_than_the_buffer(monkeypatch):
    monkeypatch.setattr(images_module, "BUFFER_BYTES", 1000)
    assert len(take(STAGE, 1, "x", np.zeros((64, 10, 10), np.uint8)).images) == 10
    with pytest.raises(UsageError, match="one image takes 1,600 bytes"):
        take(STAGE, 1, "x", np.zeros((64, 40, 40), np.uint8))


def test_images_that_nobody_writes_are_dropped_once_too_many_wait(tmp_path, monkeypatch):
    monkeypatch.setattr(images_module, "BUFFER_BYTES", 1000)
    told = []
    waiting = ImageLog(tmp_path, told.append)
    for step in range(30):
        waiting.put(take(STAGE, step, "x", np.zeros((4, 10, 10), np.uint8)))
    assert [(event.step, event.kind) for event in told] == [(2, "drop")]
    waiting.write()
    assert sorted(step for _, step, _ in found(tmp_path)) == [0, 1]
    waiting.put(take(STAGE, 40, "x", np.zeros((4, 10, 10), np.uint8)))
    waiting.write()
    assert (1, 40, "x") in found(tmp_path)


WRONG = [
    np.zeros((3, 8)),
    np.zeros((2, 8, 8, 4)),
    np.zeros((0, 8, 8)),
    np.zeros((2, 8, 8), int),
    "words",
    None,
    [[[1j]]],
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_what_is_no_image_raises_before_the_first_row_only(runs, wrong):
    with Recorder("r") as recorder:
        with pytest.raises(UsageError):
            recorder.images("x", wrong)
        recorder.log(1, mse=1.0)
        for _ in range(10):
            recorder.images("x", wrong)
        recorder.images("", np.zeros((1, 2, 2)))
        recorder.images("x", np.zeros((1, 2, 2)), step="five")
    errors = [text for kind, text in events() if kind == "error"]
    assert len(errors) == 3
    assert all("was not recorded" in text for text in errors)
    assert found(recorder.folder) == {}


def test_a_full_disk_costs_the_images_and_no_row(runs, monkeypatch):
    def full(folder):
        raise OSError("No space left on device")

    with Recorder("r") as recorder:
        recorder.log(1, mse=1.0)
        with monkeypatch.context() as patched:
            patched.setattr(images_module, "check_space", full)
            for step in range(2, 12):
                recorder.log(step, mse=1.0)
                recorder.images("x", np.zeros((1, 2, 2)))
            recorder.flush()
        recorder.images("y", np.zeros((1, 2, 2)))
    assert [text for kind, text in events() if kind == "drop"] == ["images 'x': No space left on device"]
    assert found(recorder.folder).keys() == {(1, 11, "y")}
    with open_run("r") as run:
        assert run.info().reason == ""
        assert len(run.series("mse").mean) == 11


def test_images_can_be_read_once_flush_returns(runs):
    with Recorder("r", latents=1) as recorder:
        recorder.images("inputs", np.zeros((2, 4, 4)), step=0)
        recorder.log(1, mse=1.0)
        recorder.images("GEN-1", np.ones((2, 4, 4)))
        assert recorder.flush()
        assert found(recorder.folder).keys() == {(1, 0, "inputs"), (1, 1, "GEN-1")}
    recorder.images("late", np.zeros((2, 4, 4)))
    assert (1, 1, "late") not in found(recorder.folder)


def test_a_resumed_run_replaces_the_images_of_the_steps_it_replaces(runs):
    def session(first, last, kind, **options):
        with Recorder("r", **options) as recorder:
            recorder.images("inputs", np.zeros((1, 2, 2)), step=0)
            for step in range(first, last + 1):
                recorder.log(step, mse=1.0)
                if step % 10 == 0:
                    recorder.images(kind, np.zeros((1, 2, 2)))
        return recorder.folder

    session(1, 50, "old")
    folder = session(21, 40, "new", resume=True)
    assert sorted((step, kind) for _, step, kind in found(folder)) == [
        (0, "inputs"),
        (10, "old"),
        (20, "old"),
        (30, "new"),
        (40, "new"),
    ]


def test_a_stage_begun_anew_replaces_its_images(runs):
    with Recorder("r") as recorder:
        for kind in ("first", "second"):
            recorder.stage(2, latents=1)
            for step in range(1, 11):
                recorder.log(step, mse=1.0)
            recorder.images(kind, np.zeros((1, 2, 2)))
            recorder.flush()
    assert found(recorder.folder).keys() == {(2, 10, "second")}


def test_nan_in_images_is_an_event(runs):
    with Recorder("r") as recorder:
        recorder.log(1, mse=1.0)
        for _ in range(5):
            recorder.images("GEN-1", np.full((2, 3, 3), np.nan))
    assert [text for kind, text in events() if kind == "nan"] == ["images 'GEN-1': 18 values are NaN"]
