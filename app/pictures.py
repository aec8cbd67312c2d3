"""Images as a page shows them: sharp pixels, lossless. Does not import streamlit."""

import base64
import io
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from dssn_core import PIXEL_STEPS
from dssn_core.images import Box, image_sha256, png, to_picture
from dssn_core.splitting import Place

MARK_COLOUR, CHANGED_COLOUR = "#f28e2b", "#2fa4ff"
THUMBNAIL, PREVIEW = 112, 320
"""Longest side of a button's picture, and of an upload shown with its crop."""

Mark = tuple[Place, str]
"""A pixel to frame, and the colour."""

HASHES: dict[str | type, Callable[[Any], str]] = {Tensor: image_sha256}
"""What tells pictures and samples from others in the keys of caches; Streamlit does not know how."""


def enlarged(image: Tensor, side: int = 256) -> Image.Image:
    """A uint8 (3, H, W) image enlarged by a whole factor to about `side` pixels."""
    return to_picture(image, max(1, side // image.shape[-1]))


def marked(image: Tensor, marks: Sequence[Mark], side: int = 256) -> Image.Image:
    """As `enlarged`, with a frame around the pixel of each value, wide enough for the back row of a room."""
    picture = enlarged(image, side)
    scale, width = picture.width // image.shape[-1], max(1, picture.width // 64)
    for (_, row, column), colour in marks:
        for grown, line, drawn in ((width + 2, width + 2, "black"), (width + 1, width, colour)):  # seen on any picture
            left, upper = column * scale - grown, row * scale - grown
            box = (left, upper, left + scale + 2 * grown - 1, upper + scale + 2 * grown - 1)
            ImageDraw.Draw(picture).rectangle(box, outline=drawn, width=line)
    return picture


def sample_image(sample: Tensor) -> Tensor:
    """A float sample in [0, 1], (3, H, W), rounded to 8 bits for the screen (only for the screen)."""
    return (sample * PIXEL_STEPS).round().to(torch.uint8)


def data_url(image: Tensor) -> str:
    """A uint8 (3, H, W) image as a PNG data URL."""
    return _url(image.numpy().tobytes(), tuple(image.shape), None)


def thumbnail_url(image: Tensor) -> str:
    """A small copy for a button, as a data URL: the image itself where it is small, and else not to the pixel."""
    return _url(image.numpy().tobytes(), tuple(image.shape), THUMBNAIL if image.shape[-1] > THUMBNAIL else None)


@lru_cache(maxsize=256)  # pages draw the same pictures at every run; of large ones these take 100 MB
def _url(pixels: bytes, shape: tuple[int, ...], side: int | None) -> str:
    image = torch.frombuffer(bytearray(pixels), dtype=torch.uint8).reshape(shape)
    if side is None:
        return "data:image/png;base64," + base64.b64encode(png(image)).decode()
    buffer = io.BytesIO()
    to_picture(image).resize((side, side), Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def crop_preview(picture: Image.Image, box: Box) -> Image.Image:
    """A small copy of a picture with what lies outside `box` faded."""
    scale = min(1.0, PREVIEW / max(picture.size))
    small = picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))))
    veil = Image.new("L", small.size, 170)
    left, upper, right, lower = (round(edge * scale) for edge in box)
    ImageDraw.Draw(veil).rectangle((left, upper, max(left, right - 1), max(upper, lower - 1)), fill=0)
    return Image.composite(Image.new("RGB", small.size, "#888"), small, veil)


def tame(name: str) -> str:
    """A file name as text in which Markdown finds nothing to draw or to load: letters, digits, spaces, dots, dashes."""
    spelt = "".join(letter if letter.isalnum() or letter in " .-" else "_" for letter in name)
    # Inside a word an underscore is itself; at its edge Markdown would slant or embolden what follows.
    kept = " ".join(re.sub(r"(?<![^\W_])_+|_+(?![^\W_])", " ", spelt).split())
    return kept if len(kept) <= 60 else f"{kept[:28]}…{kept[-28:]}"
