"""A running app, a browser tab, and a folder of models of a test's own, for the tests that need them."""

import pytest
import streamlit as st
from streamlit import config

from dssn_core.checkpoints import find_model, list_models, load_model
from tests.app.browser import ROOT, chromium_tab, running_app

config._main_script_path = str(ROOT / "app" / "main.py")  # as `streamlit run` does, to find the app's settings
config.get_config_options(force_reparse=True)


@pytest.fixture(scope="session")
def address():
    """The address of the app, started for these tests on a free port."""
    with running_app() as url:
        yield url


@pytest.fixture
def tab():
    """An empty tab of headless Chromium."""
    with chromium_tab() as page:
        yield page
        assert page.get_by_test_id("stException").count() == 0


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """An empty folder that pages load models from instead of `pretrained/`."""
    folder = tmp_path / "pretrained"
    folder.mkdir()
    for finds in (load_model, find_model, list_models):
        monkeypatch.setattr(finds, "__defaults__", (folder,))
    st.cache_resource.clear()
    yield folder
    st.cache_resource.clear()
