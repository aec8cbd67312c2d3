"""Where pictures come from: the built-in samples, a folder or zip of class folders, a data set."""

import hashlib
import importlib.util
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from torch import Tensor

from .images import Size, read_image

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TRAIN_PARTS, TEST_PARTS = ("train",), ("test", "val")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")


@dataclass(frozen=True)
class Sample:
    """One built-in picture: a key for links, its file, and its true class index."""

    key: str
    path: Path
    label: int


def sample_pictures(dataset: str = "cifar10") -> tuple[Sample, ...]:
    """The twenty test images of `dataset` that ship inside the package foolbox, in order of their index."""
    # Located, not imported: importing foolbox loads far more than its pictures.
    spec = importlib.util.find_spec("foolbox")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the sample pictures come with the package foolbox: pip install foolbox")
    folder = Path(spec.submodule_search_locations[0]) / "data"
    samples = []
    for path in folder.glob(f"{dataset}_*"):
        _, index, label = path.stem.split("_")
        samples.append(Sample(key=f"{dataset}-{int(index):02d}", path=path, label=int(label)))
    if not samples:
        raise FileNotFoundError(f"foolbox has no sample pictures of {dataset!r}")
    return tuple(sorted(samples, key=lambda sample: sample.key))


@dataclass(frozen=True)
class Dataset:
    """Labelled images in memory. images: uint8 (n, C, H, W). labels: int64 (n,). description: where they come from.

    files: the name of each image's file, where they come from files.
    """

    images: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    description: str
    files: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, indices: Tensor) -> "Dataset":
        files = tuple(self.files[index] for index in indices.tolist()) if self.files else ()
        return Dataset(self.images[indices], self.labels[indices], self.class_names, self.description, files)


def _is_picture(name: PurePosixPath) -> bool:
    """Whether a file counts: not what macOS leaves in archives, nor other hidden files."""
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in name.parts)
    return name.suffix.lower() in IMAGE_SUFFIXES and not hidden


def _of_one_part(names: list[PurePosixPath], train: bool) -> list[PurePosixPath]:
    """The files of one part, where train/ and test/ or val/ lie side by side above the class folders."""
    parts = {name.parts[-3] for name in names if len(name.parts) >= 3}
    if len(parts) < 2 or not parts & {*TRAIN_PARTS, *TEST_PARTS}:
        return names
    wanted = parts & set(TRAIN_PARTS if train else TEST_PARTS)
    if len(wanted) != 1:
        raise ValueError(f"the data has the parts {sorted(parts)}; point at the folder of one of them")
    return [name for name in names if len(name.parts) >= 3 and name.parts[-3] in wanted]


def _zip_entries(path: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if _is_picture(PurePosixPath(name)):
                yield PurePosixPath(name), archive.read(name)


def _folder_entries(path: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    for file in sorted(path.rglob("*")):
        if file.is_file() and _is_picture(PurePosixPath(file.relative_to(path).as_posix())):
            yield PurePosixPath(file.relative_to(path).as_posix()), file.read_bytes()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _from_class_folders(path: Path, size: Size, train: bool) -> Dataset:
    """A zip or folder laid out as .../class/picture; classes in alphabetical order of their folders' names."""
    try:
        entries = dict(_zip_entries(path) if path.is_file() else _folder_entries(path))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{path} cannot be read as a zip: {error}") from error
    chosen = sorted(_of_one_part(list(entries), train))
    if not chosen:
        raise ValueError(f"no pictures in class folders under {str(path)!r}; expected class/picture.png or the like")
    images = []
    for name in chosen:
        if not name.parent.name:
            raise ValueError(f"{name} lies in no class folder; expected class/picture.png or the like")
        try:
            images.append(read_image(entries[name], size))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    classes = tuple(sorted({name.parent.name for name in chosen}))
    labels = torch.tensor([classes.index(name.parent.name) for name in chosen])
    pixels = torch.stack(images)
    digest = (
        _sha256(path)
        if path.is_file()
        else hashlib.sha256(pixels.numpy().tobytes() + labels.numpy().tobytes()).hexdigest()
    )
    description = f"{path.name}: {len(images)} images, sha256 {digest}"
    return Dataset(pixels, labels, classes, description, tuple(name.name for name in chosen))


def _download_cifar10(train: bool) -> Dataset:
    from torchvision.datasets import CIFAR10

    data = CIFAR10(Path.home() / ".cache" / "dssn-explorer", train=train, download=True)
    images = torch.from_numpy(np.asarray(data.data)).permute(0, 3, 1, 2).contiguous()
    part = "training" if train else "test"
    return Dataset(
        images, torch.tensor(data.targets), CIFAR10_CLASSES, f"torchvision CIFAR10 {part} set: {len(images)} images"
    )


def load_dataset(source: str, size: Size = (32, 32), train: bool = True) -> Dataset:
    """Labelled images from a zip or folder of class folders, or "download" for CIFAR-10 through torchvision.

    Pictures of another size are centre-cropped and resized to `size` = (H, W). `train` picks the part, of a download or
    where train/ and test/ or val/ lie side by side.
    """
    if source == "download":
        return _download_cifar10(train)
    path = Path(source)
    if (source and path.is_dir()) or (path.is_file() and zipfile.is_zipfile(path)):
        return _from_class_folders(path, size, train)
    raise ValueError(f"no data at {source!r}: expected a zip, a folder of class folders, or the word 'download'")
