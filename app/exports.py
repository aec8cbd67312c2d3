"""Files of all that a section of a page shows, to take along."""

import csv
import io
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st


def to_csv(rows: list[dict[str, Any]]) -> str:
    """Rows of the same keys as CSV with a header; empty for no rows."""
    if not rows:
        return ""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def files(name: str, rows: list[dict[str, Any]], figures: dict[str, go.Figure]) -> None:
    """Download buttons for everything a section shows."""
    offered: dict[str, tuple[str, str, Callable[[], str]]] = {  # each is made when it is asked for
        "CSV": ("csv", "text/csv", partial(to_csv, rows)),
        "JSON": ("json", "application/json", partial(json.dumps, rows, indent=1)),
    }
    for title, figure in figures.items():
        html = partial(figure.to_html, include_plotlyjs=True)
        offered[f"{title} (HTML)"] = (f"{title}.html", "text/html", html)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Download:", width="content")
        for label, (ending, mime, data) in offered.items():
            st.download_button(
                label, data, f"{name}.{ending}", mime, key=f"{name}-{label}", type="tertiary", on_click="ignore"
            )
