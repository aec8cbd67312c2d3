"""What the address keeps, so that a copied link reopens the same view, and what outlives a change of page."""

import re
from collections.abc import Callable, Container
from contextlib import suppress
from typing import TypeVar

import streamlit as st
from streamlit.errors import StreamlitAPIException

from app.pictures import tame

PICTURE, DIGEST = "picture", "sha256"
T = TypeVar("T")


def open_page(path: str) -> None:
    """At a change of page what its address says counts, not what a widget of that name held on another page."""
    if st.session_state.get("open-page") != path:
        st.session_state["shown-here"] = {}
        for key in st.query_params:
            st.session_state.pop(key, None)
    st.session_state["open-page"] = path


def comes_anew(what: str, kind: str = "") -> bool:
    """Whether something is shown that this page, since it was opened, did not show last, or of another kind.

    Then what was chosen on an earlier page counts. Later an address without a choice is what the browser's Back leads
    to: the page as it is to begin with.
    """
    shown: dict[str, str] = st.session_state["shown-here"]
    known, shown[what] = shown.get(what), kind
    return known != kind


def chosen_picture(known: Container[str], default: str, kind: str) -> str:
    """The picture named in the address, or else the one chosen before; the default if that is none or unknown.

    kind: of picture; a choice is kept for each. One in the address that is unknown is told, and taken out.
    """
    named = st.query_params.get(PICTURE)
    if named and named not in known:
        st.warning(f"The link names a picture that is not here: {tame(named)}. This is another one.")
        del st.query_params[PICTURE]
        named = None
    kept = st.session_state.get(f"kept-picture-{kind}", default) if comes_anew(PICTURE, kind) else default
    key = named or kept
    key = key if key in known else default
    st.session_state[f"kept-picture-{kind}"] = key
    if key != default:
        st.query_params[PICTURE] = key
    return key


def choose_picture(key: str, kind: str) -> None:
    st.session_state[f"kept-picture-{kind}"] = st.query_params[PICTURE] = key


def change_kind() -> None:
    """What the address names is of another kind than the pictures to come: of those the one chosen before counts."""
    st.query_params.pop(PICTURE, None)


def wanted_picture() -> str | None:
    """SHA-256 of the picture that the address speaks of, if it speaks of one."""
    digest = st.query_params.get(DIGEST, "")
    return digest if re.fullmatch("[0-9a-f]{64}", digest) else None


def want_picture(digest: str) -> None:
    st.query_params[DIGEST] = digest


def want_no_picture() -> None:
    st.query_params.pop(DIGEST, None)


def recall(key: str, default: float, fit: Callable[[float], float]) -> None:
    """Before the widget `key`: give it what was chosen, as near as it can show; a choice in the address comes first.

    What does not fit here, as with another network, is kept and comes back where it does: `keep` is to be the widget's
    callback, and `settle` to be called after it.
    """
    if key in st.session_state or key not in st.query_params:
        st.session_state[key] = fit(st.session_state.setdefault(f"kept-{key}", default))
        put_into_address(key, fit(default))
    else:
        st.session_state.pop(f"kept-{key}", None)


def put_into_address(key: str, default: T, show: Callable[[T], str] = str) -> None:
    """Before the widget `key`: put the value that is set for it into the address.

    Streamlit does it for a widget that it has seen, but not for one whose value came with a link, or a click.
    show: what the widget, and so the address, calls a value.
    """
    value = st.session_state.get(key, default)
    if value != default and key not in st.query_params:
        st.session_state[key] = value  # or the widget may begin with its default, and take it out again
        with suppress(StreamlitAPIException):  # of a widget that it still knows, for which it does that itself
            st.query_params[key] = show(value)


def settle(key: str, value: float) -> None:
    """After the widget: what came with the address is chosen."""
    st.session_state.setdefault(f"kept-{key}", value)


def keep(key: str) -> None:
    """A widget's callback: what it is set to is chosen."""
    st.session_state[f"kept-{key}"] = st.session_state[key]


def set_value(key: str, value: object) -> None:
    """A button's callback: give the widget `key` a value."""
    st.session_state[key] = value
