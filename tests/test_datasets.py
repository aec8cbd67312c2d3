import hashlib
import io
import os
import tracemalloc
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from dssn_core.datasets import CIFAR10_CLASSES, Dataset, PictureFiles, list_dataset, may_be_the_same

COLOURS = {"cat": (200, 0, 0), "ant": (0, 200, 0), "bee": (0, 0, 200)}  # not in alphabetical order


def png(colour, size=(32, 32)):
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def files():
    """Two pictures of each class, under a folder that is no class itself."""
    return {f"set/{name}/{i}.png": png(colour) for name, colour in COLOURS.items() for i in range(2)}


@pytest.fixture
def folder(tmp_path):
    for name, data in files().items():
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "pictures" / "set" / "readme.txt").write_text("not a picture")
    return tmp_path / "pictures"


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "pictures.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name, data in files().items():
            file.writestr(name, data)
        file.writestr("set/readme.txt", "not a picture")
    return path


# --- folders and zips ---


def check(data):
    assert data.class_names == ("ant", "bee", "cat")
    assert data.images.shape == (6, 3, 32, 32) and data.images.dtype == torch.uint8
    assert sorted(data.labels.tolist()) == [0, 0, 1, 1, 2, 2] and data.labels.dtype == torch.int64
    assert len(data) == 6
    for image, label in zip(data.images, data.labels.tolist(), strict=True):
        assert image[:, 16, 16].tolist() == list(COLOURS[data.class_names[label]])


def load_dataset(source, size=(32, 32)):
    """All of it, in memory."""
    return list_dataset(source, size).load()


def test_a_folder(folder):
    data = load_dataset(str(folder))
    check(data)
    assert "6 images" in data.description


def test_a_zip(archive):
    data = load_dataset(str(archive))
    check(data)
    assert hashlib.sha256(archive.read_bytes()).hexdigest() in data.description


def test_a_folder_and_a_zip_of_it_give_the_same(folder, archive):
    one, other = load_dataset(str(folder)), load_dataset(str(archive))
    assert torch.equal(one.images, other.images) and torch.equal(one.labels, other.labels)


def test_classes_are_in_alphabetical_order_whatever_the_order_of_the_files(tmp_path):
    for name in ("1/cat", "2/ant"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "picture.png").write_bytes(png(COLOURS[name[2:]]))
    data = load_dataset(str(tmp_path))
    assert data.class_names == ("ant", "cat") and data.labels.tolist() == [1, 0]


def test_pictures_are_brought_to_one_size(folder):
    (folder / "set" / "ant" / "large.png").write_bytes(png(COLOURS["ant"], size=(90, 70)))
    assert load_dataset(str(folder), size=(16, 24)).images.shape == (7, 3, 16, 24)


def test_upper_case_suffixes_count(folder):
    (folder / "set" / "ant" / "LOUD.PNG").write_bytes(png(COLOURS["ant"]))
    assert len(load_dataset(str(folder))) == 7


def test_a_subset():
    data = Dataset(torch.arange(12).reshape(4, 3, 1, 1).byte(), torch.tensor([0, 1, 0, 1]), ("a", "b"), "made here")
    part = data.subset(torch.tensor([3, 0]))
    assert part.images[:, 0, 0, 0].tolist() == [9, 0] and part.labels.tolist() == [1, 0]
    assert part.class_names == ("a", "b") and len(part) == 2


# --- errors ---


def test_nothing_there(tmp_path):
    with pytest.raises(ValueError, match=r"no data at .*nowhere"):
        load_dataset(str(tmp_path / "nowhere"))


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_file_that_is_no_zip_or_not_copied_to_its_end(tmp_path, archive, share):
    whole = archive.read_bytes()
    (tmp_path / "data.zip").write_bytes(whole[: int(share * len(whole))] or b"not a zip")
    with pytest.raises(ValueError, match=r"data\.zip cannot be read as a zip: .*; is it one, and copied to its end"):
        load_dataset(str(tmp_path / "data.zip"))


def test_no_pictures(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no pictures in class folders"):
        load_dataset(str(tmp_path / "empty"))


def test_a_broken_picture_is_named(folder):
    (folder / "set" / "bee" / "broken.png").write_bytes(b"not a picture")
    with pytest.raises(ValueError, match=r"broken\.png"):
        load_dataset(str(folder))


def test_a_picture_outside_a_class_folder_has_no_class(tmp_path):
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / "stray.png").write_bytes(png((0, 0, 0)))
    with pytest.raises(ValueError, match=r"class/picture\.png"):
        load_dataset(str(tmp_path / "flat"))


def test_what_macos_leaves_in_archives_does_not_count(tmp_path):
    picture = png((9, 9, 9))
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr("t/cat/a.png", picture)
        archive.writestr("__MACOSX/t/cat/._a.png", b"resource fork")
        archive.writestr("t/dog/.hidden.png", b"hidden")
    assert load_dataset(str(tmp_path / "data.zip")).class_names == ("cat",)


def test_parts_of_a_data_set_are_not_mixed(tmp_path):
    for part, name in (("train", "cat"), ("train", "dog"), ("val", "cat")):
        (tmp_path / part / name).mkdir(parents=True)
        (tmp_path / part / name / "0.png").write_bytes(png((9, 9, 9)))
    assert len(load_dataset(str(tmp_path))) == 2
    assert len(list_dataset(str(tmp_path), train=False)) == 1
    (tmp_path / "train").rename(tmp_path / "first")
    with pytest.raises(ValueError, match="has the parts"):
        load_dataset(str(tmp_path))


def test_test_images_are_not_taken_for_training(tmp_path):
    (tmp_path / "test" / "cat").mkdir(parents=True)
    (tmp_path / "test" / "cat" / "0.png").write_bytes(png((9, 9, 9)))
    with pytest.raises(ValueError, match="no part but test: give the training images"):
        list_dataset(str(tmp_path))
    assert len(list_dataset(str(tmp_path), train=False)) == len(list_dataset(str(tmp_path / "test"))) == 1


# --- one picture at a time ---


@pytest.mark.parametrize("source", ["folder", "archive"])
def test_pictures_are_read_one_by_one(source, request):
    path = request.getfixturevalue(source)
    found, whole = PictureFiles.find(str(path)), load_dataset(str(path))
    assert (len(found), found.class_names) == (len(whole), whole.class_names)
    assert found.labels.tolist() == whole.labels.tolist()
    for place in (3, 0, 5):
        assert torch.equal(next(found.read((32, 32), [place])), whole.images[place])
    assert next(found.read((8, 6), [1])).shape == (3, 8, 6)
    assert list_dataset(str(path)).files == tuple(name.name for name in found.names)


def test_entries_that_begin_at_the_current_folder_are_found(tmp_path):
    with zipfile.ZipFile(tmp_path / "dots.zip", "w") as file:
        for name, data in files().items():
            file.writestr(f"./{name}", data)
    found = load_dataset(str(tmp_path / "dots.zip"))
    assert len(found) == 6 and found.class_names == ("ant", "bee", "cat")


def test_a_folder_has_one_description_at_every_size(folder):
    small, large = (load_dataset(str(folder), (size, size)).description for size in (8, 32))
    assert small == large
    (folder / "set" / "ant" / "0.png").write_bytes(png((1, 2, 3)))
    assert load_dataset(str(folder), (8, 8)).description != small


def test_a_broken_picture_is_named_when_it_is_read(folder):
    (folder / "set" / "ant" / "0.png").write_bytes(b"no picture")
    found = PictureFiles.find(str(folder))
    with pytest.raises(ValueError, match=r"ant/0\.png: this is not a picture"):
        next(found.read((32, 32), [0]))
    assert next(found.read((32, 32), [1])).shape == (3, 32, 32)


def test_a_download_is_a_data_set_like_any_other(monkeypatch):
    pixels = np.arange(2 * 32 * 32 * 3, dtype=np.int64).astype(np.uint8).reshape(2, 32, 32, 3)

    def downloaded(root, train, download):
        return SimpleNamespace(data=pixels if train else pixels[:1], targets=[3, 9] if train else [0])

    monkeypatch.setattr("torchvision.datasets.CIFAR10", downloaded)
    data = load_dataset("download")
    assert data.images.shape == (2, 3, 32, 32) and data.images.dtype == torch.uint8
    assert data.images[1, 2, 5, 7] == pixels[1, 5, 7, 2]
    assert data.labels.tolist() == [3, 9] and data.class_names == CIFAR10_CLASSES
    assert data.description == "torchvision CIFAR10 training set: 2 images"
    assert list_dataset("download", train=False).description == "torchvision CIFAR10 test set: 1 images"


def test_a_failed_download_says_so(monkeypatch):
    def damaged(*arguments, **options):
        raise RuntimeError("File not found or corrupted.")

    monkeypatch.setattr("torchvision.datasets.CIFAR10", damaged)
    with pytest.raises(ValueError, match="the download of CIFAR-10 failed: File not found or corrupted"):
        load_dataset("download")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_zip_says_so_whatever_its_compression(tmp_path, method):
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr("cat/0.png", png((9, 9, 9)))
    data = bytearray(path.read_bytes())
    middle = 30 + len("cat/0.png") + 20  # behind the local header
    data[middle : middle + 8] = bytes(8)
    path.write_bytes(data)
    with pytest.raises(ValueError, match="cannot be read as a zip"):
        load_dataset(str(path))


def test_a_zip_is_opened_once_and_anew_when_it_changes(archive, monkeypatch, tmp_path):
    path = tmp_path / "mine.zip"
    path.write_bytes(archive.read_bytes())
    found, opened, real = PictureFiles.find(str(path)), [], zipfile.ZipFile
    monkeypatch.setattr("zipfile.ZipFile", lambda *a: opened.append(a) or real(*a))
    first = [next(found.read((8, 8), [place])) for place in (0, 1, 0)]
    assert len(opened) == 1 and torch.equal(first[0], first[2])
    path.write_bytes(archive.read_bytes())
    os.utime(path, ns=(1, 1))
    assert torch.equal(next(found.read((8, 8), [0])), first[0]) and len(opened) == 2


def test_a_name_that_is_twice_in_a_zip_is_one_picture(tmp_path):
    path = tmp_path / "twice.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("cat/0.png", "./cat/0.png", "dog/0.png"):
            archive.writestr(name, png("red"))
    assert len(list_dataset(str(path))) == 2


def test_the_same_files_in_other_classes_are_other_data(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (8, 8), (name == "cat" and "red") or "blue").save(tmp_path / name / "0.png")
    before = list_dataset(str(tmp_path)).description
    (tmp_path / "dog").rename(tmp_path / "emu")
    assert list_dataset(str(tmp_path)).description != before


def test_hidden_folders_are_no_classes(tmp_path):
    for name in ("cat", ".trash"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (8, 8)).save(tmp_path / name / "0.png")
    assert list_dataset(str(tmp_path)).class_names == ("cat",)


def test_folders_that_links_lead_to_count(folder, tmp_path):
    (folder / "set" / "ant").rename(tmp_path / "elsewhere")
    (folder / "set" / "ant").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    check(list_dataset(str(folder)).load())


def test_a_link_to_a_folder_above_is_refused(folder):
    (folder / "set" / "ant" / "again").symlink_to(folder, target_is_directory=True)
    with pytest.raises(ValueError, match=r"again is a link to a folder that it lies in"):
        list_dataset(str(folder))


def test_hidden_folders_are_not_looked_into(folder):
    (folder / ".cache").mkdir()
    (folder / ".cache" / "again").symlink_to(folder, target_is_directory=True)
    check(list_dataset(str(folder)).load())


def test_a_folder_that_cannot_be_read_is_named(folder, monkeypatch):
    scan = os.scandir

    def scandir(path):
        if os.fspath(path).endswith("ant"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(ValueError, match=r"ant cannot be read: Permission denied"):
        list_dataset(str(folder))


def test_a_folder_has_its_name_wherever_one_is(folder, monkeypatch):
    monkeypatch.chdir(folder / "set")
    named = [list_dataset(source).description for source in (".", str(folder / "set"), "../set")]
    assert len({*named}) == 1 and named[0].startswith("set: 6 images, sha256 ")


@pytest.mark.parametrize("ending", ["png", "jpg", "jpeg", "webp", "bmp", "JPEG"])
def test_pictures_of_every_ending_are_found(ending, tmp_path):
    (tmp_path / "cat").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "cat" / f"0.{ending}")
    assert len(list_dataset(str(tmp_path), (8, 8))) == 1


def test_a_picture_that_unpacks_to_a_hundred_megabytes_is_not_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "data.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("cat/0.png", bytes(100 * 2**20))
    data = list_dataset(str(tmp_path / "data.zip"))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="at most 20 MB"):
            next(data.read([0]))
        assert tracemalloc.get_traced_memory()[1] < 50 * 2**20
    finally:
        tracemalloc.stop()


def test_as_many_images_are_needed_to_be_the_same_ones():
    few, many = (f"a.zip: {n} images, sha256 {'0' * 64}" for n in (10, 20))
    assert may_be_the_same(few, few) and not may_be_the_same(few, many)
