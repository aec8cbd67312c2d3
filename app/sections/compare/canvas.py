"""Figures and words of several runs that go on at once."""

from collections.abc import Callable

import plotly.graph_objects as go
import streamlit as st

from app import charts


def named(what: str) -> Callable[[str], str]:
    """The words of a bar of several runs, which say of what."""
    return lambda told: f"{what}: {told}"


class Canvas:
    """A place for a figure that is drawn again and again during one run of the page. figure: the last one."""

    figure: go.Figure

    def __init__(self, name: str, alt: str) -> None:
        self._place, self._name, self._alt, self._drawn = st.empty(), name, alt, 0

    def draw(self, figure: go.Figure) -> None:
        self._drawn += 1
        self.figure = figure
        key = f"{self._name}-{self._drawn}"
        self._place.plotly_chart(figure, config=charts.CHART_BAR, key=key, alt=self._alt)
