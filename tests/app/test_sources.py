"""Where the pictures of the pages come from."""

import os
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
import torch

from app import sources
from dssn_core import read_image
from dssn_core.datasets import CIFAR10_CLASSES
from dssn_core.gallery import built_in_pictures
from dssn_core.images import image_sha256
from tests.evaluated import a_record, class_folders


@pytest.fixture(autouse=True)
def nothing_known():
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def test_a_folder_that_comes_after_the_start_is_found(tmp_path, monkeypatch):
    folder = tmp_path / "pictures"
    monkeypatch.setenv(sources.DATA_VARIABLE, str(folder))
    assert "a zip or a folder of class folders" in str(sources.folder_problem()) and sources.folder() is None
    (folder / "cat").mkdir(parents=True)
    (folder / "cat" / "0.jpg").write_bytes(Path(built_in_pictures()[0].path).read_bytes())
    sources._folder.clear()  # as after a while
    found = sources.folder()
    assert found is not None and found.places == {"test-0": 0} and sources.folder_problem() is None
    assert sources.folder() is found
    sources._folder.clear()
    assert sources.folder() is found  # nothing has changed
    (folder / "cat" / "1.jpg").write_bytes(b"")
    sources._folder.clear()
    assert len(sources.folder().places) == 2


def test_a_zip_in_the_place_of_another_is_read_anew(tmp_path, monkeypatch):
    source = tmp_path / "pictures.zip"
    monkeypatch.setenv(sources.DATA_VARIABLE, str(source))
    shown = []
    for number, picture in enumerate(built_in_pictures()[:2]):
        with zipfile.ZipFile(source, "w") as file:
            file.write(picture.path, "cat/0.png")
        os.utime(source, ns=(number, number))
        sources._folder.clear()  # as after a while
        shown.append(sources.folder().picture(0, (32, 32)))
    assert not torch.equal(*shown)


def test_what_a_page_shows_is_of_one_listing(tmp_path, monkeypatch):
    """A zip takes the place of another with fewer pictures: labels and pictures of either are its own."""
    source, names = tmp_path / "pictures.zip", ("airplane", "automobile", "bird", "cat", "deer")
    monkeypatch.setenv(sources.DATA_VARIABLE, str(source))

    def put(time, classes):
        with zipfile.ZipFile(source, "w") as file:
            for name in classes:
                file.write(built_in_pictures()[names.index(name)].path, f"{name}/0.png")
        os.utime(source, ns=(time, time))

    put(1, ["cat"])
    first = sources.folder()
    assert first.labels(CIFAR10_CLASSES) is None and first.labels(("cat",)) == [0]
    put(2, names)
    # The listing is the old one for a while, and what is read by it is not kept for the new one.
    assert sources.folder() is first and first.picture(0, (32, 32)) is not None
    sources._folder.clear()
    later = sources.folder()
    assert len(later.places) == 5 and later.labels(names) == [0, 1, 2, 3, 4] and later.labels(("cat",)) is None
    expected = read_image(built_in_pictures()[0].path, (32, 32))
    assert torch.equal(later.picture(0, (32, 32)), expected)


def test_a_picture_that_could_not_be_read_is_tried_again(tmp_path, monkeypatch):
    picture = tmp_path / "pictures" / "cat" / "0.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"not a picture")
    monkeypatch.setenv(sources.DATA_VARIABLE, str(tmp_path / "pictures"))
    assert sources.folder().picture(0, (32, 32)) is None
    picture.write_bytes(Path(built_in_pictures()[0].path).read_bytes())
    assert sources.folder().picture(0, (32, 32)) is not None


def test_a_folder_that_changes_is_shown_as_it_is(tmp_path, monkeypatch):
    """A picture comes into a class of one of its parts, and another is overwritten, which no folder's time tells."""
    first, second, third = (Path(picture.path) for picture in built_in_pictures()[:3])
    cats = tmp_path / "test" / "cat"
    for folder in (cats, tmp_path / "train" / "cat"):
        folder.mkdir(parents=True)
        (folder / "0.png").write_bytes(first.read_bytes())
    monkeypatch.setenv(sources.DATA_VARIABLE, str(tmp_path))
    assert len(sources.folder().places) == 1
    assert torch.equal(sources.folder().picture(0, (32, 32)), read_image(first))
    (cats / "0.png").write_bytes(second.read_bytes())
    os.utime(cats / "0.png", ns=(1, 1))  # whatever the clock of the file system counts in
    assert torch.equal(sources.folder().picture(0, (32, 32)), read_image(second))
    (cats / "1.png").write_bytes(third.read_bytes())
    sources._folder.clear()  # as after a while
    assert len(sources.folder().places) == 2


def test_a_picture_whose_place_another_takes_is_not_shown_for_it(tmp_path, monkeypatch):
    """Files that were unpacked together may have been written at the very same time."""
    first, second = (Path(picture.path) for picture in built_in_pictures()[:2])
    cats = tmp_path / "cat"
    cats.mkdir()
    for name, picture in (("0.png", first), ("1.png", second)):
        (cats / name).write_bytes(picture.read_bytes())
        os.utime(cats / name, ns=(1, 1))
    monkeypatch.setenv(sources.DATA_VARIABLE, str(tmp_path))
    assert torch.equal(sources.folder().picture(0, (32, 32)), read_image(first))
    (cats / "0.png").unlink()
    sources._folder.clear()  # as after a while
    assert torch.equal(sources.folder().picture(0, (32, 32)), read_image(second))


def test_of_a_record_only_its_very_image_is_shown(tmp_path, monkeypatch):
    monkeypatch.setenv(sources.DATA_VARIABLE, str(class_folders(tmp_path)))
    pictures = sources.folder()
    image = pictures.picture(3, (32, 32))
    record = replace(a_record(3), index=3, image_sha256=image_sha256(image))
    assert torch.equal(pictures.picture_of(record, (32, 32)), image)
    assert pictures.picture_of(replace(record, image_sha256="another"), (32, 32)) is None
    assert pictures.picture_of(replace(record, index=len(pictures.files)), (32, 32)) is None  # of a larger folder


def test_of_training_and_test_pictures_those_of_the_test_are_shown(tmp_path, monkeypatch):
    data = class_folders(tmp_path)
    for part in ("train", "test"):
        shutil.copytree(data, tmp_path / "both" / part)
    (tmp_path / "both" / "train" / "cat" / "1.png").write_bytes((data / "cat" / "0.png").read_bytes())
    monkeypatch.setenv(sources.DATA_VARIABLE, str(tmp_path / "both"))
    assert len(sources.folder().places) == 10
