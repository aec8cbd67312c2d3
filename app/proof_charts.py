"""Figures of the page that shows why a certificate holds. Does not import streamlit."""

import numpy as np
import plotly.graph_objects as go

from app.charts import BAR_STYLE, OPEN_COLOUR, SURE_COLOUR, bare, class_colour, percent
from app.splitting_charts import FRAMES, play_buttons
from dssn_core import PIXEL_STEPS, Certificate

OVER_COLOUR = "#d0393e"


def budget_meter(spent: int, radius: int) -> str:
    """HTML: how much of the certified radius has been spent, in steps; red beyond it."""
    over = spent > radius
    whole = max(radius, spent, 1)
    colour = OVER_COLOUR if over else SURE_COLOUR
    text = f"{spent} of {radius} steps spent" + (": beyond the certificate, anything may happen" if over else "")
    end = f"width: {percent(radius, whole)}; border-right: 3px solid white; border-radius: 0"  # where the budget ended
    mark = f'<div class="dssn-bar" style="{end}"></div>' if over else ""
    return (
        f'{BAR_STYLE}<div class="dssn-track" role="img" aria-label="{text}">'
        f'<div class="dssn-bar" style="width: {percent(radius, whole)}; background: {OPEN_COLOUR}"></div>'
        f'<div class="dssn-bar" style="width: {percent(spent, whole)}; background: {colour}"></div>{mark}</div>'
        f'<div class="dssn-scale"><span>{text}</span><span>R = {radius}</span></div>'
    )


def vote_transfer(certificate: Certificate, names: tuple[str, ...]) -> go.Figure:
    """The worst case, played: votes move from the winner to its rival, R of them without harm, one more tips it."""
    a, b = certificate.label, certificate.rival
    radius = certificate.radius_steps
    count = min(FRAMES - 1, radius + 1)
    moved = sorted({0, radius, radius + 1, *(step * radius // max(1, count - 1) for step in range(count))})

    def bars(taken: int) -> go.Bar:
        counts = [certificate.votes[a] - taken, certificate.votes[b] + taken]
        return go.Bar(
            x=counts,
            y=[names[a], names[b]],
            orientation="h",
            marker_color=[class_colour(a), class_colour(b)],
            text=[str(n) for n in counts],
            textposition="auto",
            textfont={"size": 16},
            insidetextfont={"color": "black"},
            hovertemplate="%{y}: %{x} votes<extra></extra>",
        )

    def title(taken: int) -> str:
        left, right = certificate.votes[a] - taken, certificate.votes[b] + taken
        wins = right > left or (right == left and b < a)
        verdict = f"{names[b]} wins{' the tie' * (left == right)}" if wins else f"{names[a]} still wins"
        return f"{taken} votes moved, {taken} of R = {radius} steps spent: {verdict}"

    figure = go.Figure(bars(0))
    figure.frames = [
        go.Frame(data=[bars(taken)], layout={"title": {"text": title(taken)}}, name=f"{taken}") for taken in moved
    ]
    bare(figure, 260)
    figure.update_layout(
        title={"text": title(0), "font": {"size": 15}, "x": 0, "y": 0.98, "yanchor": "top"},
        updatemenus=[{**play_buttons(120, "▶ Move votes"), "y": -0.28, "yanchor": "top"}],
        margin={"t": 34, "b": 84},
    )
    figure.update_xaxes(range=[0, certificate.levels], fixedrange=True)
    figure.update_yaxes(autorange="reversed", fixedrange=True)
    return figure


def two_pixel_plane(
    votes: np.ndarray, levels: int, point: tuple[int, int], radius: int, other: tuple[int, int, int] | None
) -> go.Figure:
    """Every image of two pixels coloured by its smoothed class; the chosen one with its diamond and nearest rival."""
    first, second = point
    grey = np.arange(PIXEL_STEPS + 1)
    figure = go.Figure(
        go.Heatmap(
            z=votes.astype(np.int16),  # small: it crosses the network at every move of a slider
            x=grey,
            y=grey,
            zmin=0,
            zmax=levels,
            colorscale=[[0, "#4e79a7"], [0.4999, "#c9d8e8"], [0.5, "#fbe3c8"], [1, "#f28e2b"]],
            colorbar={
                "title": {"text": "votes for orange", "side": "top"},
                "orientation": "h",
                "tickvals": [share * levels / 4 for share in range(5)],
                "ticktext": ["0", "25 %", "50 %", "75 %", "100 %"],
                "thickness": 10,
                "y": -0.16,
                "yanchor": "top",
            },
            hovertemplate=f"pixels %{{x}}, %{{y}}: %{{z}} of {levels} vote orange<extra></extra>",
        )
    )
    diamonds = (
        (radius + 1, "dot", OVER_COLOUR, "the worst case"),
        (radius, "solid", "#222222", f"certified, R = {radius}"),
    )
    for size, dash, colour, name in diamonds:
        figure.add_scatter(
            x=[first - size, first, first + size, first, first - size],
            y=[second, second + size, second, second - size, second],
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2},
            name=name,
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=[first],
        y=[second],
        mode="markers",
        marker={"size": 12, "color": "white", "line": {"color": "#222222", "width": 2}},
        name="the image",
        hovertemplate="the image: pixels %{x}, %{y}<extra></extra>",
    )
    if other is not None:
        figure.add_scatter(
            x=[other[1]],
            y=[other[2]],
            mode="markers",
            marker={"symbol": "x", "size": 11, "color": OVER_COLOUR},
            name="nearest of the other class",
            hovertemplate=f"{other[0]} steps away: pixels %{{x}}, %{{y}}<extra></extra>",
        )
    bare(figure, 580)
    figure.update_layout(
        showlegend=True,
        legend={  # its dark lines need a light ground in the dark theme too
            "orientation": "h",
            "y": 1.02,
            "yanchor": "bottom",
            "bgcolor": "#eef1f6",
            "font": {"color": "#1f2430"},
        },
        margin={"l": 50, "b": 100, "t": 40},
    )
    figure.update_xaxes(range=[-0.5, 255.5], title_text="first pixel", fixedrange=True, constrain="domain")
    figure.update_yaxes(
        range=[-0.5, 255.5], title_text="second pixel", fixedrange=True, scaleanchor="x", constrain="domain"
    )
    return figure
