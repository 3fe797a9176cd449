import numpy as np
import pytest
from PIL import Image

from trainer.data import celeba
from trainer.data.watch import Watch
from trainer.data.ways import Ways
from vaemon.errors import DataNotFound

WIDTH, HEIGHT = 178, 218
NUMBERS = (3, 1, 2, 162_770, 162_771, 182_637, 182_638, 202_599)
"""Two of them end the training images, two begin and end those for validation, two those for testing."""


@pytest.fixture
def faces(encode):
    """{name: bytes} of aligned pictures, each of one grey by its place in NUMBERS; numbers may be given."""

    def make(numbers=NUMBERS, place="img_align_celeba/"):
        return {
            f"{place}{number:06}.jpg": encode(np.full((HEIGHT, WIDTH, 3), 20 * i + 20, np.uint8), "JPEG")
            for i, number in enumerate(numbers)
        }

    return make


def _read(path, size=0, **ways):
    return celeba.images(path, size=size, ways=Ways(**ways), watch=Watch())


def _greys(pixels):
    return [round((each - 20) / 20) for each in pixels.mean((1, 2, 3)).tolist()]


@pytest.mark.parametrize("kind", ["folder", "parent", "zip", "zip beside", "official tree"])
def test_the_faces_are_found_and_divided_by_number(kind, faces, write_folder, write_zip, tmp_path):
    if kind.startswith("zip"):
        path = write_zip(faces(), "img_align_celeba.zip")
        path = path if kind == "zip" else tmp_path
    else:
        folder = write_folder(faces(place="Img/img_align_celeba/" if "tree" in kind else "img_align_celeba/"))
        path = folder / "img_align_celeba" if kind == "folder" else folder
    images = _read(path)
    assert images.train.shape == (4, 64, 64, 3)
    assert _greys(images.train) == [1, 2, 0, 3], "in the order of their numbers"
    assert _greys(images.test) == [6, 7]
    assert "split by number, only 8 of 202,599 pictures (2 outside train and test left out)" in images.source


@pytest.mark.parametrize("place", ["", "img_align_celeba/", "Eval/"])
@pytest.mark.parametrize("line", ["{} {}\r\n", "{},{}\n"])
def test_the_official_file_divides_wherever_it_lies(place, line, faces, write_folder, write_zip):
    part = dict(zip(NUMBERS, (0, 2, 2, 1, 0, 0, 1, 2), strict=True))
    text = "".join(line.format(f"{number:06}.jpg", part[number]) for number in sorted(NUMBERS))
    if "," in line:
        text = "image_id,partition\n" + text
    name = "list_eval_partition." + ("csv" if "," in line else "txt")
    files = faces() | {place + name: text.encode()}
    for path in (write_folder(files), write_zip(files)):
        images = _read(path)
        assert _greys(images.train) == [0, 4, 5]
        assert _greys(images.test) == [1, 2, 7]
        assert "official split file" in images.source


def test_another_split_is_not_taken_from_the_cache(faces, write_folder):
    folder = write_folder(faces())
    before = _read(folder)
    text = "".join(f"{number:06}.jpg {2 * (number > 2)}\n" for number in NUMBERS)
    (folder / "list_eval_partition.txt").write_text(text)
    assert (len(before.train), len(_read(folder).train)) == (4, 2)


@pytest.mark.parametrize("resize", ["nearest", "bilinear", "bicubic"])
def test_the_middle_is_cut_and_resized_as_the_published_code_does(resize, encode, random_pixels, write_folder):
    files = {f"{number:06}.png": encode(random_pixels((HEIGHT, WIDTH, 3), number)) for number in (1, 200_000)}
    images = _read(write_folder(files), resize=resize)
    middle = random_pixels((HEIGHT, WIDTH, 3), 1)[45:173, 25:153]
    assert middle.shape == (128, 128, 3)
    expected = np.asarray(Image.fromarray(middle).resize((64, 64), Image.Resampling[resize.upper()]))
    assert np.array_equal(images.train[0], expected)
    if resize == "nearest":
        assert np.array_equal(images.train[0], middle[1::2, 1::2]), "points of the picture, and no means of them"
    assert _read(write_folder(files), size=32, resize=resize).train.shape == (1, 32, 32, 3)


def test_files_of_other_names_need_the_split_file(faces, write_folder):
    files = {f"face-{i}.jpg": data for i, data in enumerate(faces().values())}
    folder = write_folder(files)
    with pytest.raises(DataNotFound, match=r"found face-0.jpg, .*; put list_eval_partition.txt beside them"):
        _read(folder)
    (folder / "list_eval_partition.txt").write_text("".join(f"{name} {2 * i % 4}\n" for i, name in enumerate(files)))
    assert _greys(_read(folder).train) == [0, 2, 4, 6]


def test_the_whole_set_is_divided_by_order_whatever_the_names(tmp_path):
    part = celeba._divided(tmp_path, [f"{i:07}.jpg" for i in range(celeba.COUNT)][::-1], {}).part
    counts = {each: sum(1 for found in part.values() if found == each) for each in ("train", "validation", "test")}
    assert counts == {"train": 162_770, "validation": 19_867, "test": 19_962}
    assert (part["0162769.jpg"], part["0162770.jpg"], part["0202598.jpg"]) == ("train", "validation", "test")


def test_a_part_without_pictures_is_told(faces, write_folder):
    with pytest.raises(DataNotFound, match=r"of 3 pictures none is for test by CelebA's split"):
        _read(write_folder(faces((1, 2, 3))))


def test_a_damaged_split_file_is_told(faces, write_folder):
    folder = write_folder(faces() | {"list_eval_partition.txt": b"000001.jpg 0\n<html>\n"})
    with pytest.raises(DataNotFound, match=r"list_eval_partition.txt, line 2: .* found '<html>'; fetch it again"):
        _read(folder)


def test_pictures_that_were_not_aligned_are_refused(faces, encode, write_folder):
    files = faces() | {"img_align_celeba/000007.jpg": encode(np.zeros((64, 64, 3), np.uint8), "JPEG")}
    with pytest.raises(DataNotFound, match=r"1 of 7 pictures .*000007.jpg: is 64 × 64, not 178 × 218"):
        _read(write_folder(files))
