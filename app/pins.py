"""Settings of a comparison that stay on the page, beside each other."""

from typing import Any

import streamlit as st

from app import exports
from dssn_core.comparison import METHODS, Outcome

MOST_PINS = 3


def pinned() -> dict[str, list[dict[str, Any]]]:
    """Rows of the table, by setting."""
    pins: dict[str, list[dict[str, Any]]] = st.session_state.setdefault("pins", {})
    return pins


def offer(setting: str, outcomes: list[Outcome], names: tuple[str, ...]) -> None:
    pins = pinned()
    rows = [{**outcome.row(names), "shown": outcome.shown_radius} for outcome in outcomes]
    key = setting if len(rows) == len(METHODS) else f"{setting}, {', '.join(row['method'] for row in rows)}"
    st.button(
        "Pin this setting",
        icon=":material/keep:",
        key="pin",
        on_click=pins.update,
        args=({key: rows},),
        disabled=len(pins) >= MOST_PINS or key in pins,
        help=f"Up to {MOST_PINS} settings stay in a table below, to compare.",
    )


def unpin(setting: str) -> None:
    pinned().pop(setting, None)  # a second click, before the page has answered the first


def show() -> None:
    pins = pinned()
    if not pins:
        return
    st.markdown("**Pinned settings**")
    rows = [{"setting": setting, **row} for setting, found in pins.items() for row in found]
    titles = {
        "setting": "setting",
        "method": "method",
        "class": "class",
        "shown": "ρ, rounded down",
        "passes": "passes",
        "failure_probability": "failure probability",
    }
    st.dataframe({title: [row[name] for row in rows] for name, title in titles.items()}, hide_index=True)
    with st.container(horizontal=True):
        for place, setting in enumerate(pins):
            st.button(f"Unpin: {setting}", key=f"unpin-{place}", type="tertiary", on_click=unpin, args=(setting,))
    exports.files("pinned", rows, {})
