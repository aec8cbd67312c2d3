"""A running app and a browser tab, for the tests that need them."""

import pytest

from tests.app.browser import chromium_tab, running_app


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
