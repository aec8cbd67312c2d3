"""Where the pictures of the pages come from."""

from pathlib import Path

import pytest
import streamlit as st

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
