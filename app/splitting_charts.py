"""Figures of the splitting laboratory: one pixel on its number line, one image under all its samples."""

import bisect
from collections.abc import Sequence
from html import escape
from itertools import accumulate

import numpy as np
import plotly.graph_objects as go
import torch
from torch import Tensor

from app.charts import class_colour, framed, percent
from app.film import FRAMES, PART, Film
from app.pictures import data_url, sample_image
from app.strips import legend, svg
from dssn_core import PIXEL_STEPS, SplitNoise
from dssn_core.splitting import over_blocks, pixel_sample

FEWEST_FRAMES, FRAME_PIXELS = 6, 40_000
"""How few frames, and how many pixels in all, where frames are pictures: more would make the page heavy."""

BINS = 32
SPLIT_COLOUR, INTERVAL_COLOUR, PIXEL_COLOUR, CENTRE_COLOUR = "#888888", "rgba(78, 121, 167, 0.45)", "#f28e2b", "#2f9e62"


def frame_indices(levels: int, most: int = FRAMES) -> list[int]:
    """At most `most` sample indices, evenly spaced over 0..N-1."""
    count = min(most, levels)
    return [step * levels // count for step in range(count)]


def nearest_frame(chosen: Sequence[int], index: int) -> int:
    """The place in `chosen`, ascending from 0, of the last index that is not beyond `index`."""
    return bisect.bisect_right(chosen, index) - 1


def _histogram(numerators: Tensor) -> np.ndarray:
    """Share of the sample values in each of `BINS` equal parts of the scale."""
    places = (numerators.flatten().long() * BINS // (4 * PIXEL_STEPS + 1)).numpy()
    return np.bincount(places, minlength=BINS) / max(1, len(places))


def _bars(shares: np.ndarray) -> str:
    """The histogram, its highest bar as high as there is room."""
    top = float(shares.max())
    path = "".join(f"M{place + 0.08:g} 1V{1 - share / top:.4f}h0.84V1z" for place, share in enumerate(shares) if share)
    drawn = f'<path d="{path}" fill="{CENTRE_COLOUR}" />'
    return f"<span>highest bar: {100 * top:.1f} % of the centres</span>{svg(len(shares), 1, drawn, stretched=True)}"


HISTOGRAM = '<div class="histogram" data-part></div>'
NUMBER_LINE = f"""<div class="title" data-part></div>
<div class="legend">{
    legend(
        [
            (f'<path d="M8 0V16" stroke="{SPLIT_COLOUR}" stroke-width="2" />', "splits"),
            (f'<rect y="4" width="16" height="9" fill="{INTERVAL_COLOUR}" />', "interval of the pixel"),
            (f'<circle cx="8" cy="8" r="6" fill="{CENTRE_COLOUR}" />', "centre = the sample value"),
            (f'<path d="M8 1L15 8 8 15 1 8z" fill="{PIXEL_COLOUR}" />', "the pixel"),
        ]
    )
}</div>
<div class="line" data-part></div>
<div class="greys"></div>
{HISTOGRAM}
<div class="ticks">{
    "".join(f'<span style="left: {percent(tick, PIXEL_STEPS)}">{tick}</span>' for tick in range(0, PIXEL_STEPS + 1, 51))
}</div>
<div class="axis">grey level</div>"""


def _line(noise: SplitNoise, pixel: int, index: int) -> str:
    """Splits, interval, centre and pixel on a line from black to white."""
    sample, top = pixel_sample(pixel, int(noise.offsets), index, noise.levels), 2 * PIXEL_STEPS
    path = "".join(f"M{split} 0V1" for split in sample.splits)
    splits = svg(top, 1, f'<path d="{path}" stroke="{SPLIT_COLOUR}" stroke-width="2" />', stretched=True)
    interval = f"left: {percent(sample.low, top)}; width: {percent(sample.high - sample.low, top)}"
    return (
        f'{splits}<div class="interval" style="{interval}; background: {INTERVAL_COLOUR}"'
        f' title="the pixel lies between {sample.low / 2:g} and {sample.high / 2:g}"></div>'
        f'<div class="centre" style="left: {percent(sample.numerator, 2 * top)}; background: {CENTRE_COLOUR}"'
        f' title="centre {sample.numerator / 4:g} of 255"></div>'
        f'<div class="pixel" style="left: {percent(pixel, PIXEL_STEPS)}; background: {PIXEL_COLOUR}"'
        f' title="pixel {pixel}"></div>'
    )


def number_line(noise: SplitNoise, pixel: int, index: int) -> Film:
    """One pixel under `noise` of shape (1, 1, 1): its splits, interval and centre at sample `index`; plays over j.

    Below, how often which centre occurs: over all N samples, and in the animation over those seen so far.
    """
    image = torch.full((1, 1, 1), pixel, dtype=torch.uint8)
    numerators = noise.numerators(image, 0, noise.levels).flatten()
    chosen = sorted({*frame_indices(noise.levels), index})

    def parts(j: int, title: str, seen: Tensor) -> tuple[str, ...]:
        return escape(f"j = {j}{title}"), _line(noise, pixel, j), _bars(_histogram(seen))

    return Film(
        NUMBER_LINE,
        parts(index, f"; below, all {noise.levels:,} samples", numerators),
        tuple(
            parts(j, f": {len(seen)} of {len(chosen)} shown, of all {noise.levels:,}", numerators[torch.tensor(seen)])
            for j, seen in zip(chosen, accumulate([j] for j in chosen), strict=True)
        ),
        tuple(f"j = {j}" for j in chosen),
        nearest_frame(chosen, index),
    )


def moving_splits(noise: SplitNoise, pixel: int, index: int) -> Film:
    """`number_line` without what is below: so light that the animation has a step for every sample."""
    frames = tuple((f"sample j = {j}, of 0 to {noise.levels - 1}", _line(noise, pixel, j)) for j in range(noise.levels))
    names = tuple(f"j = {j}" for j in range(noise.levels))
    return Film(NUMBER_LINE.replace(HISTOGRAM, ""), frames[index], frames, names, index)


def split_picture(noise: SplitNoise, index: int) -> Tensor:
    """uint8 (C, H, W): the lowest split over every pixel, or block, in sample `index`, dark for low; white for none."""
    first = (noise.offsets + index) % noise.levels // noise.block_size
    return over_blocks(first.clamp(max=PIXEL_STEPS), noise.block).to(torch.uint8)


def offset_picture(noise: SplitNoise) -> Tensor:
    """uint8 (C, H, W): the offset of every pixel, or block, from black for 0 to white for N - 1."""
    return over_blocks(noise.offsets * PIXEL_STEPS // (noise.levels - 1), noise.block).to(torch.uint8)


def changed_alone(before: Tensor, after: Tensor) -> Tensor:
    """uint8 (C, H, W): `after`, dimmed wherever no colour of a pixel differs from `before`."""
    changed = (before != after).any(dim=0, keepdim=True)
    return torch.where(changed, after, after // 4)


def image_laboratory(image: Tensor, noise: SplitNoise, index: int, row: int, column: int) -> Film:
    """Original, splits and sample side by side, a pixel marked in each; plays over j. The pictures can be clicked."""
    _, height, width = image.shape
    mark = (
        f'<span class="mark" style="left: {percent(column, width)}; top: {percent(row, height)}; '
        f'width: {percent(1, width)}; height: {percent(1, height)}"></span>'
    )
    panels = (
        (_picture(image), "the picture"),
        (PART, "the lowest split in each colour: brighter is higher, full brightness where none falls"),
        (PART, "the sample"),
    )
    template = "".join(
        f'<figure><div class="picture" data-pick="{height} {width}">{shown}{PART}</div>'
        f"<figcaption>{caption}</figcaption></figure>"
        for shown, caption in panels
    )

    def parts(j: int) -> tuple[str, ...]:
        sample = sample_image(noise.samples(image, j, j + 1)[0])
        return mark, _picture(split_picture(noise, j)), mark, _picture(sample), mark

    chosen = frame_indices(noise.levels, min(FRAMES, max(FEWEST_FRAMES, FRAME_PIXELS // (height * width))))
    return Film(
        f'<div class="pictures">{template}</div>',
        parts(index),
        tuple(parts(j) for j in chosen),
        tuple(f"j = {j}" for j in chosen),
        nearest_frame(chosen, index),
    )


def _picture(image: Tensor) -> str:
    return f'<img src="{data_url(image)}" alt="" draggable="false">'


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
    framed(figure, 320, "λ", "mean squared error")
    figure.update_layout(hovermode="x unified")
    return figure
