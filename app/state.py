"""What the address of the page keeps, so that a copied link reopens the same view."""

from collections.abc import Container

import streamlit as st

PICTURE = "picture"


def chosen_picture(known: Container[str], default: str) -> str:
    """The picture named in the address; the default if there is none or it is unknown."""
    key = st.query_params.get(PICTURE, default)
    return key if key in known else default


def choose_picture(key: str) -> None:
    st.query_params[PICTURE] = key


def set_value(key: str, value: object) -> None:
    """A button's callback: give the widget `key` a value."""
    st.session_state[key] = value
