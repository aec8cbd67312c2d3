"""Labelled images: a folder or zip of class folders, or CIFAR-10 itself."""

import hashlib
import lzma
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from torch import Tensor

from .files import resolved
from .images import MAX_BYTES, SUFFIXES, Size, read_image

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TRAIN_PARTS, TEST_PARTS = ("train",), ("test", "val")
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, KeyError, RuntimeError)
"""What reading from a zip may end with; NotImplementedError, of an unknown compression, is a RuntimeError."""


def identity(description: str) -> str:
    """What identifies the data of a description: the hash of the files, if there is one, whatever their name."""
    digest = re.search(r": \d+ images, sha256 ([0-9a-f]{64})", description)
    return digest[1] if digest else description


def count_of(description: str) -> str | None:
    """How many images a description says there are, if it says so."""
    number = re.search(r": (\d+) images(?=, sha256 |$)", description)  # not what the name before it says
    return number[1] if number else None


def part_of(description: str) -> str | None:
    """Which part of its files a description speaks of, if it says so."""
    part = re.search(r", part (\w+): \d+ images, sha256 [0-9a-f]{64}$", description)
    return part[1] if part else None


def may_be_the_same(one: str, other: str) -> bool:
    """Whether two descriptions may be of the same images: of files with one hash, in as many images of one part."""
    parts = {part_of(one), part_of(other)} - {None}  # manifests did not always tell it
    return identity(one) == identity(other) and count_of(one) == count_of(other) and len(parts) < 2


@dataclass(frozen=True)
class Dataset:
    """Labelled images in memory. images: uint8 (n, C, H, W). labels: int64 (n,). description: where they come from."""

    images: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    description: str

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, indices: Tensor) -> "Dataset":
        return replace(self, images=self.images[indices], labels=self.labels[indices])

    def listing(self) -> "Listing":
        return Listing(self.labels, self.class_names, self.description, (), partial(map, self.images.__getitem__))


@dataclass(frozen=True)
class Listing:
    """A data set whose images are read when asked for; the rest is as in `Dataset`.

    files: the name of each image's file, where they come from files. read: the images at these places in this order,
    torch.uint8 (C, H, W) each; ValueError at a damaged one.
    """

    labels: Tensor
    class_names: tuple[str, ...]
    description: str
    files: tuple[str, ...]
    read: Callable[[Sequence[int]], Iterator[Tensor]]

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, indices: Tensor) -> "Listing":
        places = indices.tolist()
        files = tuple(self.files[place] for place in places) if self.files else ()

        def read(chosen: Sequence[int]) -> Iterator[Tensor]:
            return self.read([places[place] for place in chosen])

        return Listing(self.labels[indices], self.class_names, self.description, files, read)

    def load(self) -> Dataset:
        """All of them, in memory."""
        pixels = torch.stack(list(self.read(range(len(self)))))
        return Dataset(pixels, self.labels, self.class_names, self.description)


def _is_picture(name: PurePosixPath) -> bool:
    """Whether a file counts: not what macOS leaves in archives, nor other hidden files."""
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in name.parts)
    return name.suffix.lower() in SUFFIXES and not hidden


def _of_one_part(names: list[PurePosixPath], train: bool) -> tuple[list[PurePosixPath], str]:
    """The files of one part and its name, where train/ and test/ or val/ lie side by side above the class folders."""
    parts = {name.parts[-3] for name in names if len(name.parts) >= 3}
    if train and parts and parts <= {*TEST_PARTS}:
        raise ValueError(
            f"the data has no part but {' and '.join(sorted(parts))}: give the training images, for test images must "
            "neither make nor choose a model"
        )
    if len(parts) < 2 or not parts & {*TRAIN_PARTS, *TEST_PARTS}:
        return names, ""
    names_of_it = TRAIN_PARTS if train else TEST_PARTS
    wanted = sorted(parts & set(names_of_it))
    if len(wanted) != 1:
        raise ValueError(
            f"the data has the parts {sorted(parts)}, {len(wanted)} of them called {' or '.join(names_of_it)}: give a "
            "folder or zip of one part alone"
        )
    return [name for name in names if len(name.parts) >= 3 and name.parts[-3] in wanted], wanted[0]


def _open_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise ValueError(f"{path} cannot be read as a zip: {error}; is it one, and copied to its end?") from error


def _files_under(folder: Path) -> list[PurePosixPath]:
    """The files of a folder, also of those that links lead to; ValueError for one that cannot be read, or for ever."""
    found: list[PurePosixPath] = []
    above = {str(folder): {resolved(folder)}}

    def unreadable(error: OSError) -> None:
        raise ValueError(f"{error.filename} cannot be read: {error.strerror}") from error

    for place, folders, files in os.walk(folder, onerror=unreadable, followlinks=True):
        found += [PurePosixPath(Path(place, file).relative_to(folder).as_posix()) for file in files]
        folders[:] = [name for name in folders if not name.startswith(".")]  # in which no picture counts
        for name in folders:
            inner = os.path.join(place, name)
            target = resolved(Path(inner))
            if target in above[place]:
                raise ValueError(f"{inner} is a link to a folder that it lies in")
            above[inner] = above[place] | {target}
    return found


@lru_cache(maxsize=2)
def _opened(path: Path, changed: int) -> tuple[zipfile.ZipFile, dict[PurePosixPath, str]]:
    """A zip, kept open, for its directory may take longer to read than a picture; and its names, some with "./"."""
    archive = _open_zip(path)
    return archive, {PurePosixPath(entry): entry for entry in archive.namelist()}


def _contents(path: Path, name: PurePosixPath) -> bytes:
    try:
        archive, entries = _opened(path, path.stat().st_mtime_ns)
        with archive.open(entries[name]) as file:
            return file.read(MAX_BYTES + 1)  # what is larger is refused, and need not be unpacked whole
    except DAMAGED as error:
        raise ValueError(f"{path} cannot be read as a zip: {error}") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class PictureFiles:
    """Pictures laid out as .../class/picture in a zip or folder, read when asked for. names: of the files, sorted.

    labels: of each picture, the place of its folder in `class_names`, which are in alphabetical order. part: the name
    of the folder above those, where there are several such; otherwise "".
    """

    path: Path
    names: tuple[PurePosixPath, ...]
    class_names: tuple[str, ...]
    labels: Tensor
    part: str

    @staticmethod
    def find(source: str, train: bool = True) -> "PictureFiles":
        """Those in a zip or folder, of one part where there are several.

        ValueError if it is neither, if the zip is damaged, or if there are none.
        """
        path = Path(source)
        if path.is_file():
            with _open_zip(path) as archive:
                found = [PurePosixPath(name) for name in archive.namelist()]
        elif source and path.is_dir():
            found = _files_under(path)
        else:
            raise ValueError(f"no data at {source!r}: expected a zip or a folder of class folders")
        chosen, part = _of_one_part([name for name in found if _is_picture(name)], train)
        names = tuple(sorted({*chosen}))
        if not names:
            raise ValueError(
                f"no pictures in class folders under {str(path)!r}; expected class/picture.png or the like"
            )
        for name in names:
            if not name.parent.name:
                raise ValueError(f"{name} lies in no class folder; expected class/picture.png or the like")
        classes = tuple(sorted({name.parent.name for name in names}))
        places = {name: place for place, name in enumerate(classes)}
        return PictureFiles(path, names, classes, torch.tensor([places[name.parent.name] for name in names]), part)

    def __len__(self) -> int:
        return len(self.names)

    def read(self, size: Size, places: Iterable[int]) -> Iterator[Tensor]:
        """The pictures at these places, cropped and resized to torch.uint8 (3, H, W)."""
        zipped = self.path.is_file()
        for name in (self.names[place] for place in places):
            source = _contents(self.path, name) if zipped else self.path / name
            try:
                yield read_image(source, size)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None

    def _folder_sha256(self) -> str:
        """Of the names and contents of the files, whatever size they are read at."""
        whole = hashlib.sha256()
        for name in self.names:
            whole.update(f"{name}\n{_sha256(self.path / name)}\n".encode())
        return whole.hexdigest()

    def listing(self, size: Size) -> Listing:
        """All of them at `size` = (H, W). Every file is read once for the description."""
        digest = _sha256(self.path) if self.path.is_file() else self._folder_sha256()
        name = resolved(self.path).name + f", part {self.part}" * bool(self.part)
        description = f"{name}: {len(self)} images, sha256 {digest}"
        files = tuple(name.name for name in self.names)
        return Listing(self.labels, self.class_names, description, files, partial(self.read, size))


def _download_cifar10(train: bool) -> Dataset:
    from torchvision.datasets import CIFAR10

    try:
        data = CIFAR10(Path.home() / ".cache" / "dssn-explorer", train=train, download=True)
    except RuntimeError as error:  # as torchvision says that what came is not what it asked for
        raise ValueError(f"the download of CIFAR-10 failed: {error}") from error
    images = torch.from_numpy(np.asarray(data.data)).permute(0, 3, 1, 2).contiguous()
    part = "training" if train else "test"
    return Dataset(
        images, torch.tensor(data.targets), CIFAR10_CLASSES, f"torchvision CIFAR10 {part} set: {len(images)} images"
    )


def list_dataset(source: str, size: Size = (32, 32), train: bool = True) -> Listing:
    """Labelled images in a zip or folder of class folders, or "download" for CIFAR-10 through torchvision.

    Pictures of another size are centre-cropped and resized to `size` = (H, W). `train` picks the part, of a download or
    where train/ and test/ or val/ lie side by side.
    """
    if source == "download":
        return _download_cifar10(train).listing()
    return PictureFiles.find(source, train).listing(size)
