"""What can be taken along from a comparison: files of all that is shown, and settings pinned beside each other."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from dssn_core.comparison import METHODS, Outcome, to_csv

MOST_PINS = 3


def files(name: str, rows: list[dict[str, Any]], figures: dict[str, go.Figure]) -> None:
    """Download buttons for everything a section shows."""
    offered: dict[str, tuple[str, str, str | Callable[[], str]]]
    offered = {
        "CSV": ("csv", "text/csv", to_csv(rows)),
        "JSON": ("json", "application/json", json.dumps(rows, indent=1)),
    }
    for title, figure in figures.items():  # made when asked for: 5 MB
        html = partial(figure.to_html, include_plotlyjs=True)
        offered[f"{title} (HTML)"] = (f"{title}.html", "text/html", html)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Take it along:", width="content")
        for label, (ending, mime, data) in offered.items():
            st.download_button(
                label, data, f"{name}.{ending}", mime, key=f"{name}-{label}", type="tertiary", on_click="ignore"
            )


def prepare_pins() -> None:
    """Call it before the other two."""
    st.session_state.setdefault("pins", {})


def offer_pin(setting: str, outcomes: list[Outcome], names: tuple[str, ...]) -> None:
    pins: dict[str, list[dict[str, Any]]] = st.session_state["pins"]
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
    st.session_state["pins"].pop(setting, None)  # a second click, before the page has answered the first


def show_pins() -> None:
    pins: dict[str, list[dict[str, Any]]] = st.session_state["pins"]
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
    files("pinned", rows, {})
