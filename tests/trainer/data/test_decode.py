import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from trainer.data.decode import ENDINGS, FORMATS, Fit, Unreadable, decode, is_picture


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "TGA"])
def test_lossless_formats_give_the_pixels_back(kind, encode, random_pixels):
    pixels = random_pixels((9, 7, 3))
    assert np.array_equal(decode(encode(pixels, kind)), pixels)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "GIF"])
def test_lossy_formats_give_about_the_pixels_back(kind, encode):
    pixels = np.full((16, 16, 3), (200, 40, 90), np.uint8)
    assert np.abs(decode(encode(pixels, kind)).astype(int) - pixels).max() <= 4


def test_grey_pictures_have_no_channels(encode, random_pixels):
    pixels = random_pixels((9, 7))
    assert np.array_equal(decode(encode(pixels)), pixels)
    assert np.array_equal(decode(encode(Image.fromarray(pixels > 127))), (pixels > 127) * 255)


def test_sixteen_bits_are_scaled_to_eight(encode):
    wide = np.array([[0, 128, 129, 257 * 100, 257 * 200 + 128, 65535]], np.uint16)
    assert decode(encode(wide)).tolist() == [[0, 0, 1, 100, 200, 255]]


def test_transparency_is_laid_on_white(encode):
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0, 0] = (10, 20, 30, 255)
    assert decode(encode(pixels)).tolist() == [[[10, 20, 30], [255] * 3], [[255] * 3, [255] * 3]]
    grey = Image.fromarray(np.array([[[50, 255], [50, 0]]], np.uint8), "LA")
    assert decode(encode(grey)).tolist() == [[50, 255]]
    palette = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    palette.putpalette([10, 20, 30, 40, 50, 60])
    assert decode(encode(palette, transparency=1)).tolist() == [[[10, 20, 30], [255] * 3]]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_pictures_stand_as_their_exif_data_say(kind, encode):
    lying = Image.new("RGB", (8, 16), (0, 0, 0))
    lying.paste((255, 255, 255), (0, 0, 8, 8))  # bright above; the camera was turned
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = decode(encode(lying, kind, exif=exif))
    assert upright.shape == (8, 16, 3)
    assert upright[:, 12:].min() > 200
    assert upright[:, :4].max() < 50


def test_of_an_animation_the_first_frame_is_taken(encode):
    first, second = Image.new("L", (4, 4), 10), Image.new("L", (4, 4), 250)
    assert decode(encode(first, "GIF", save_all=True, append_images=[second])).max() == 10


def test_a_picture_is_cut_to_its_middle_and_shrunk_without_jaggies(encode, random_pixels):
    pixels = random_pixels((40, 101, 3))
    middle = Image.fromarray(pixels[:, 30:70])
    assert np.array_equal(
        decode(encode(pixels), Fit(10)), np.asarray(middle.resize((10, 10), Image.Resampling.BILINEAR))
    )
    tall = Image.fromarray(pixels.transpose(1, 0, 2)[30:70])
    assert np.array_equal(
        decode(encode(pixels.transpose(1, 0, 2).copy()), Fit(10)),
        np.asarray(tall.resize((10, 10), Image.Resampling.BILINEAR)),
    )
    stripes = np.tile(np.array([0, 255], np.uint8), (64, 32))
    assert np.ptp(decode(encode(stripes), Fit(16))[:, 1:-1]) == 0, "every pixel averages over what it covers"


def test_a_picture_of_the_right_size_is_left_alone(encode, random_pixels):
    pixels = random_pixels((12, 12, 3))
    assert np.array_equal(decode(encode(pixels), Fit(12)), pixels)


def test_small_pictures_are_enlarged(encode):
    assert decode(encode(np.zeros((3, 5), np.uint8)), Fit(20)).shape == (20, 20)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM"])
def test_a_cut_picture_is_unreadable(kind, encode, random_pixels):
    whole = encode(random_pixels((32, 32, 3)), kind)
    for share in (0.0, 0.02, 0.3, 0.7):
        with pytest.raises(Unreadable):
            decode(whole[: int(len(whole) * share)])


def test_what_is_no_picture_is_unreadable(encode):
    for data in (b"", b"hello", b"<html>not found</html>", b"GIF89a" + bytes(20)):
        with pytest.raises(Unreadable):
            decode(data)


def test_a_picture_without_a_range_is_unreadable(encode):
    with pytest.raises(Unreadable, match="mode F have no known range"):
        decode(encode(np.ones((4, 4), np.float32), "TIFF"))


def test_a_bomb_is_unreadable():
    header = struct.pack(">II", 60_000, 60_000) + bytes([8, 2, 0, 0, 0])
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + header
    with pytest.raises(Unreadable):
        decode(bomb + struct.pack(">I", zlib.crc32(b"IHDR" + header)), Fit(8))


def test_postscript_is_never_interpreted(encode):
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "EPS")
    with pytest.raises(Unreadable):
        decode(file.getvalue())
    assert "EPS" not in FORMATS


def test_names_promise_pictures():
    assert all(is_picture(f"a/b{ending}") for ending in ENDINGS)
    assert is_picture("PHOTO.JPG")
    assert not any(is_picture(name) for name in ("notes.txt", "jpg", "a.eps", "a.png.part"))
