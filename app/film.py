"""Figures made of frames, drawn as HTML. Does not import streamlit; `player` shows them."""

from dataclasses import dataclass

FRAMES = 32
"""Of a figure that plays and may leave steps out, at most, and the one it begins with."""

PART = "<div data-part></div>"
"""Where a part of a frame goes, in a template."""


@dataclass(frozen=True)
class Film:
    """template: HTML; its elements marked `data-part` take the parts of a frame, in order.

    still: the parts while nothing plays. frames, names: the parts, and a short name, of every step. start: the step
    that `still` belongs to. An element marked `data-pick="rows columns"` reports the cell that is clicked.
    """

    template: str
    still: tuple[str, ...] = ()
    frames: tuple[tuple[str, ...], ...] = ()
    names: tuple[str, ...] = ()
    start: int = 0
