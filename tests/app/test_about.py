"""The page about this build."""

import pytest
from streamlit.testing.v1 import AppTest

from app import checking
from dssn_core import list_models, self_check
from dssn_core.checkpoints import PRETRAINED, read_manifest
from tests.app.pages import open_view, sound


def open_page() -> AppTest:
    return sound(open_view("about"))


@pytest.fixture
def unchecked():
    """Nothing is remembered of other checks, and nothing of this one."""
    checking.checked.clear()
    yield
    checking.checked.clear()


@pytest.mark.usefixtures("unchecked")
def test_this_build_is_sound_and_names_its_networks(monkeypatch):
    # The known certificate of one network: those of all are computed again by `self-check`, in CI.
    monkeypatch.setattr(self_check, "list_models", lambda folder: ("cifar10-dssn",))
    page = open_page()
    assert "computes what it should" in page.success[0].value
    networks = page.dataframe[0].value.set_index("name")
    assert networks.index.tolist() == list(list_models())
    assert networks["σ"]["cifar10-dssn"] == "0.1 to 3.5"


@pytest.mark.usefixtures("unchecked")
def test_what_rounds_otherwise_is_not_called_agreeing(monkeypatch):
    def rounded():
        raise self_check.Rounding("two votes differ")

    monkeypatch.setattr(self_check, "checks", lambda **_: [("one", rounded), ("the rest", lambda: "fine")])
    page = open_page()
    assert "except for rounding.** In 1 of 2 checks" in page.warning[0].value
    assert not page.success and not page.error
    assert 'aria-label="differs as rounding may"' in page.get("html")[0].proto.body


@pytest.mark.usefixtures("unchecked")
def test_a_failure_is_red(monkeypatch):
    def wrong():
        raise AssertionError("pixel 3 differs")

    monkeypatch.setattr(self_check, "checks", lambda **_: [("splitting", wrong), ("the rest", lambda: "fine")])
    page = open_page()
    assert "does not compute what it should:** splitting." in page.error[0].value
    assert not page.success
    assert "pixel 3 differs" in page.get("html")[0].proto.body and "fine" in page.get("html")[0].proto.body
    assert len(page.dataframe) == 2  # networks and software are told all the same


def test_the_table_says_what_the_manifests_say(monkeypatch):
    monkeypatch.setattr(self_check, "checks", lambda **_: [])
    page = open_page()
    table = page.dataframe[0].value.set_index("name")
    for name in list_models():
        manifest = read_manifest(PRETRAINED / name)
        assert table.loc[name, "format"] == manifest.precision
        assert table.loc[name, "images seen"] == f"{manifest.images_seen:,}"
        assert table.loc[name, "weights' SHA-256"] == manifest.weights_sha256
