"""Figures that set DSSN beside its randomized neighbours. Does not import streamlit."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from app.charts import bare, class_colour
from dssn_core.comparison import METHODS, Outcome

METHOD_COLOURS = {"dssn": "#2f9e62", "uniform": "#4e79a7", "ssn": "#b07aa1"}
METHOD_SYMBOLS = {"dssn": "circle", "uniform": "square", "ssn": "diamond"}

History = Sequence[tuple[int, float, float]]


def _framed(figure: go.Figure, height: int, x: str, y: str) -> go.Figure:
    bare(figure, height)
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        margin={"l": 60, "b": 44, "t": 36},
    )
    figure.update_xaxes(title_text=x, fixedrange=True)
    figure.update_yaxes(title_text=y, rangemode="tozero", fixedrange=True)
    return figure


def radius_against_samples(histories: Mapping[str, History], totals: Mapping[str, int], largest: float) -> go.Figure:
    """What is known of each method's radius after how many network passes.

    For DSSN both exact bounds, which meet; for the others the confidence bound, a preview until all n are in. largest:
    radius that no method can exceed.
    """
    figure = go.Figure()
    end = max(totals.values())
    for method, history in histories.items():
        colour, name = METHOD_COLOURS[method], METHODS[method]
        done = [point[0] for point in history]
        lower = [point[1] for point in history]
        if method == "dssn":
            figure.add_scatter(
                x=done,
                y=[point[2] for point in history],
                mode="lines+markers",
                line={"color": colour, "dash": "dot", "width": 1.5},
                name="DSSN, at most",
                hovertemplate="%{x} samples: at most %{y:.4f}<extra></extra>",
            )
            if done and done[-1] == totals[method] < end:  # exact: further samples would change nothing
                done, lower = [*done, end], [*lower, lower[-1]]
            name = "DSSN, at least"
        figure.add_scatter(
            x=done,
            y=lower,
            mode="lines+markers",
            line={"color": colour, "width": 2.5},
            marker={"size": 5, "symbol": METHOD_SYMBOLS[method]},
            name=name,
            hovertemplate="%{x} samples: %{y:.4f}<extra></extra>",
        )
    _framed(figure, 340, "network passes spent", "certified radius ρ")
    figure.update_xaxes(type="log", range=[1.5, len(str(end)) - 1 + 0.15 if end == 10 ** (len(str(end)) - 1) else None])
    figure.update_yaxes(range=[0, 1.08 * largest])
    return figure


def repeats(radii: Mapping[str, Sequence[float | None]], largest: float) -> go.Figure:
    """The radii of repeated runs, a row of points for each method; an abstention stands at zero as a cross."""
    figure = go.Figure()
    for method, values in radii.items():
        figure.add_scatter(
            x=[value or 0.0 for value in values],
            y=[METHODS[method]] * len(values),
            mode="markers",
            marker={
                "size": 13,
                "opacity": 0.65,
                "color": METHOD_COLOURS[method],
                "symbol": ["x" if value is None else METHOD_SYMBOLS[method] for value in values],
            },
            name=METHODS[method],
            hovertemplate="ρ = %{x:.5f}<extra></extra>",
        )
    bare(figure, 90 + 60 * len(radii))
    figure.update_layout(margin={"b": 44, "l": 10})
    known = [value for values in radii.values() for value in values if value is not None]
    low = min(known, default=0.0)
    figure.update_xaxes(
        title_text="certified radius ρ", range=[max(0.0, low - 0.05 * largest), largest], fixedrange=True
    )
    figure.update_yaxes(fixedrange=True, autorange="reversed")
    return figure


def sweep_radii(outcomes: Mapping[str, Sequence[Outcome]], class_names: Sequence[str]) -> go.Figure:
    """Certified radius against sigma, a line for each method, its best sigma ringed; hovering tells the class."""
    figure = go.Figure()
    for method, found in outcomes.items():
        if not found:
            continue
        radii = [outcome.radius or 0.0 for outcome in found]
        sigmas = [outcome.sigma for outcome in found]
        best = radii.index(max(radii))
        figure.add_scatter(
            x=sigmas,
            y=radii,
            mode="lines+markers",
            line={"color": METHOD_COLOURS[method], "width": 2.5},
            marker={"size": 8, "symbol": METHOD_SYMBOLS[method]},
            name=METHODS[method],
            text=[class_names[o.label] + (": abstains" if o.radius is None else "") for o in found],
            hovertemplate="σ = %{x:.2f}: %{text}, ρ = %{y:.4f}<extra></extra>",
        )
        figure.add_scatter(
            x=[sigmas[best]],
            y=[radii[best]],
            mode="markers",
            marker={"size": 17, "symbol": "circle-open", "color": METHOD_COLOURS[method], "line": {"width": 2}},
            showlegend=False,
            hovertemplate=f"{METHODS[method]}: largest at σ = %{{x:.2f}}, ρ = %{{y:.4f}}<extra></extra>",
        )
    return _framed(figure, 340, "σ", "certified radius ρ")


def sweep_votes(outcomes: Sequence[Outcome], class_names: Sequence[str]) -> go.Figure:
    """The vote shares of every class at each sigma, stacked."""
    labels = [f"{outcome.sigma:.2f}" for outcome in outcomes]
    figure = go.Figure()
    for c, name in enumerate(class_names):
        shares = [outcome.votes[c] / sum(outcome.votes) for outcome in outcomes]
        if max(shares, default=0.0) > 0:
            figure.add_bar(
                x=labels,
                y=shares,
                name=name,
                marker_color=class_colour(c),
                hovertemplate=f"σ = %{{x}}: %{{y:.1%}} for {name}<extra></extra>",
            )
    _framed(figure, 280, "σ", "share of votes")
    figure.update_layout(barmode="stack", bargap=0.15)
    figure.update_xaxes(type="category")
    figure.update_yaxes(tickformat=".0%", range=[0, 1])
    return figure
