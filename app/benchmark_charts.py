"""Figures of certified accuracy over many images. Does not import streamlit."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from app.charts import METHOD_COLOURS, SURE_COLOUR, TEXT, WRONG_COLOUR, framed
from dssn_core import PIXEL_STEPS
from dssn_core.accuracy import Share, certified_steps
from dssn_core.comparison import METHODS
from dssn_core.paper import Published, best_at
from dssn_core.records import Record
from dssn_core.wording import counted

BINS = 20
WRONG, ABSTAINS, ZERO = "wrong", "abstains", "radius 0"
GREY = "#9a9a9a"
APART = {WRONG: WRONG_COLOUR, ABSTAINS: GREY, ZERO: SURE_COLOUR}
"""Groups of images that are no interval of radii, and their colours."""
DASHES = ("solid", "5px,2px", "9px,2px,2px,2px", "9px,2px")
"""Networks of one method have one colour: these keep them apart. Dots are the paper's."""
MOST_NAMES = 8
"""So many thin curves are named at their feet: of more the names would lie over the curves."""
NAME_WIDTH, LETTER_HEIGHT, NAME_SHIFT = 0.055, 2.0, 4
"""Of a curve's name, which runs upwards: share of the rho axis of a narrow screen, points of percent; pixels."""


@dataclass(frozen=True)
class Curve:
    """Certified accuracy against rho. keys: of each point the network and N, which a click on it reports.

    best: drawn thick, with its intervals. label: short name, written at the foot of a curve that is not the best. dash:
    one of `DASHES`, of its network. notes: if any, what is told of each point beside its share.
    """

    name: str
    method: str
    rhos: Sequence[float]
    shares: Sequence[Share]
    keys: Sequence[tuple[str, int]]
    best: bool = False
    label: str = ""
    notes: Sequence[str] = ()
    dash: str = DASHES[0]

    @property
    def points(self) -> list[tuple[float, Share, str]]:
        """Of every point its radius, its share, and what is noted of it."""
        return list(zip(self.rhos, self.shares, self.notes or [""] * len(self.rhos), strict=True))

    @property
    def last(self) -> int:
        """The place of the last radius that is certified for any image."""
        return max((place for place, share in enumerate(self.shares) if share.count), default=0)


def _band(curve: Curve, colour: str) -> go.Scatter:
    intervals = [share.interval for share in curve.shares]
    edge = [*(100 * high for _, high in intervals), *(100 * low for low, _ in reversed(intervals))]
    return go.Scatter(
        x=[*curve.rhos, *reversed(curve.rhos)],
        y=edge,
        fill="toself",
        mode="lines",
        line={"width": 0},
        fillcolor=colour,
        opacity=0.18,
        hoverinfo="skip",
        showlegend=False,
    )


def _ours(curve: Curve) -> go.Scatter:
    drawn = len(curve.rhos) if curve.best else curve.last + 2  # a thin one comes down to zero and ends
    points = curve.points[:drawn]
    return go.Scatter(
        x=[rho for rho, _, _ in points],
        y=[100 * share.share for _, share, _ in points],
        customdata=curve.keys[:drawn],
        text=[f"{share}, {note}" if note else str(share) for _, share, note in points],
        hovertemplate=f"{curve.name}, ρ = %{{x:~g}}: %{{text}}<extra></extra>",
        mode="lines+markers",
        line={"color": METHOD_COLOURS[curve.method], "width": 3.5 if curve.best else 1.2, "dash": curve.dash},
        marker={"size": 10, "opacity": 0},  # unseen: they are what a click finds
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        opacity=1 if curve.best else 0.55,
        name=curve.name,
        showlegend=curve.best,
    )


def name_heights(ends: Sequence[tuple[float, float]], width: float, lengths: Sequence[float]) -> list[float]:
    """The y at which each curve's name is to begin, beside its fall to zero, where no other curve is.

    ends: (x, y) of the curves' last points. width: of a name, in units of x. lengths: of each name, in units of y. Of
    names that would lie over one another the one whose curve ends lower comes lower, from the axis up.
    """
    heights: dict[int, float] = {}
    for which in sorted(range(len(ends)), key=lambda place: ends[place][1]):
        near = [other for other in heights if abs(ends[other][0] - ends[which][0]) < width]
        heights[which] = max((heights[other] + lengths[other] for other in near), default=0.0)
    return [heights[which] for which in range(len(ends))]


def _name_falls(figure: go.Figure, curves: Sequence[Curve], largest: float) -> None:
    """Write each thin curve's short name along its fall to zero, after the last radius that it certifies."""
    ends = [(curve.rhos[curve.last], 100 * curve.shares[curve.last].share) for curve in curves]
    heights = name_heights(ends, NAME_WIDTH * largest, [LETTER_HEIGHT * len(curve.label) for curve in curves])
    for curve, (x, _), height in zip(curves, ends, heights, strict=True):
        figure.add_annotation(
            x=x,
            y=height,
            text=curve.label,
            textangle=-90,
            showarrow=False,
            xanchor="left",
            xshift=NAME_SHIFT,
            yanchor="bottom",
            font={"color": METHOD_COLOURS[curve.method], "size": TEXT},
        )


def _published(method: str, rows: Sequence[Published]) -> go.Scatter:
    rhos = sorted(rows[0].certified_accuracy)
    best = [best_at(rows, rho) for rho in rhos]
    return go.Scatter(
        x=rhos,
        y=[row.certified_accuracy[rho] for row, rho in zip(best, rhos, strict=True)],
        text=[f"σ = {row.sigma:g}, {row.training} training" for row in best],
        hovertemplate=f"the paper's {METHODS[method]}, ρ = %{{x:~g}}: %{{y:.2f}} % (%{{text}})<extra></extra>",
        mode="lines+markers",
        line={"color": METHOD_COLOURS[method], "width": 2, "dash": "dot"},
        marker={"size": 6, "symbol": "circle-open"},
        unselected={"marker": {"opacity": 1}},
        name=f"paper: {METHODS[method]}, best σ",
    )


def certified_accuracy(curves: Sequence[Curve], published: Sequence[Published], largest: float) -> go.Figure:
    """Our curves over the paper's; the best ones with their 95 % intervals as a band. largest: end of the rho axis."""
    figure = go.Figure()
    for method in METHODS:
        rows = [row for row in published if row.method == method]
        if rows:
            figure.add_trace(_published(method, rows))
    for curve in curves:
        if curve.best:
            figure.add_trace(_band(curve, METHOD_COLOURS[curve.method]))
        figure.add_trace(_ours(curve))
    thin = [curve for curve in curves if not curve.best]
    if len(thin) <= MOST_NAMES:
        _name_falls(figure, thin, largest)
    framed(figure, 520, "L1 radius ρ (1 is 255 grey levels)", "certified accuracy, %")
    figure.update_xaxes(range=[0, largest])
    figure.update_yaxes(range=[0, 100])
    # The margin is for the name of a curve that ends there.
    figure.update_layout(clickmode="event+select", hovermode="closest", margin_r=28)
    return figure


def radius_bins(records: Sequence[Record], largest: float) -> list[tuple[str, np.ndarray]]:
    """Groups of records by certified radius, up to `largest` steps: name and indices of each.

    Wrong answers, abstentions of a randomized method and radii of zero come first, each by themselves.
    """
    steps, right = certified_steps(records), np.array([record.right for record in records], dtype=bool)
    abstains = np.array([record.radius_in_steps is None for record in records], dtype=bool)
    edges = np.linspace(0, largest, BINS + 1)
    groups = [(WRONG, np.flatnonzero(~right & ~abstains))]
    if any(record.sampling for record in records):
        groups.append((ABSTAINS, np.flatnonzero(abstains)))
    groups.append((ZERO, np.flatnonzero(steps == 0)))
    for low, high in pairwise(edges):
        name = f"{low / PIXEL_STEPS:.3f} – {high / PIXEL_STEPS:.3f}"
        groups.append((name, np.flatnonzero((steps > low) & (steps <= high))))
    return groups


def radius_histogram(groups: Sequence[tuple[str, np.ndarray]]) -> go.Figure:
    """How many images have which certified radius; the bars can be clicked, and so can the columns above them."""
    names, counts = [name for name, _ in groups], [len(members) for _, members in groups]
    figure = go.Figure()
    figure.add_bar(
        x=names,
        y=counts,
        marker_color=[APART.get(name, SURE_COLOUR) for name in names],
        unselected={"marker": {"opacity": 1}},
        hoverinfo="skip",
    )
    figure.add_bar(  # over it a column for each, seen when chosen: some bars are too low to be hit
        x=names,
        y=[max(counts)] * len(names),
        marker={"color": GREY, "opacity": 0},
        selected={"marker": {"opacity": 0.25}},
        unselected={"marker": {"opacity": 0}},
        hovertemplate=[
            f"{name if name in APART else f'ρ {name}'}: {counted(count, 'image')}<extra></extra>"
            for name, count in zip(names, counts, strict=True)
        ],
    )
    framed(figure, 300, "certified radius ρ (1 is 255 grey levels)", "images")
    figure.update_layout(
        showlegend=False, clickmode="event+select", barmode="overlay", bargap=0.08, margin={"t": 8, "b": 80}
    )
    # Not every interval has its name written: hovering tells them all.
    shown = [name for name in names if name in APART] + [name for name in names if name not in APART][1::2]
    ends = [name if name in APART else f"≤ {name.rsplit(maxsplit=1)[-1]}" for name in shown]
    figure.update_xaxes(type="category", tickvals=shown, ticktext=ends, autotickangles=[0, 90])
    return figure
