"""Pictures side by side, bands and legends, as HTML that any page may show. Does not import streamlit."""

from collections.abc import Sequence
from html import escape

import torch
from PIL import ImageColor
from torch import Tensor

from app.pictures import MARK_COLOUR, data_url

WIDEST_CELL = 300
"""Pixels: a few pictures are not blown up to the width of the page."""
FILM_STYLE = """<style>
.dssn-film {display: grid; gap: 12px; font-size: 0.8rem}
.dssn-rows {font-size: 0.8rem; margin-bottom: 4px}
.dssn-film img {width: 100%; image-rendering: pixelated; border-radius: 4px; display: block; margin-bottom: 4px;
  outline: 1px solid rgba(136, 136, 136, 0.3)}
</style>"""


def filmstrip(cells: Sequence[tuple[str, Sequence[Tensor]]], width: int = 96, rows: Sequence[str] = ("",)) -> str:
    """HTML: cells in a row that wraps, each a caption under one or more uint8 (3, H, W) pictures, sharp and lossless.

    width: of a cell at least, in pixels. rows: what each picture of a cell is, from above; a cell with fewer pictures
    has them at its foot, unnamed.
    """
    drawn = []
    for caption, pictures in cells:
        named = rows if len(pictures) == len(rows) else [""] * len(pictures)
        texts = [f"{row}, {caption}" if row else caption for row in named]
        images = "".join(
            f'<img src="{data_url(picture)}" alt="{escape(text)}">'
            for picture, text in zip(pictures, texts, strict=True)
        )
        drawn.append(f"<div>{images}{escape(caption)}</div>")
    style = f"grid-template-columns: repeat(auto-fit, minmax({width}px, 1fr)); max-width: {len(cells) * WIDEST_CELL}px"
    if any(len(pictures) < len(rows) for _, pictures in cells):
        style += "; align-items: end"
    legend = f'<div class="dssn-rows">From above: {escape(", ".join(rows))}</div>' if len(rows) > 1 else ""
    return f'{FILM_STYLE}{legend}<div class="dssn-film" style="{style}">{"".join(drawn)}</div>'


BAND_STYLE = """<style>
.dssn-bands {display: grid; gap: 2px; font-size: 0.8rem; margin-top: 12px}
.dssn-bands img {width: 100%; height: 22px; image-rendering: pixelated; display: block; margin-bottom: 8px;
  outline: 1px solid rgba(136, 136, 136, 0.4)}
</style>"""


def hits(which: Tensor) -> Tensor:
    """uint8 (3, N): a band of bool (N,), orange where it is true and else light grey: told apart on any page."""
    colours = (ImageColor.getrgb(colour) for colour in (MARK_COLOUR, "#e0e0e0"))
    hit, miss = (torch.tensor(colour, dtype=torch.uint8)[:, None] for colour in colours)
    return torch.where(which, hit, miss)


def bands(rows: Sequence[tuple[str, Tensor]]) -> str:
    """HTML: of each row its text, and below it uint8 (N,) greys, or (3, N), as a band from left to right."""
    drawn = (
        f'<div>{escape(text)}</div><img src="{data_url(band.expand(3, -1)[:, None].contiguous())}" alt="">'
        for text, band in rows
    )
    return f'{BAND_STYLE}<div class="dssn-bands">{"".join(drawn)}</div>'


def svg(width: float, height: float, body: str, stretched: bool = False) -> str:
    """A drawing that screen readers pass over. stretched: to whatever size it is given."""
    aspect = ' preserveAspectRatio="none"' if stretched else ""
    return f'<svg viewBox="0 0 {width:g} {height:g}"{aspect} aria-hidden="true">{body}</svg>'


def legend(entries: Sequence[tuple[str, str]]) -> str:
    """HTML: what the marks of a figure mean, each an SVG drawing of 16 x 16."""
    return "".join(f"<span>{svg(16, 16, mark)}{escape(text)}</span>" for mark, text in entries)
