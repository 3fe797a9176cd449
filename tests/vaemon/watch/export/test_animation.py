"""Moving pictures, read back."""

import io

import numpy as np
import pytest
from PIL import Image
from rich.segment import Segment
from rich.style import Style

from vaemon.errors import UsageError
from vaemon.watch.export.animation import animation, save_animation
from vaemon.watch.export.frame import frame_of
from vaemon.watch.export.png import Painter


def frame(text):
    return frame_of([[Segment(text, Style.parse("#ff0000 on #0000ff"))]], ground="#000011")


FRAMES = [(frame("█  "), 0.2), (frame("██ "), 0.2), (frame("███"), 2.5)]


def test_frames_and_their_times():
    image = Image.open(io.BytesIO(animation(FRAMES)))
    assert image.n_frames == 3
    assert image.info["loop"] == 0
    times = []
    for number, (shown, _) in enumerate(FRAMES):
        image.seek(number)
        image.load()
        times.append(image.info["duration"])
        seen, painted = np.asarray(image), np.asarray(Painter().rounded(shown))
        assert (seen[:, :, 3] == painted[:, :, 3]).all()
        assert (seen == painted)[painted[:, :, 3] > 0].all()
    assert times == [200, 200, 2500]


def test_one_frame():
    assert Image.open(io.BytesIO(animation(FRAMES[:1], scale=1.0))).size == (3 * 8 + 28, 18 + 28)


@pytest.mark.parametrize("frames", [[], [*FRAMES, (frame("█"), 0.2)]])
def test_frames_that_are_not_of_one_size(frames, tmp_path):
    with pytest.raises(UsageError, match="one size"):
        save_animation(frames, tmp_path / "a.webp")
    assert not list(tmp_path.iterdir())


def test_saved(tmp_path):
    assert save_animation(FRAMES, tmp_path / "a.webp").read_bytes() == animation(FRAMES)
