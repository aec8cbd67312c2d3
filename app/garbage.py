"""Garbage collection, which would take longer after every run of a page than the page."""

import gc

import streamlit as st

TIDY_SECONDS = 600


def spare_what_is_loaded() -> None:
    """Take all that is loaded by now out of garbage collection.

    Streamlit collects garbage after every run of a page; looking through torch's and Plotly's modules each time
    would take several times as long as the page.
    """
    gc.unfreeze()  # what sessions have left behind since the last time is garbage
    gc.collect()
    gc.freeze()


@st.cache_resource(ttl=TIDY_SECONDS, show_spinner=False)
def tidied() -> None:
    """`spare_what_is_loaded` now and then: what it spared may be of sessions that have ended since."""
    spare_what_is_loaded()
