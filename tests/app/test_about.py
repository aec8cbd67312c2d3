"""The page about this build."""

import pytest
from streamlit.testing.v1 import AppTest

from app import resources
from dssn_core import list_models
from dssn_core.self_check import Result
from tests.app.test_certify import MAIN


def open_page() -> AppTest:
    page = AppTest.from_file(str(MAIN), default_timeout=120).switch_page("views/about.py").run()
    assert not page.exception
    return page


@pytest.fixture
def unchecked():
    """Nothing is remembered of other checks, and nothing of this one."""
    resources.self_check.clear()
    yield
    resources.self_check.clear()


@pytest.mark.usefixtures("unchecked")
def test_this_build_is_sound_and_names_its_networks(monkeypatch):
    # The known certificate of one network: those of all are computed again in the tests of the self-check.
    monkeypatch.setattr(resources.self_checks, "list_models", lambda folder: ("cifar10-dssn",))
    page = open_page()
    assert "computes what it should" in page.success[0].value
    networks = page.dataframe[0].value.set_index("name")
    assert networks.index.tolist() == list(list_models())
    assert networks["σ"]["cifar10-dssn"] == "0.1 to 3.5"


@pytest.mark.usefixtures("unchecked")
def test_a_failure_is_red(monkeypatch):
    monkeypatch.setattr(resources.self_checks, "run", lambda: [Result("splitting", False, "wrong")])
    page = open_page()
    assert "does not compute what it should:** splitting" in page.error[0].value
    assert not page.success
