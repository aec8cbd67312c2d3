"""Data to figures: Plotly where hovering helps, plain HTML where a figure is redrawn many times a second.

Does not import streamlit. Colours work on light and dark backgrounds.
"""

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from dssn_core import RadiusBounds
from dssn_core.constants import DSSN
from dssn_core.duels import DuelCertificate
from dssn_core.findings import Finding
from dssn_core.wording import counted, display_bound, display_radius

# Ten colours that stay apart for most kinds of colour vision; classes beyond ten repeat them.
CLASS_COLOURS = (
    "#4e79a7",
    "#f28e2b",
    "#59a14f",
    "#e15759",
    "#b07aa1",
    "#76b7b2",
    "#edc948",
    "#9c755f",
    "#d37295",
    "#8f9aa5",
)
SURE_COLOUR, OPEN_COLOUR, WRONG_COLOUR = "#2f9e62", "rgba(47, 158, 98, 0.35)", "#d0393e"
STRIP_COLUMNS, STRIP_LABELS = 128, 12
METHOD_COLOURS = {DSSN: SURE_COLOUR, "uniform": "#4e79a7", "ssn": "#b07aa1"}

TEXT = 15
"""Size in pixels of what is written in charts: as the text beside them, for those who sit at the back."""

NO_BAR = {"displayModeBar": False}
CHART_BAR = {"displaylogo": False, "modeBarButtons": [["toImage"]]}
"""Plotly's own buttons, but the one that saves a PNG, are left out."""


def class_colour(label: int) -> str:
    return CLASS_COLOURS[label % len(CLASS_COLOURS)]


def colour_places(votes: Sequence[int]) -> list[int]:
    """For every class its place in `CLASS_COLOURS`: its own where there are ten classes or fewer.

    Of more classes the nine with the most votes have colours, and the others share the last one, a grey.
    """
    rest = len(CLASS_COLOURS) - 1
    if len(votes) <= len(CLASS_COLOURS):
        return list(range(len(votes)))
    places = [rest] * len(votes)
    for place, c in enumerate(ranking(votes)[:rest]):
        places[c] = place
    return places


def ranking(votes: Sequence[int]) -> list[int]:
    """Classes by votes, most first, the lower index first among equals."""
    return sorted(range(len(votes)), key=lambda c: (-votes[c], c))


def bare(figure: go.Figure, height: int) -> go.Figure:
    figure.update_layout(height=height, margin={"l": 0, "r": 0, "t": 8, "b": 0}, showlegend=False, dragmode=False)
    return figure


def framed(figure: go.Figure, height: int, x: str, y: str) -> go.Figure:
    """A figure with a legend above it and named axes, the upright one from zero."""
    bare(figure, height)
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "font_size": TEXT},
        margin={"l": 70, "b": 50, "t": 36},
        hoverlabel_font_size=TEXT,
    )
    figure.update_xaxes(title_text=x, title_font_size=TEXT, tickfont_size=TEXT, fixedrange=True)
    figure.update_yaxes(title_text=y, title_font_size=TEXT, tickfont_size=TEXT, rangemode="tozero", fixedrange=True)
    return figure


BAR_STYLE = """<style>
.dssn-bars {display: grid; grid-template-columns: max-content 1fr max-content; gap: 4px 10px; align-items: center;
  font-size: 0.9rem; margin: 4px 0 10px}
.dssn-track {position: relative; height: 18px; background: rgba(136, 136, 136, 0.14); border-radius: 3px}
.dssn-bar {position: absolute; left: 0; top: 0; bottom: 0; border-radius: 3px}
.dssn-gap {position: absolute; top: -4px; bottom: -1px; border: 1.5px solid currentColor; border-top: none;
  opacity: 0.75; text-align: center; font-size: 0.75rem; line-height: 20px; white-space: nowrap; overflow: visible}
.dssn-middle {position: absolute; left: 50%; top: -3px; bottom: -3px; border-left: 1.5px solid currentColor}
.dssn-narrow span {position: absolute; left: calc(100% + 6px)}
.dssn-count {text-align: right; font-variant-numeric: tabular-nums}
.dssn-scale {display: flex; justify-content: space-between; font-size: 0.8rem; opacity: 0.85; margin-bottom: 8px}
</style>"""


def percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.3f}%"


def bar(part: float, whole: float, colour: str, more: str = "") -> str:
    """HTML: a bar over a part of its whole track. more: of its style."""
    return f'<div class="dssn-bar" style="width: {percent(part, whole)}; background: {colour}{more}"></div>'


def _row(name: str, track: str, count: str) -> str:
    """HTML: a line of bars."""
    return f'<div>{escape(name)}</div><div class="dssn-track">{track}</div><div class="dssn-count">{count}</div>'


def vote_bars(
    votes: Sequence[int],
    class_names: Sequence[str],
    levels: int,
    most: int = 10,
    bracket: bool = True,
    colours: Sequence[int] | None = None,
) -> str:
    """HTML: horizontal bars of the votes, most first, the gap between the first two marked by a bracket, if wanted.

    Of more than ten classes those that nobody voted for are left out, except a second one. Beyond `most` classes the
    others' votes are added up. colours: `colour_places`, of several votes together where they stand side by side.
    """
    order, colours = ranking(votes), colours or colour_places(votes)
    if len(votes) > len(CLASS_COLOURS):
        order = [c for place, c in enumerate(order) if votes[c] or place < 2]
    order, others = order[:most], order[most:]
    first, second = votes[order[0]], votes[order[1]]
    left, width = percent(second, levels), percent(first - second, levels)
    narrow = " dssn-narrow" * (first - second < 0.15 * levels)  # the words stand beside the bracket, not in it
    words = f"<span>gap {first - second:,}</span>"
    gap = f'<div class="dssn-gap{narrow}" style="left: {left}; width: {width}">{words}</div>'
    rows = []
    for place, c in enumerate(order):
        marked = gap if bracket and place == 1 and first > second else ""
        track = bar(votes[c], levels, class_colour(colours[c])) + marked
        rows.append(_row(class_names[c], track, f"{votes[c]:,}"))
    if others:
        count = sum(votes[c] for c in others)
        rows.append(_row("other classes", bar(count, levels, OPEN_COLOUR), f"{count:,}"))
    return f'{BAR_STYLE}<div class="dssn-bars">{"".join(rows)}</div>'


def contenders(certificate: DuelCertificate, most: int) -> tuple[int, ...]:
    """The closest rivals, at most so many, that some sample ranks above the winner; if there are none, the closest.

    Of a thousand classes most win nothing, and would stand there as they come in the list of classes.
    """
    near = [c for c in certificate.rivals[:most] if certificate.wins[c] < certificate.levels]
    return tuple(near) or certificate.rivals[:1]


def duel_bars(certificate: DuelCertificate, class_names: Sequence[str], most: int = 10) -> str:
    """HTML: a bar for each duel of the winner, the closest first: its samples on the left, the rival's on the right.

    The line between them is the middle, which a duel is won by. All but the `contenders` are counted only.
    """
    a, colours, levels = certificate.label, colour_places(certificate.votes), certificate.levels
    rivals, near = certificate.rivals, contenders(certificate, most)
    middle = '<div class="dssn-middle"></div>'
    rows = []
    for c in near:
        wins = certificate.wins[c]
        ours, its = (class_colour(colours[of]) for of in (a, c))
        both = bar(wins, levels, ours) + bar(levels - wins, levels, its, "; left: auto; right: 0")
        rows.append(_row(class_names[c], both + middle, f"{wins:,} : {levels - wins:,}"))
    if others := rivals[len(near) :]:
        least = certificate.wins[others[0]]
        rows.append(
            f"<div>{counted(len(others), 'other')}</div><div>none closer than {least:,} : {levels - least:,}</div>"
        )
    return f'{BAR_STYLE}<div class="dssn-bars">{"".join(rows)}</div>'


def radius_interval(bounds: RadiusBounds, largest: int) -> str:
    """HTML: where the certified radius lies between zero and the largest possible one. All arguments in steps."""
    closed = bounds.lower == bounds.upper
    lower, top = display_radius(bounds.lower), display_radius(largest)
    text = f"certified ρ = {lower}" if closed else f"certified ρ between {lower} and {display_bound(bounds.upper)}"
    return (
        f'{BAR_STYLE}<div class="dssn-track" role="img" aria-label="{text}, largest possible {top}">'
        f"{bar(bounds.upper, largest, OPEN_COLOUR)}{bar(bounds.lower, largest, SURE_COLOUR)}</div>"
        f'<div class="dssn-scale"><span>0</span><span>{text}</span><span>{top} possible</span></div>'
    )


CHECK_STYLE = """<style>
.dssn-checks {display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 8px 12px; font-size: 0.95rem}
.dssn-checks div {overflow-wrap: anywhere}
</style>"""


def checklist(findings: Iterable[Finding]) -> str:
    """HTML: what was checked, each with a mark and what was found."""
    marks = {
        True: (SURE_COLOUR, "✓", "agrees"),
        False: (WRONG_COLOUR, "✗", "differs"),
        None: ("#b07d12", "≈", "differs as rounding may"),
    }
    cells = []
    for found in findings:
        colour, mark, word = marks[None if found.rounding else found.agrees]
        cells.append(
            f'<div style="color: {colour}; font-weight: bold" role="img" aria-label="{word}">{mark}</div>'
            f"<div><b>{escape(found.what)}</b>: {escape(found.text)}</div>"
        )
    return f'{CHECK_STYLE}<div class="dssn-checks">{"".join(cells)}</div>'


def vote_strip(labels: np.ndarray, class_names: Sequence[str]) -> go.Figure:
    """Which class every sample voted for, in index order, row by row; samples still to vote are left empty."""
    levels = len(labels)
    rows = -(-levels // STRIP_COLUMNS)
    columns = -(-levels // rows)
    padded = np.full(rows * columns, -1)
    padded[:levels] = labels
    places = colour_places(np.bincount(labels[labels >= 0], minlength=len(class_names)).tolist())
    grid = np.array([places[c] if c >= 0 else np.nan for c in padded.tolist()]).reshape(rows, columns)
    hover = [f"sample j = {j}: {class_names[c] if c >= 0 else '–'}" for j, c in enumerate(padded.tolist())]
    count = len(CLASS_COLOURS)
    edges = [(place / count, class_colour(c)) for c in range(count) for place in (c, c + 1)]
    figure = go.Figure(
        go.Heatmap(
            z=grid,
            x0=0,
            dx=1,
            text=np.array(hover, dtype=object).reshape(rows, columns),
            hovertemplate="%{text}<extra></extra>",
            hoverongaps=False,
            colorscale=edges,
            zmin=-0.5,
            zmax=count - 0.5,
            showscale=False,
            xgap=1,
            ygap=1,
        )
    )
    figure.update_xaxes(visible=False, fixedrange=True)
    labelled = -(-rows // STRIP_LABELS)
    figure.update_yaxes(
        tickvals=list(range(0, rows, labelled)),
        ticktext=[f"j = {row * columns}" for row in range(0, rows, labelled)],
        autorange="reversed",
        fixedrange=True,
        showgrid=False,
        zeroline=False,
    )
    return bare(figure, min(18, 300 // rows) * rows + 16)
