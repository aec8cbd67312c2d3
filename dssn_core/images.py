"""Untrusted bytes to exact 8-bit images.

A certificate speaks of the 8-bit image that comes out of here, after cropping, resizing and rounding.
"""

import hashlib
import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from .checks import Shape, check_whole
from .constants import PIXEL_STEPS

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
"""Of files in these formats."""

MAX_BYTES = 20 * 2**20
MAX_PIXELS = 50_000_000
MAX_ASPECT = 20
MAX_SIDE = 1024
"""Of the images that networks take, in pixels."""

TOO_MANY = f"at most {MAX_PIXELS // 1_000_000} million are read. Make it smaller first."

PNG_DEPTH = 24
"""Where a PNG file says how many bits a channel has."""

Size = tuple[int, int]
"""(height, width), as in a tensor's shape."""

Box = tuple[float, float, float, float]
"""left, upper, right, lower in pixels, as Pillow has it."""


class ImageError(ValueError):
    """The picture cannot be used; the message says why and what would work."""


def check_image(image: Tensor, shape: Shape | None = None) -> None:
    """ValueError unless `image` is a torch.uint8 (C, H, W) tensor, of `shape` where one is given."""
    if not isinstance(image, Tensor) or image.dtype != torch.uint8:
        found = image.dtype if isinstance(image, Tensor) else type(image).__name__
        raise ValueError(
            f"image must be a torch.uint8 tensor (C, H, W) of pixels 0..255, got {found}; of a numpy array (H, W, C) "
            "torch.from_numpy(array).permute(2, 0, 1) makes one"
        )
    if image.ndim != 3 or (shape is not None and tuple(image.shape) != shape):
        raise ValueError(f"image must have shape {shape or '(C, H, W)'}, got {tuple(image.shape)}")


def _at_8_bits(picture: Image.Image, depth: int) -> Image.Image:
    """With the colour that a PNG may declare transparent on the scale of the pixels: Pillow leaves it on the file's.

    depth: bits of a channel in the file. ImageError where Pillow has dropped bits of the pixels that would tell.
    """
    declared, most = picture.info.get("transparency"), 2**depth - 1
    if isinstance(declared, tuple) and depth > 8:
        raise ImageError("the picture declares one colour of 16 bits transparent: save it with 8 bits a channel")
    if isinstance(declared, int) and picture.mode in ("1", "L"):
        picture = picture.convert("L")
        picture.info["transparency"] = (declared & most) * PIXEL_STEPS // most
    return picture


def _to_rgb(picture: Image.Image, depth: int) -> Image.Image:
    """Any Pillow mode to 8-bit RGB: 16-bit grey is scaled, transparency is laid on white. depth: as `_at_8_bits`."""
    if picture.mode.startswith("I"):  # 16-bit grey PNG
        values = np.asarray(picture, dtype=np.float64)
        grey = np.clip(np.rint(values / 257), 0, 255).astype(np.uint8)
        grey[values == picture.info.get("transparency", -1)] = 255  # one grey of a PNG may be declared transparent
        return Image.fromarray(grey).convert("RGB")
    picture = _at_8_bits(picture, depth)
    if picture.has_transparency_data:
        layers = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), layers).convert("RGB")
    return picture.convert("RGB")


def open_picture(source: bytes | str | Path) -> Image.Image:
    """Decode PNG, JPEG, WebP or BMP bytes (or a file) to an upright 8-bit RGB picture; ImageError if that fails.

    EXIF orientation is applied; of an animation the first frame is taken. The size is checked before decoding.
    """
    if isinstance(source, bytes):
        data = source
    else:
        path = Path(source)
        if not path.is_file():
            raise ImageError(f"there is no image file at {str(path)!r}")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ImageError(f"the file is too large: at most {MAX_BYTES >> 20} MB are read")
    if not data:
        raise ImageError("the file is empty")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise ImageError(f"the picture has {width} x {height} pixels; {TOO_MANY}")
            if max(width, height) > MAX_ASPECT * min(width, height):
                raise ImageError(f"a picture of {width} x {height} is too long and thin; crop it first")
            depth = data[PNG_DEPTH] if picture.format == "PNG" else 8
            return _to_rgb(ImageOps.exif_transpose(picture), depth)
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError(f"the picture has far too many pixels; {TOO_MANY}") from None
    except UnidentifiedImageError:
        raise ImageError(f"this is not a picture in one of the formats {', '.join(FORMATS)}") from None
    except Exception as error:  # Pillow's decoders raise many kinds of errors on damaged files
        raise ImageError("the picture is damaged and cannot be read: save it once more, as PNG or JPEG") from error


def crop_box(picture_size: Size, size: Size, position: float = 0.5) -> Box:
    """The largest box with the aspect ratio of `size`; both sizes are (height, width).

    position: where it lies along the longer side, from 0 (left or top) through 0.5 (centred) to 1 (right or bottom).
    """
    height, width = picture_size
    scale = min(height / size[0], width / size[1])
    crop_height, crop_width = min(size[0] * scale, height), min(size[1] * scale, width)  # rounding may exceed them
    left, upper = (width - crop_width) * position, (height - crop_height) * position
    return left, upper, min(left + crop_width, width), min(upper + crop_height, height)


def fit_picture(picture: Image.Image, size: Size, box: Box | None = None) -> Tensor:
    """Crop an RGB picture to `box` (default: the centre) and resize it: torch.uint8 (3, H, W) with (H, W) = size."""
    if box is None:
        box = crop_box((picture.height, picture.width), size)
    if (picture.height, picture.width) != size or box != (0, 0, picture.width, picture.height):
        picture = picture.resize((size[1], size[0]), Image.Resampling.LANCZOS, box=box)
    return torch.from_numpy(np.array(picture, dtype=np.uint8)).permute(2, 0, 1).contiguous()


def read_image(source: bytes | str | Path, size: Size = (32, 32)) -> Tensor:
    """Picture bytes or a path to torch.uint8 (3, H, W), centre-cropped and resized to `size` = (H, W).

    An upright, opaque 8-bit RGB picture that has this size already comes back with its pixels unchanged. ImageError (a
    ValueError) says why a picture is refused.
    """
    try:
        height, width = (check_whole("size", side, 1, MAX_SIDE) for side in size)
    except (TypeError, ValueError):
        raise ValueError(
            f"size must be two whole numbers from 1 to {MAX_SIDE}, height and width, got {size!r}"
        ) from None
    return fit_picture(open_picture(source), (height, width))


def image_sha256(image: Tensor) -> str:
    """SHA-256 of a uint8 (C, H, W) image: its shape, then its pixels in that order."""
    header = "x".join(str(n) for n in image.shape).encode()
    return hashlib.sha256(header + b"\n" + image.contiguous().numpy().tobytes()).hexdigest()


def png(image: Tensor) -> bytes:
    """A uint8 (3, H, W) image as a PNG file: its very pixels."""
    buffer = io.BytesIO()
    to_picture(image).save(buffer, "PNG")
    return buffer.getvalue()


def to_picture(image: Tensor, scale: int = 1) -> Image.Image:
    """A uint8 (3, H, W) image as a Pillow picture, each pixel `scale` times as large (never smoothed)."""
    pixels = image.permute(1, 2, 0).numpy()
    return Image.fromarray(np.repeat(np.repeat(pixels, scale, axis=0), scale, axis=1))
