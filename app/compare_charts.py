"""Figures that set DSSN beside its randomized neighbours. Does not import streamlit."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from app.charts import CLASS_COLOURS, METHOD_COLOURS, bare, class_colour, colour_places, framed, ranking
from dssn_core.comparison import METHODS, Outcome, largest
from dssn_core.constants import DSSN, PIXEL_STEPS
from dssn_core.wording import display_bound, shown_steps

METHOD_SYMBOLS = {DSSN: "circle", "uniform": "square", "ssn": "diamond"}

KnownRadii = Sequence[tuple[int, float, float]]
"""Samples done, lower and upper bound of the radius by then, in steps; whole for DSSN."""


def radius_against_samples(known: Mapping[str, KnownRadii], totals: Mapping[str, int], top: float) -> go.Figure:
    """What is known of each method's radius after how many samples.

    For DSSN both exact bounds, which meet; for the others the confidence bound, a preview until all n are in. top: a
    radius that no method can exceed.
    """
    figure = go.Figure()
    end = max(totals.values())

    # Steps ("hv"): what is known stays so until the next count.
    def line(points: Sequence[tuple[int, float, str]], name: str, **style: object) -> None:
        figure.add_scatter(
            x=[done for done, _, _ in points],
            y=[steps / PIXEL_STEPS for _, steps, _ in points],
            mode="lines+markers",
            text=[f"{done:,} samples: {radius}" for done, _, radius in points],
            hovertemplate="%{text}<extra></extra>",
            name=name,
            **style,
        )

    for method, found in known.items():
        colour = METHOD_COLOURS[method]
        lower = [(done, low, shown_steps(low)) for done, low, _ in found]
        if method == DSSN:
            upper = [(done, high, display_bound(int(high))) for done, _, high in found]
            line(upper, "DSSN, at most", line={"color": colour, "dash": "dot", "width": 1.5, "shape": "hv"})
            if lower and lower[-1][0] == totals[method] < end:  # exact: further samples would change nothing
                lower.append((end, *lower[-1][1:]))
        line(
            lower,
            "DSSN, at least" if method == DSSN else METHODS[method],
            line={"color": colour, "width": 2.5, "shape": "hv"},
            marker={"size": 5, "symbol": METHOD_SYMBOLS[method]},
        )
    framed(figure, 340, "samples drawn (logarithmic)", "certified radius ρ")
    ticks = [mantissa * 10**power for power in range(1, 6) for mantissa in (1, 2, 5)]
    shown = [*(tick for tick in ticks if tick <= 0.8 * end), end]
    figure.update_xaxes(type="log", tickvals=shown, ticktext=[f"{tick:,}" for tick in shown])
    figure.update_yaxes(range=[0, 1.08 * top])
    return figure


def repeats(outcomes: Mapping[str, Sequence[Outcome]]) -> go.Figure:
    """The radii of repeated runs, a row of points for each method; an abstention stands at zero as a cross."""
    figure = go.Figure()
    for row, (method, found) in enumerate(outcomes.items()):
        figure.add_scatter(
            x=[outcome.radius or 0.0 for outcome in found],
            y=[row + 0.07 * (place - (len(found) - 1) / 2) for place in range(len(found))],  # equal radii side by side
            mode="markers",
            marker={
                "size": 13,
                "opacity": 0.65,
                "color": METHOD_COLOURS[method],
                "symbol": ["x" if outcome.radius is None else METHOD_SYMBOLS[method] for outcome in found],
            },
            text=[f"ρ: {outcome.shown_radius}" for outcome in found],
            hovertemplate="%{text}<extra></extra>",
        )
    bare(figure, 90 + 60 * len(outcomes))
    figure.update_layout(margin={"b": 44, "l": 10})
    figure.update_xaxes(title_text="certified radius ρ", fixedrange=True)
    figure.update_yaxes(
        fixedrange=True,
        range=[len(outcomes) - 0.5, -0.5],
        tickvals=list(range(len(outcomes))),
        ticktext=[METHODS[method] for method in outcomes],
        zeroline=False,
    )
    return figure


def sweep_radii(
    outcomes: Mapping[str, Sequence[Outcome]], class_names: Sequence[str], truth: int | None = None
) -> go.Figure:
    """Certified radius against sigma, a line for each method, its best sigma ringed; hovering tells the class.

    truth: the true class, if known; then points of wrong answers are hollow, and none of them is ringed.
    """

    def symbol(outcome: Outcome) -> str:
        wrong = "-open" * (truth not in (None, outcome.label))
        return "x" if outcome.radius is None else f"{METHOD_SYMBOLS[outcome.method]}{wrong}"

    figure = go.Figure()
    for method, found in outcomes.items():
        if not found:
            continue
        best = largest(found, truth)
        figure.add_scatter(
            x=[outcome.sigma for outcome in found],
            y=[outcome.radius or 0.0 for outcome in found],
            mode="lines+markers",
            line={"color": METHOD_COLOURS[method], "width": 2.5},
            marker={"size": 8, "symbol": [symbol(outcome) for outcome in found]},
            name=METHODS[method],
            cliponaxis=False,  # a cross at zero is an abstention, and must be seen whole
            text=[f"{class_names[o.label]}, ρ: {o.shown_radius}" for o in found],
            hovertemplate="σ = %{x:.2f}: %{text}<extra></extra>",
        )
        if best is None:
            continue
        figure.add_scatter(
            x=[best.sigma],
            y=[best.radius],
            mode="markers",
            marker={"size": 17, "symbol": "circle-open", "color": METHOD_COLOURS[method], "line": {"width": 2}},
            showlegend=False,
            cliponaxis=False,
            hoverinfo="skip",
        )
    return framed(figure, 340, "σ", "certified radius ρ")


def votes_together(outcomes: Sequence[Outcome]) -> list[int]:
    """The votes for each class, of all outcomes: by these a class has one colour wherever they stand together."""
    return [sum(votes) for votes in zip(*(outcome.votes for outcome in outcomes), strict=True)]


def sweep_votes(outcomes: Sequence[Outcome], class_names: Sequence[str]) -> go.Figure:
    """The vote shares at each sigma, stacked: of the ten classes with the most votes in all."""
    labels = [f"{outcome.sigma:.2f}" for outcome in outcomes]
    figure = go.Figure()
    totals = votes_together(outcomes)
    colours = colour_places(totals)
    for c in ranking(totals)[: len(CLASS_COLOURS)]:
        if totals[c]:
            figure.add_bar(
                x=labels,
                y=[outcome.votes[c] / sum(outcome.votes) for outcome in outcomes],
                name=class_names[c],
                marker_color=class_colour(colours[c]),
                hovertemplate=f"σ = %{{x}}: %{{y:.1%}} for {class_names[c]}<extra></extra>",
            )
    framed(figure, 280, "σ", "share of votes")
    figure.update_layout(barmode="stack", bargap=0.15)
    figure.update_xaxes(type="category")
    figure.update_yaxes(tickformat=".0%", range=[0, 1])
    return figure
