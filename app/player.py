"""A figure that plays: frames drawn here as HTML, stepped through in the browser by `assets/player.js`.

A slider answers faster than with a chart that is laid out again at every move, and play, pause and the frames can be
reached by keyboard.
"""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from app.film import Film

ASSETS = Path(__file__).parent / "assets"


def _asset(kind: str) -> str:
    return (ASSETS / f"player.{kind}").read_text(encoding="utf-8")


_mount = st.components.v2.component("dssn_player", html=_asset("html"), css=_asset("css"), js=_asset("js"))


def show(
    film: Film,
    key: str,
    alt: str,
    play: str = "Play",
    milliseconds: int = 200,
    on_pick: Callable[[int, int], None] | None = None,
) -> None:
    """Draw the film. on_pick: is called with (row, column) of a clicked cell before the page runs again."""

    def picked() -> None:
        cell = st.session_state[key].pick
        if on_pick is not None and cell is not None:
            on_pick(int(cell["row"]), int(cell["column"]))

    data = {
        "template": film.template,
        "still": film.still,
        "frames": film.frames,
        "names": film.names,
        "start": film.start,
        "alt": alt,
        "play": play,
        "milliseconds": milliseconds,
    }
    _mount(data=data, key=key, on_pick_change=picked)
