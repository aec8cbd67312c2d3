"""Where the pictures on the pages come from: built-in ones, a folder or zip that the environment names, uploads."""

import os
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import streamlit as st
from PIL import Image
from torch import Tensor

from app.pictures import crop_preview, tame
from dssn_core import read_image
from dssn_core.datasets import Listing, PictureFiles
from dssn_core.gallery import BuiltIn, built_in_pictures
from dssn_core.images import crop_box, fit_picture, image_sha256, open_picture
from dssn_core.records import Record
from dssn_core.tasks import labelled_for

DATA_VARIABLE = "DSSN_TEST_DATA"
"""Environment variable: a zip or folder of class folders whose pictures the gallery and the Benchmark page show."""

RETRY_SECONDS = 10
"""Until the folder is looked into again, whether it had pictures or not."""

FOLDER_PICTURE = "test-"
"""Begins the key of a picture from there."""


@st.cache_resource(max_entries=4, show_spinner=False)
def built_in(task: str, size: tuple[int, int]) -> dict[str, tuple[BuiltIn, Tensor]]:
    """The built-in pictures by key, each with its image at `size` = (H, W)."""
    return {found.key: (found, read_image(found.path, size)) for found in built_in_pictures(task)}


@dataclass(frozen=True)
class Folder:
    """The pictures of a zip or folder, as they were listed when it had been written last at `changed`.

    A page asks for it once: what it shows is then of one listing, whatever takes the place of the file meanwhile.
    """

    files: PictureFiles
    changed: int

    @property
    def name(self) -> str:
        return tame(self.files.path.name)

    @cached_property
    def places(self) -> dict[str, int]:
        """Where a picture is, by its key, for links."""
        return {f"{FOLDER_PICTURE}{place}": place for place in range(len(self.files))}

    def picture(self, place: int, size: tuple[int, int]) -> Tensor | None:
        """One of the pictures at `size` = (H, W); None if it cannot be read, which is tried anew each time."""
        file = self.files.path / self.files.names[place]
        try:
            # A file that is overwritten changes no folder; one in a zip changes the zip.
            changed = file.stat().st_mtime_ns if self.files.path.is_dir() else self.changed
            return _read(str(self.files.path), str(self.files.names[place]), changed, size, self.files, place)
        except (ValueError, OSError):
            return None

    def picture_of(self, record: Record, size: tuple[int, int]) -> Tensor | None:
        """The very image of a record, if it is among these pictures."""
        image = self.picture(record.index, size) if record.index < len(self.files) else None
        return image if image is not None and image_sha256(image) == record.image_sha256 else None

    def labels(self, class_names: tuple[str, ...]) -> list[int] | None:
        """The pictures' labels among the classes of a network; None if its classes are others."""
        return _labels(str(self.files.path), self.changed, class_names, self.files)


@st.cache_resource(max_entries=1, show_spinner="Looking for pictures …")
def _listed(source: str, changed: int) -> Folder:
    return Folder(PictureFiles.find(source, train=False), changed)


@st.cache_resource(max_entries=512, show_spinner=False)
def _read(source: str, name: str, changed: int, size: tuple[int, int], _files: PictureFiles, _place: int) -> Tensor:
    """The picture of this name, which in the listing `_files` is at `_place`: in another one it may be elsewhere."""
    return next(_files.read(size, [_place]))


@st.cache_resource(max_entries=8, show_spinner=False)
def _labels(source: str, changed: int, class_names: tuple[str, ...], _files: PictureFiles) -> list[int] | None:
    data = Listing(_files.labels, _files.class_names, source, (), partial(_files.read, (1, 1)))
    try:
        labels: list[int] = labelled_for(data, class_names).labels.tolist()
    except ValueError:
        return None
    return labels


def _changed(source: Path) -> int:
    """When a zip, or a folder or any inside it, was written last: then there may be other pictures. 0 if it is gone."""
    folders = source.glob("**/")  # itself too; none of a zip
    return max((path.stat().st_mtime_ns for path in (source, *folders) if path.exists()), default=0)


@st.cache_resource(max_entries=1, ttl=RETRY_SECONDS, show_spinner=False)
def _folder() -> Folder | str | None:
    """The pictures, or what is the matter with them; looked into anew after a while."""
    source = os.environ.get(DATA_VARIABLE)
    try:
        return _listed(source, _changed(Path(source))) if source else None
    except (ValueError, OSError) as error:
        return f"The pictures that {DATA_VARIABLE} names cannot be shown: {error}"


def folder() -> Folder | None:
    """The pictures of the zip or folder that the environment names, if there are any."""
    found = _folder()
    return found if isinstance(found, Folder) else None


def folder_problem() -> str | None:
    """Why there are none, where the environment names something."""
    found = _folder()
    return found if isinstance(found, str) else None


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
