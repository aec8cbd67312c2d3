import io
import struct
import zlib

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from dssn_core import read_image
from dssn_core.images import (
    MAX_BYTES,
    ImageError,
    crop_box,
    fit_picture,
    image_sha256,
    open_picture,
    to_picture,
)


def encoded(picture, kind="PNG", **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def random_pixels(height=32, width=32, channels=3, seed=0):
    return np.random.RandomState(seed).randint(0, 256, size=(height, width, channels), dtype=np.uint8)


def pixels_of(image):
    return image.permute(1, 2, 0).numpy()


def chunk(kind, data):
    """Of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_claiming(width, height):
    """A PNG whose header claims a size, with next to no data behind it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    )


# --- what is read ---


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("BMP", {}), ("WEBP", {"lossless": True})])
def test_a_lossless_picture_of_the_right_size_keeps_its_pixels(kind, options):
    pixels = random_pixels()
    image = read_image(encoded(Image.fromarray(pixels), kind, **options))
    assert image.dtype == torch.uint8 and image.shape == (3, 32, 32) and image.is_contiguous()
    assert np.array_equal(pixels_of(image), pixels)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_a_lossy_picture(kind):
    image = read_image(encoded(Image.new("RGB", (32, 32), (200, 100, 50)), kind))
    assert np.abs(pixels_of(image).astype(int) - [200, 100, 50]).max() <= 6


def test_a_path_is_read_like_its_bytes(tmp_path):
    data = encoded(Image.fromarray(random_pixels()))
    path = tmp_path / "picture.png"
    path.write_bytes(data)
    assert torch.equal(read_image(path), read_image(data))
    assert torch.equal(read_image(str(path)), read_image(data))


def test_sizes_are_height_and_width():
    pixels = random_pixels(height=20, width=30)
    assert np.array_equal(pixels_of(read_image(encoded(Image.fromarray(pixels)), size=(20, 30))), pixels)


UPRIGHT = {  # EXIF orientation to what a viewer does with the stored pixels
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", list(UPRIGHT))
def test_exif_orientation_is_applied(orientation):
    stored = random_pixels(height=6, width=9)
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = UPRIGHT[orientation](stored)
    data = encoded(Image.fromarray(stored), exif=exif)
    assert np.array_equal(pixels_of(read_image(data, size=upright.shape[:2])), upright)


def test_exif_orientation_of_a_jpeg():
    stored = np.zeros((32, 32, 3), dtype=np.uint8)
    stored[:, :16, 0] = 255  # red on the left; turned right by orientation 6, it comes to the top
    exif = Image.Exif()
    exif[0x0112] = 6
    image = read_image(encoded(Image.fromarray(stored), "JPEG", exif=exif, quality=95, subsampling=0))
    assert image[0, :14].min() > 200 and image[0, 18:].max() < 50


def test_transparency_is_laid_on_white():
    picture = Image.new("RGBA", (32, 32), (255, 0, 0, 0))
    picture.putpixel((0, 0), (255, 0, 0, 255))
    picture.putpixel((1, 0), (0, 0, 0, 128))
    image = read_image(encoded(picture))
    assert image[:, 0, 0].tolist() == [255, 0, 0]
    assert image[:, 0, 1].tolist() == [127, 127, 127]
    assert image[:, 1, 1].tolist() == [255, 255, 255]


def test_grey_with_transparency():
    image = read_image(encoded(Image.new("LA", (32, 32), (10, 0))))
    assert image.unique().tolist() == [255]


def test_grey_of_16_bits_with_a_transparent_entry():
    values = np.full((32, 32), 1285, dtype=np.uint16)
    values[0, 0] = 40_000
    image = read_image(encoded(Image.fromarray(values), transparency=1285))
    assert image[:, 5, 5].tolist() == [255, 255, 255] and image[:, 0, 0].tolist() == [156, 156, 156]


def png_of(depth, colour_type, row, transparent, width, rows=32):
    """A PNG of equal rows, of a depth that Pillow reads but does not write, with a transparent colour."""
    header = struct.pack(">IIBBBBB", width, rows, depth, colour_type, 0, 0, 0)
    parts = {b"IHDR": header, b"tRNS": transparent, b"IDAT": zlib.compress((b"\0" + row) * rows), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts.items())


@pytest.mark.parametrize(
    ("depth", "row", "transparent", "expected"),
    [
        (1, b"\x50\x00\x00\x00", 0, [255, 255, 255, 255]),
        (1, b"\x50\x00\x00\x00", 1, [0, 255, 0, 255]),
        (2, b"\x1b" + 7 * b"\x00", 2, [0, 85, 255, 255]),
        (2, b"\x1b" + 7 * b"\x00", 0, [255, 85, 170, 255]),
        (4, b"\x07\x7f" + 14 * b"\x00", 7, [0, 255, 255, 255]),
        (4, b"\x07\x70" + 14 * b"\x00", 0, [255, 119, 119, 255]),
        (8, b"\x07\x77\x00\xff" + 28 * b"\x00", 7, [255, 119, 0, 255]),
    ],
)
def test_grey_of_any_depth_with_a_transparent_entry(depth, row, transparent, expected):
    image = read_image(png_of(depth, 0, row, struct.pack(">H", transparent), 32))
    assert image[0, 3, :4].tolist() == expected and (image == image[:1]).all()


@pytest.mark.parametrize("transparent", [(0x12FF,) * 3, (0x0012,) * 3])
def test_a_transparent_colour_of_16_bits_is_refused(transparent):
    """Pillow reads its pixels at 8 bits, where it cannot be told from colours near it."""
    picture = png_of(16, 2, 32 * struct.pack(">HHH", 0x12FF, 0x12FF, 0x12FF), struct.pack(">HHH", *transparent), 32)
    with pytest.raises(ImageError, match="one colour of 16 bits transparent: save it with 8 bits a channel"):
        read_image(picture)


def test_a_transparent_colour_of_8_bits():
    row = b"\x01\x02\x03\x01\x02\x04" + 90 * b"\x00"
    image = read_image(png_of(8, 2, row, struct.pack(">HHH", 1, 2, 3), 32))
    assert image[:, 0, :3].T.tolist() == [[255, 255, 255], [1, 2, 4], [0, 0, 0]]


def test_a_palette():
    picture = Image.new("P", (32, 32), 1)
    picture.putpalette([0, 0, 0, 10, 20, 30])
    assert read_image(encoded(picture))[:, 5, 5].tolist() == [10, 20, 30]


def test_a_palette_with_a_transparent_entry():
    picture = Image.new("P", (32, 32), 1)
    picture.putpalette([0, 0, 0, 10, 20, 30])
    picture.putpixel((0, 0), 0)
    image = read_image(encoded(picture, transparency=1))
    assert image[:, 5, 5].tolist() == [255, 255, 255] and image[:, 0, 0].tolist() == [0, 0, 0]


def test_a_grey_picture_has_three_equal_channels():
    grey = random_pixels(channels=1)[:, :, 0]
    image = read_image(encoded(Image.fromarray(grey)))
    assert all(np.array_equal(channel.numpy(), grey) for channel in image)


def test_a_1_bit_picture():
    bits = random_pixels(channels=1)[:, :, 0] > 127
    image = read_image(encoded(Image.fromarray(bits)))
    assert np.array_equal(image[0].numpy(), bits * 255)


def test_16_bit_grey_is_scaled():
    values = np.full((32, 32), 65535, dtype=np.uint16)
    values[0, :4] = [0, 257, 128 * 257, 129]  # 129/257 is nearer to 1 than to 0
    image = read_image(encoded(Image.fromarray(values)))
    assert image[:, 0, :5].tolist() == [[0, 1, 128, 1, 255]] * 3


def test_16_bit_grey_that_is_nearly_black_stays_nearly_black():
    image = read_image(encoded(Image.fromarray(np.full((32, 32), 255, dtype=np.uint16))))
    assert image.unique().tolist() == [1]  # 255 of 65535 is one of 255


def test_a_cmyk_jpeg():
    image = read_image(encoded(Image.new("CMYK", (32, 32), (0, 255, 255, 0)), "JPEG", quality=95))
    red, green, blue = image[:, 16, 16].tolist()
    assert red > 240 and green < 15 and blue < 15


@pytest.mark.parametrize(("kind", "options"), [("WEBP", {"lossless": True}), ("PNG", {})])
def test_the_first_frame_of_an_animation(kind, options):
    first, second = (Image.new("RGB", (32, 32), colour) for colour in ("red", "blue"))
    data = encoded(first, kind, save_all=True, append_images=[second], duration=100, **options)
    assert read_image(data)[:, 3, 3].tolist() == [255, 0, 0]


# --- cropping and resizing ---


@pytest.mark.parametrize(
    ("picture_size", "size", "box"),
    [
        ((32, 32), (32, 32), (0, 0, 32, 32)),
        ((40, 60), (32, 32), (10, 0, 50, 40)),
        ((60, 40), (32, 32), (0, 10, 40, 50)),
        ((30, 60), (10, 30), (0, 5, 60, 25)),
        ((8, 8), (32, 32), (0, 0, 8, 8)),
    ],
)
def test_the_centre_crop_by_hand(picture_size, size, box):
    assert crop_box(picture_size, size) == pytest.approx(box)


def test_a_crop_at_either_end():
    assert crop_box((40, 60), (32, 32), position=0) == pytest.approx((0, 0, 40, 40))
    assert crop_box((40, 60), (32, 32), position=1) == pytest.approx((20, 0, 60, 40))


sides = st.integers(1, 2000)


@given(st.tuples(sides, sides), st.tuples(st.integers(1, 300), st.integers(1, 300)), st.floats(0, 1))
@example((29, 29), (28, 28), 0.5)
@example((29, 29), (28, 28), 1.0)
def test_a_crop_lies_within_the_picture(picture_size, size, position):
    left, upper, right, lower = crop_box(picture_size, size, position)
    assert 0 <= left < right <= picture_size[1] and 0 <= upper < lower <= picture_size[0]
    assert (right - left) * size[0] == pytest.approx((lower - upper) * size[1])  # the aspect ratio of `size`
    assert (right - left == pytest.approx(picture_size[1])) or (lower - upper == pytest.approx(picture_size[0]))
    assert left == pytest.approx(position * (picture_size[1] - (right - left)), abs=1e-9)
    assert upper == pytest.approx(position * (picture_size[0] - (lower - upper)), abs=1e-9)


def test_pictures_of_any_size_can_be_read():
    # 29 * (28 / 28) and the like are not exact in floating point, and Pillow refuses a box that is out by one bit.
    for side in (29, 58, 101):
        assert read_image(encoded(Image.new("RGB", (side, side))), size=(28, 28)).shape == (3, 28, 28)


def test_a_wide_picture_loses_its_sides():
    pixels = np.zeros((64, 128, 3), dtype=np.uint8)
    pixels[:, 32:96] = 200
    image = read_image(encoded(Image.fromarray(pixels)))
    assert image[:, :, 2:-2].min() >= 198  # without the crop, half of it would be black


def test_a_box_of_ones_own():
    pixels = random_pixels(height=40, width=40)
    image = fit_picture(Image.fromarray(pixels), (32, 32), box=(3, 5, 35, 37))
    assert np.array_equal(pixels_of(image), pixels[5:37, 3:35])


def test_a_uniform_picture_stays_uniform_when_resized():
    image = read_image(encoded(Image.new("RGB", (317, 211), (7, 130, 255))))
    assert [channel.unique().tolist() for channel in image] == [[7], [130], [255]]


# --- what is refused ---


def test_too_many_bytes(tmp_path):
    with pytest.raises(ImageError, match="at most 20 MB"):
        read_image(b"\0" * (MAX_BYTES + 1))
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ImageError, match="at most 20 MB"):
        read_image(path)


# Pillow itself warns from 89 million pixels on and fails from 179 million on: our own words must come first.
@pytest.mark.parametrize("side", [8_000, 10_000, 20_000])
def test_too_many_pixels_by_the_header(side):
    with pytest.raises(ImageError, match="pixels; at most 50 million"):
        read_image(png_claiming(side, side))


def test_a_picture_just_short_of_the_limit_is_judged_by_its_data():
    with pytest.raises(ImageError, match="damaged"):
        read_image(png_claiming(1000, 1000))


@pytest.mark.parametrize("size", [(20_000, 1), (1, 20_000), (64, 3)])
def test_too_long_and_thin(size):
    with pytest.raises(ImageError, match="too long and thin"):
        read_image(encoded(Image.new("RGB", size)))


def test_twenty_to_one_is_still_read():
    assert read_image(encoded(Image.new("RGB", (640, 32)))).shape == (3, 32, 32)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_truncated(kind, share):
    data = encoded(Image.fromarray(random_pixels(64, 64)), kind)
    with pytest.raises(ImageError):
        read_image(data[: int(len(data) * share)])


@pytest.mark.parametrize("data", [b"garbage", b"\x89PNG\r\n\x1a\n", b"<svg/>", b"\0" * 1000])
def test_garbage(data):
    with pytest.raises(ImageError):
        read_image(data)


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "PPM", "ICO"])
def test_other_formats_are_answered_with_the_known_ones(kind):
    with pytest.raises(ImageError, match="PNG, JPEG, WEBP, BMP"):
        read_image(encoded(Image.new("RGB", (32, 32)), kind))


@given(st.integers(0, 10_000), st.integers(1, 255))
@example(16, 255)  # the width in the header
def test_a_damaged_byte_gives_a_picture_or_an_image_error(place, change):
    data = bytearray(DAMAGED)
    data[place % len(data)] ^= change
    try:
        image = read_image(bytes(data))
    except ImageError:
        return
    assert image.shape == (3, 32, 32) and image.dtype == torch.uint8


DAMAGED = encoded(Image.fromarray(random_pixels(16, 16)))


def test_nothing():
    with pytest.raises(ImageError, match="empty"):
        read_image(b"")


def test_an_empty_file(tmp_path):
    (tmp_path / "empty.png").touch()
    with pytest.raises(ImageError, match="empty"):
        read_image(tmp_path / "empty.png")


def test_paths_that_are_no_files(tmp_path):
    for path in (tmp_path, tmp_path / "nothing.png", str(tmp_path)):
        with pytest.raises(ImageError, match="no image file"):
            read_image(path)


def test_an_image_error_is_a_value_error():
    assert issubclass(ImageError, ValueError)


# --- identity ---


def test_the_hash_differs_by_pixel_and_by_shape():
    image = torch.arange(24, dtype=torch.uint8).reshape(1, 4, 6)
    poked = image.clone()
    poked[0, 3, 5] += 1
    hashes = {image_sha256(x) for x in (image, poked, image.reshape(1, 6, 4), image.reshape(4, 1, 6))}
    assert len(hashes) == 4
    assert image_sha256(image) == image_sha256(image.clone())


def test_the_hash_is_of_the_pixels_not_of_the_memory():
    image = torch.randint(0, 256, (3, 5, 7), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    turned = image.permute(1, 2, 0).contiguous().permute(2, 0, 1)  # the same image, laid out otherwise
    assert image_sha256(turned) == image_sha256(image)


def test_a_picture_of_an_image_and_back():
    image = torch.from_numpy(random_pixels()).permute(2, 0, 1)
    assert np.array_equal(np.asarray(to_picture(image)), pixels_of(image))
    assert to_picture(image, scale=3).size == (96, 96)
    assert np.array_equal(np.asarray(to_picture(image, scale=3))[1::3, 1::3], pixels_of(image))


def test_open_picture_gives_rgb():
    assert open_picture(encoded(Image.new("L", (5, 4)))).mode == "RGB"


@pytest.mark.parametrize("size", [(0, 0), (32,), (2.5, 2.5), (32, 1025), (-1, 32)])
def test_a_size_that_is_none_is_refused(size):
    with pytest.raises(ValueError, match="size must be two whole numbers"):
        read_image(b"", size)


def test_a_picture_of_nearly_as_many_pixels_as_are_read():
    data = io.BytesIO()
    Image.new("1", (7000, 7000)).save(data, "PNG")  # 49 of 50 million
    assert open_picture(data.getvalue()).size == (7000, 7000)
