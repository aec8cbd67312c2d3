"""Links say what their page would not show by itself."""

import json

from streamlit.testing.v1 import AppTest

from app.links import needed

UNSAID = {"data": "CIFAR-10", "sigma": "0.5"}


def test_a_link_leaves_out_what_its_page_shows_anyway():
    wanted = {"data": "CIFAR-10", "sigma": "0.5", "picture": "cifar10-03"}
    assert needed(wanted, UNSAID, {}) == {"picture": "cifar10-03"}
    assert needed(wanted, UNSAID, {"sigma": "0.5"}) == {"picture": "cifar10-03"}


def test_a_link_says_what_is_no_default_or_was_chosen_otherwise():
    assert needed({"sigma": "0.25"}, UNSAID, {"sigma": "0.25"}) == {"sigma": "0.25"}
    assert needed({"sigma": "0.5"}, UNSAID, {"sigma": "0.25"}) == {"sigma": "0.5"}


def test_what_was_chosen_is_said_as_an_address_says_it():
    def script():
        import streamlit as st

        from app import state
        from app.collection import COLLECTIONS
        from app.gallery import OWN
        from app.links import chosen_before

        kept = {"data": "CIFAR-10", "sigma": 1.0, "source": OWN, "counting": "plurality", "picture-cifar10": "test-7"}
        for name, value in kept.items():
            state.set_chosen(name, value)
        st.json(chosen_before(COLLECTIONS["CIFAR-10"]))

    (shown,) = AppTest.from_function(script).run().json
    said = {"data": "CIFAR-10", "sigma": "1", "source": "My own picture", "counting": "first choices"}
    assert json.loads(shown.value) == {**said, "picture": "test-7"}
