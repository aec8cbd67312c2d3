"""Figures of the splitting laboratory: one pixel on its number line, one image under all its samples.

Does not import streamlit. Positions on the number line are grey levels 0..255, exact halves of the integer half steps.
"""

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
import torch
from torch import Tensor

from app.charts import bare, class_colour
from app.pictures import data_url, sample_image
from dssn_core import PIXEL_STEPS, SplitNoise
from dssn_core.splitting import pixel_sample

FRAMES = 32
"""Steps of an animation through the values of j; more would make the page heavy."""

BINS = 32
GUTTER = 3
"""Between pictures side by side, in their pixels."""

SPLIT_COLOUR, INTERVAL_COLOUR, PIXEL_COLOUR, CENTRE_COLOUR = "#888888", "rgba(78, 121, 167, 0.45)", "#f28e2b", "#2f9e62"


def frame_indices(levels: int) -> list[int]:
    """At most 32 sample indices, evenly spaced over 0..N-1."""
    count = min(FRAMES, levels)
    return [step * levels // count for step in range(count)]


def play_buttons(milliseconds: int, label: str = "▶ Play j") -> dict[str, object]:
    """Buttons that play and pause a figure's frames."""
    play = {"frame": {"duration": milliseconds, "redraw": True}, "transition": {"duration": 0}, "fromcurrent": True}
    pause = {"frame": {"duration": 0, "redraw": False}, "mode": "immediate"}
    return {
        "type": "buttons",
        "showactive": False,
        "bgcolor": "#eef1f6",  # one look that reads in light and dark: Plotly buttons know no theme
        "bordercolor": "#8a93a3",
        "direction": "left",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "pad": {"b": 6},
        "font": {"color": "#1f2430"},
        "buttons": [
            {"label": label, "method": "animate", "args": [None, play]},
            {"label": "❚❚ Pause", "method": "animate", "args": [[None], pause]},
        ],
    }


def _histogram(numerators: Tensor) -> np.ndarray:
    """Share of the sample values in each of `BINS` equal parts of the scale."""
    places = (numerators.flatten().long() * BINS // (4 * PIXEL_STEPS + 1)).numpy()
    return np.bincount(places, minlength=BINS) / max(1, len(places))


def _headroom(heights: np.ndarray) -> list[float]:
    """An axis range that no bar touches the end of."""
    return [0.0, 1.1 * float(heights.max())]


SPLITS = {
    "mode": "markers",
    "marker": {"symbol": "line-ns-open", "size": 46, "color": SPLIT_COLOUR, "line_width": 2},
    "name": "splits",
    "hovertemplate": "split at %{x}<extra></extra>",
}
INTERVAL = {
    "y": [0, 0],
    "mode": "lines",
    "line": {"color": INTERVAL_COLOUR, "width": 20},
    "name": "interval of the pixel",
    "hovertemplate": "the pixel's interval ends at %{x}<extra></extra>",
}
CENTRE = {
    "y": [0],
    "mode": "markers",
    "marker": {"size": 15, "color": CENTRE_COLOUR, "line": {"color": "white", "width": 1.5}},
    "name": "centre = the sample value",
    "hovertemplate": "centre %{x} of 255<extra></extra>",
}
PIXEL = {
    "y": [0],
    "mode": "markers",
    "marker": {"symbol": "diamond", "size": 15, "color": PIXEL_COLOUR, "line": {"color": "white", "width": 1.5}},
    "name": "the pixel",
    "hovertemplate": "pixel %{x}<extra></extra>",
}
CENTRES = {
    "x": (np.arange(BINS) + 0.5) * PIXEL_STEPS / BINS,
    "width": 0.85 * PIXEL_STEPS / BINS,
    "marker_color": CENTRE_COLOUR,
    "name": "centres",
    "showlegend": False,
    "hovertemplate": "%{y:.1%} of the centres near %{x:.0f}<extra></extra>",
    "yaxis": "y2",
}


def _at_index(noise: SplitNoise, pixel: int, index: int, seen: Tensor) -> list[dict[str, object]]:
    """What depends on j: splits, interval, centre, and the histogram of the centres seen so far."""
    sample = pixel_sample(pixel, int(noise.offsets), index, noise.levels)
    return [
        {"x": [split / 2 for split in sample.splits], "y": [0] * len(sample.splits)},
        {"x": [sample.low / 2, sample.high / 2]},
        {"x": [sample.numerator / 4]},
        {"type": "bar", "y": _histogram(seen)},
    ]


def number_line(noise: SplitNoise, pixel: int, index: int) -> go.Figure:
    """One pixel under `noise` of shape (1, 1, 1): its splits, interval and centre at sample `index`; plays over j.

    Below, how often which centre occurs: over all N samples, and in the animation over those seen so far.
    """
    image = torch.full((1, 1, 1), pixel, dtype=torch.uint8)
    numerators = noise.numerators(image, 0, noise.levels).flatten()
    splits, interval, centre, centres = _at_index(noise, pixel, index, numerators)
    greys = go.Heatmap(
        z=np.arange(PIXEL_STEPS + 1)[None, :],
        x=np.arange(PIXEL_STEPS + 1),
        y=[-0.75],
        dy=0.3,
        colorscale="Greys_r",
        showscale=False,
        hoverinfo="skip",
    )
    figure = go.Figure(
        [
            go.Scatter(SPLITS | splits),
            go.Scatter(INTERVAL | interval),
            go.Scatter(CENTRE | centre),
            go.Bar(CENTRES | centres),
            go.Scatter(PIXEL, x=[pixel]),
            greys,
        ]
    )
    chosen = frame_indices(noise.levels)
    # Plain dicts of what changes: whole traces would take Plotly longer to check than a slider may take to answer.
    figure.frames = [
        {
            "data": _at_index(noise, pixel, j, numerators[torch.tensor(chosen[: place + 1])]),
            "traces": [0, 1, 2, 3],
            "name": f"{j}",
            "layout": {
                "title": {"text": f"j = {j}: {place + 1} of {len(chosen)} samples seen"},
                "yaxis2": {"range": _headroom(_histogram(numerators[torch.tensor(chosen[: place + 1])]))},
            },
        }
        for place, j in enumerate(chosen)
    ]
    bare(figure, 430)
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "x": 1, "xanchor": "right", "yanchor": "bottom"},
        updatemenus=[play_buttons(350)],
        title={"text": f"j = {index}; below, all {noise.levels} samples", "font": {"size": 14}, "x": 0, "y": 0.99},
        margin={"t": 84, "b": 40},
        bargap=0,
        xaxis={
            "range": [-6, 261],
            "fixedrange": True,
            "zeroline": False,
            "showgrid": False,
            "title": {"text": "grey level"},
            "anchor": "y2",
        },
        yaxis={"range": [-1.1, 0.8], "visible": False, "fixedrange": True, "domain": [0.6, 1]},
        yaxis2={
            "title": {"text": "share of centres"},
            "tickformat": ".0%",
            "fixedrange": True,
            "range": _headroom(_histogram(numerators)),
            "domain": [0, 0.5],
        },
    )
    return figure


def split_picture(noise: SplitNoise, index: int) -> Tensor:
    """uint8 (C, H, W): the lowest split over every pixel in sample `index`, dark for low; white where none falls."""
    first = (noise.offsets + index) % noise.levels
    return first.clamp(max=PIXEL_STEPS).to(torch.uint8)


def image_laboratory(image: Tensor, noise: SplitNoise, index: int) -> go.Figure:
    """Original, splits and sample side by side; plays over j. Invisible markers make its pixels clickable."""
    _, height, width = image.shape
    stride = width + GUTTER

    def panels(j: int) -> list[dict[str, object]]:
        sample = sample_image(noise.samples(image, j, j + 1)[0])
        return [{"type": "image", "source": data_url(shown)} for shown in (split_picture(noise, j), sample)]

    rows, columns = np.divmod(np.arange(height * width), width)
    clickable = go.Scatter(
        x=columns,
        y=rows,
        mode="markers",
        marker={"symbol": "square", "size": max(3, 260 // width), "opacity": 0},
        customdata=image.reshape(image.shape[0], -1).T.numpy(),
        hovertemplate="row %{y}, column %{x}: %{customdata}<extra>click to take it</extra>",
    )
    images = [{"source": data_url(image)}, *panels(index)]
    figure = go.Figure([go.Image(data, x0=place * stride, hoverinfo="skip") for place, data in enumerate(images)])
    figure.add_trace(clickable)
    figure.frames = [{"data": panels(j), "traces": [1, 2], "name": f"{j}"} for j in frame_indices(noise.levels)]
    bare(figure, 380)
    whole = 3 * stride - GUTTER
    axis = {"visible": False, "fixedrange": True, "constrain": "domain"}
    figure.update_layout(
        updatemenus=[{**play_buttons(200), "y": -0.02, "yanchor": "top"}],
        margin={"t": 28, "b": 50},
        clickmode="event+select",
        xaxis={**axis, "range": [-0.5, whole - 0.5]},
        yaxis={**axis, "range": [height - 0.5, -0.5], "scaleanchor": "x", "constraintoward": "top"},
        annotations=[
            {
                "text": title,
                "x": place * stride + (width - 1) / 2,
                "y": -0.5,
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 14},
            }
            for place, title in enumerate(("the picture", "its splits", "the sample"))
        ],
    )
    return figure


FILM_STYLE = """<style>
.dssn-film {display: grid; gap: 12px; font-size: 0.8rem}
.dssn-film img {width: 100%; image-rendering: pixelated; border-radius: 4px; display: block; margin-bottom: 4px}
</style>"""


def filmstrip(cells: Sequence[tuple[str, Sequence[Tensor]]], width: int = 96) -> str:
    """HTML: cells in a row that wraps, each a caption under one or more uint8 (3, H, W) pictures, sharp and lossless.

    width: of a cell at least, in pixels.
    """
    drawn = []
    for caption, pictures in cells:
        images = "".join(f'<img src="{data_url(picture)}" alt="{escape(caption)}">' for picture in pictures)
        drawn.append(f"<div>{images}{escape(caption)}</div>")
    columns = f"grid-template-columns: repeat(auto-fit, minmax({width}px, 1fr))"
    return f'{FILM_STYLE}<div class="dssn-film" style="{columns}">{"".join(drawn)}</div>'


def error_curves(lambdas: Sequence[float], errors: dict[str, list[float]]) -> go.Figure:
    """Mean squared reconstruction error against lambda, a curve per offset scheme."""
    figure = go.Figure(
        [
            go.Scatter(
                x=list(lambdas),
                y=values,
                mode="lines+markers",
                name=scheme,
                hovertemplate="%{y:.4f}",
                line_color=class_colour(place),
            )
            for place, (scheme, values) in enumerate(errors.items())
        ]
    )
    bare(figure, 320)
    figure.update_layout(showlegend=True, hovermode="x unified", margin={"b": 40, "l": 60})
    figure.update_xaxes(title_text="λ", fixedrange=True)
    figure.update_yaxes(title_text="mean squared error", rangemode="tozero", fixedrange=True)
    return figure
