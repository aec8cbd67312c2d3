"""Where the pictures on the pages come from: built-in ones, a folder or zip that the environment names, uploads."""

import os
from functools import partial
from pathlib import Path

import streamlit as st
from PIL import Image
from torch import Tensor

from app.pictures import crop_preview
from dssn_core import read_image
from dssn_core.datasets import Listing, PictureFiles, picture_files
from dssn_core.gallery import BuiltIn, built_in_pictures
from dssn_core.images import crop_box, fit_picture, image_sha256, open_picture
from dssn_core.records import Record
from dssn_core.tasks import labelled_for

DATA_VARIABLE = "DSSN_TEST_DATA"
"""Environment variable: a zip or folder of class folders whose pictures the gallery and the Benchmark page show."""

RETRY_SECONDS = 10
"""How long it is not looked again for pictures that were not there."""

FOLDER_PICTURE = "test-"
"""Begins the key of a picture from there."""


@st.cache_resource(max_entries=4, show_spinner=False)
def built_in(task: str, size: tuple[int, int]) -> dict[str, tuple[BuiltIn, Tensor]]:
    """The built-in pictures by key, each with its image at `size` = (H, W)."""
    return {found.key: (found, read_image(found.path, size)) for found in built_in_pictures(task)}


@st.cache_resource(max_entries=1, show_spinner="Looking for pictures …")
def _found(source: str, changed: int) -> PictureFiles:
    return picture_files(source, train=False)


def _changed(source: Path) -> int:
    """When a zip or folder was written last: another one in its place has other pictures. 0 if there is none."""
    return source.stat().st_mtime_ns if source.exists() else 0


@st.cache_resource(max_entries=1, ttl=RETRY_SECONDS, show_spinner=False)
def _folder() -> PictureFiles | str | None:
    """The pictures, or what is the matter with them, which is looked into anew after a while."""
    source = os.environ.get(DATA_VARIABLE)
    try:
        return _found(source, _changed(Path(source))) if source else None
    except (ValueError, OSError) as error:
        return f"The pictures that {DATA_VARIABLE} names cannot be shown: {error}"


def folder() -> PictureFiles | None:
    """The pictures of the zip or folder that the environment names, if there are any."""
    found = _folder()
    return found if isinstance(found, PictureFiles) else None


def folder_problem() -> str | None:
    """Why there are none, where the environment names something."""
    found = _folder()
    return found if isinstance(found, str) else None


def folder_keys() -> dict[str, int]:
    """Keys of these pictures, for links; and their places."""
    return {f"{FOLDER_PICTURE}{place}": place for place in range(len(folder() or ()))}


@st.cache_resource(max_entries=512, show_spinner=False)
def _read(source: str, changed: int, place: int, size: tuple[int, int], _found: PictureFiles) -> Tensor:
    return next(_found.read(size, [place]))


def folder_picture(place: int, size: tuple[int, int]) -> Tensor | None:
    """One of these pictures at `size` = (H, W); None if it cannot be read, which is tried anew each time."""
    found = folder()
    assert found is not None
    try:
        return _read(str(found.path), _changed(found.path), place, size, found)
    except (ValueError, OSError):
        return None


@st.cache_resource(max_entries=8, show_spinner=False)
def folder_labels(class_names: tuple[str, ...]) -> list[int] | None:
    """Their labels among the classes of a network; None if its classes are others."""
    found = folder()
    assert found is not None
    data = Listing(found.labels, found.class_names, str(found.path), (), partial(found.read, (1, 1)))
    try:
        labels: list[int] = labelled_for(data, class_names).labels.tolist()
    except ValueError:
        return None
    return labels


def folder_picture_of(record: Record, size: tuple[int, int]) -> Tensor | None:
    """The very image of a record, if it is among these pictures."""
    if record.index >= len(folder() or ()):
        return None
    image = folder_picture(record.index, size)
    return image if image is not None and image_sha256(image) == record.image_sha256 else None


@st.cache_resource(max_entries=2, show_spinner=False)  # of the largest pictures 150 MB each
def uploaded(data: bytes) -> Image.Image:
    """An uploaded picture, upright; not to be changed. ImageError if it cannot be used."""
    return open_picture(data)


@st.cache_data(max_entries=1024, show_spinner=False)
def uploaded_size(data: bytes) -> tuple[int, int]:
    """(width, height) of an uploaded picture, upright, without keeping it. ImageError as for `uploaded`."""
    return uploaded(data).size


@st.cache_data(max_entries=64, show_spinner=False)
def cropped(data: bytes, size: tuple[int, int], position: float) -> tuple[Tensor, Image.Image]:
    """An uploaded picture cropped and resized to `size` = (H, W), and a small copy that shows the crop."""
    picture = uploaded(data)
    box = crop_box((picture.height, picture.width), size, position)
    return fit_picture(picture, size, box), crop_preview(picture, box)
