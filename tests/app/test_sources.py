"""Where the pictures of the pages come from."""

import os
import zipfile
from pathlib import Path

import pytest
import streamlit as st
import torch

from app import sources
from dssn_core.gallery import built_in_pictures


@pytest.fixture(autouse=True)
def nothing_known():
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def test_a_folder_that_comes_after_the_start_is_found(tmp_path, monkeypatch):
    folder = tmp_path / "pictures"
    monkeypatch.setenv(sources.DATA_VARIABLE, str(folder))
    assert "a zip or a folder of class folders" in str(sources.folder_problem()) and not sources.folder_keys()
    (folder / "cat").mkdir(parents=True)
    (folder / "cat" / "0.jpg").write_bytes(Path(built_in_pictures()[0].path).read_bytes())
    sources._folder.clear()  # as after a while
    assert sources.folder_problem() is None and list(sources.folder_keys()) == ["test-0"]
    found = sources.folder()
    assert found is not None and sources.folder() is found


def test_a_zip_in_the_place_of_another_is_read_anew(tmp_path, monkeypatch):
    source = tmp_path / "pictures.zip"
    monkeypatch.setenv(sources.DATA_VARIABLE, str(source))
    shown = []
    for number, picture in enumerate(built_in_pictures()[:2]):
        with zipfile.ZipFile(source, "w") as file:
            file.write(picture.path, "cat/0.png")
        os.utime(source, ns=(number, number))
        sources._folder.clear()  # as after a while
        shown.append(sources.folder_picture(0, (32, 32)))
    assert not torch.equal(*shown)


def test_a_picture_that_could_not_be_read_is_tried_again(tmp_path, monkeypatch):
    picture = tmp_path / "pictures" / "cat" / "0.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"not a picture")
    monkeypatch.setenv(sources.DATA_VARIABLE, str(tmp_path / "pictures"))
    assert sources.folder_picture(0, (32, 32)) is None
    picture.write_bytes(Path(built_in_pictures()[0].path).read_bytes())
    assert sources.folder_picture(0, (32, 32)) is not None
