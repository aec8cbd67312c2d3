"""Figures of the splitting laboratory: one pixel on its number line, one image under all its samples.

Does not import streamlit. Positions on the number line are grey levels 0..255, exact halves of the integer half steps.
"""

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
import torch
from plotly.subplots import make_subplots
from torch import Tensor

from app.charts import bare, class_colour
from app.pictures import data_url, sample_image
from dssn_core import PIXEL_STEPS, SplitNoise
from dssn_core.splitting import pixel_sample

FRAMES = 32
"""Steps of an animation through the values of j; more would make the page heavy."""

BINS = 32
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


def _pixel_traces(noise: SplitNoise, pixel: int, index: int, seen: Tensor) -> list[go.Trace]:
    """What depends on j: splits, interval, centre, and the histogram of the centres seen so far."""
    sample = pixel_sample(pixel, int(noise.offsets), index, noise.levels)
    splits = [split / 2 for split in sample.splits]
    low, high = sample.low / 2, sample.high / 2
    return [
        go.Scatter(
            x=splits,
            y=[0] * len(splits),
            mode="markers",
            marker={"symbol": "line-ns-open", "size": 46, "color": SPLIT_COLOUR, "line_width": 2},
            name="splits",
            hovertemplate="split at %{x}<extra></extra>",
        ),
        go.Scatter(
            x=[low, high],
            y=[0, 0],
            mode="lines",
            line={"color": INTERVAL_COLOUR, "width": 20},
            name="interval of the pixel",
            hovertemplate=f"the pixel lies between {low:g} and {high:g}<extra></extra>",
        ),
        go.Scatter(
            x=[sample.numerator / 4],
            y=[0],
            mode="markers",
            marker={"size": 15, "color": CENTRE_COLOUR, "line": {"color": "white", "width": 1.5}},
            name="centre = the sample value",
            hovertemplate=f"centre %{{x}} of 255, M = {sample.numerator}<extra></extra>",
        ),
        go.Scatter(
            x=[pixel],
            y=[0],
            mode="markers",
            marker={"symbol": "diamond", "size": 15, "color": PIXEL_COLOUR, "line": {"color": "white", "width": 1.5}},
            name="the pixel",
            hovertemplate="pixel %{x}<extra></extra>",
        ),
        go.Bar(
            x=(np.arange(BINS) + 0.5) * PIXEL_STEPS / BINS,
            y=_histogram(seen),
            width=0.85 * PIXEL_STEPS / BINS,
            marker_color=CENTRE_COLOUR,
            name="centres",
            showlegend=False,
            hovertemplate="%{y:.1%} of the centres near %{x:.0f}<extra></extra>",
            xaxis="x2",
            yaxis="y2",
        ),
    ]


def number_line(noise: SplitNoise, pixel: int, index: int) -> go.Figure:
    """One pixel under `noise` of shape (1, 1, 1): its splits, interval and centre at sample `index`; plays over j.

    Below, how often which centre occurs: over all N samples, and in the animation over those seen so far.
    """
    image = torch.full((1, 1, 1), pixel, dtype=torch.uint8)
    numerators = noise.numerators(image, 0, noise.levels).flatten()
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.45, 0.55], vertical_spacing=0.14)
    figure.add_heatmap(
        z=np.arange(PIXEL_STEPS + 1)[None, :],
        x=np.arange(PIXEL_STEPS + 1),
        y=[-0.75],
        dy=0.3,
        colorscale="Greys_r",
        showscale=False,
        hoverinfo="skip",
    )
    figure.add_traces(_pixel_traces(noise, pixel, index, numerators))
    chosen = frame_indices(noise.levels)
    figure.frames = [
        go.Frame(
            data=_pixel_traces(noise, pixel, j, numerators[torch.tensor(chosen[: place + 1])]),
            traces=[1, 2, 3, 4, 5],
            name=f"{j}",
        )
        for place, j in enumerate(chosen)
    ]
    bare(figure, 400)
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "x": 1, "xanchor": "right", "yanchor": "bottom"},
        updatemenus=[play_buttons(350)],
        margin={"t": 60, "b": 40},
        bargap=0,
    )
    figure.update_xaxes(range=[-6, 261], fixedrange=True, zeroline=False, showgrid=False)
    figure.update_xaxes(title_text="grey level", row=2, col=1)
    figure.update_yaxes(range=[-1.1, 0.8], visible=False, fixedrange=True, row=1, col=1)
    figure.update_yaxes(
        title_text="share of centres", tickformat=".0%", fixedrange=True, rangemode="tozero", row=2, col=1
    )
    return figure


def split_picture(noise: SplitNoise, index: int) -> Tensor:
    """uint8 (C, H, W): the lowest split over every pixel in sample `index`, dark for low; white where none falls."""
    first = (noise.offsets + index) % noise.levels
    return first.clamp(max=PIXEL_STEPS).to(torch.uint8)


def image_laboratory(image: Tensor, noise: SplitNoise, index: int) -> go.Figure:
    """Original, splits and sample side by side; plays over j. Invisible markers make its pixels clickable."""
    _, height, width = image.shape
    figure = make_subplots(
        rows=1, cols=3, subplot_titles=("the picture", "where the splits are", "the sample"), horizontal_spacing=0.02
    )

    def panels(j: int) -> list[go.Image]:
        sample = sample_image(noise.samples(image, j, j + 1)[0])
        return [
            go.Image(source=data_url(split_picture(noise, j)), xaxis="x2", yaxis="y2", hoverinfo="skip"),
            go.Image(source=data_url(sample), xaxis="x3", yaxis="y3", hoverinfo="skip"),
        ]

    figure.add_trace(go.Image(source=data_url(image), hoverinfo="skip"), row=1, col=1)
    figure.add_traces(panels(index))
    rows, columns = np.divmod(np.arange(height * width), width)
    colours = image.reshape(image.shape[0], -1).T.numpy()
    figure.add_scatter(
        x=columns,
        y=rows,
        mode="markers",
        marker={"symbol": "square", "size": max(3, 260 // width), "opacity": 0},
        customdata=colours,
        hovertemplate="row %{y}, column %{x}: %{customdata}<extra>click to take it</extra>",
        xaxis="x",
        yaxis="y",
    )
    figure.frames = [go.Frame(data=panels(j), traces=[1, 2], name=f"{j}") for j in frame_indices(noise.levels)]
    bare(figure, 360)
    buttons = {**play_buttons(200), "y": -0.02, "yanchor": "top"}
    figure.update_layout(updatemenus=[buttons], margin={"t": 28, "b": 44}, clickmode="event+select")
    figure.update_xaxes(visible=False, fixedrange=True, constrain="domain", range=[-0.5, width - 0.5])
    for place in ("", "2", "3"):
        axis = {
            "visible": False,
            "fixedrange": True,
            "scaleanchor": f"x{place}",
            "constrain": "domain",
            "constraintoward": "top",
            "range": [height - 0.5, -0.5],
        }
        figure.update_layout({f"yaxis{place}": axis})
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
