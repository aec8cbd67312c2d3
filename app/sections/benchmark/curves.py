"""Curves: certified accuracy against the radius."""

from collections.abc import Sequence
from itertools import cycle

import plotly.graph_objects as go
import streamlit as st

from app import benchmark_charts as charts
from app import controls, exports, installed, state
from app.benchmark_curves import best_curves, curves_of, sigma_of, unchosen
from app.charts import CHART_BAR
from app.collection import Collection
from app.sections.benchmark.shared import IMAGES, tell_counting, tell_sampling, tell_sides
from dssn_core.constants import lambda_from_levels
from dssn_core.paper import published
from dssn_core.records import Part


def curves(models: Sequence[str], collection: Collection, part: Part) -> None:
    levels = sorted({record.levels for name in models for record in installed.evaluated(name, part).test})
    used = {(at.network, at.levels) for at in installed.chosen_of(models, collection.rhos, part)}
    without = unchosen(models, part)
    seen = st.container()  # before what it can be made of
    methods = controls.choose_methods("The paper's curves", "bench-paper")
    # On a line of its own: in columns and horizontal containers pills run out of a narrow screen.
    more = controls.choose_several(
        "Show every network also at σ",
        levels,
        f"bench-sigmas-{collection.task}",
        [] if used else levels,  # all at once are too many
        sigma_of,
    )
    ours = best_curves(models, part)
    for name, dash in zip(models, cycle(charts.DASHES), strict=False):
        wanted = {n for n in levels if (name, n) in used or name in without or n in more}
        ours += curves_of(name, wanted, part, len(models) == 1, dash)
    theirs = [row for row in published(collection.task) if row.method in methods]
    figure = charts.certified_accuracy(ours, theirs, max([4.5, *map(lambda_from_levels, levels)]))
    with seen:
        tell_sides(models, collection, part)
        draw_curves(figure, sorted({share.images for curve in ours for _, share, _ in curve.points}))
        tell_counting(models, part)
        tell_sampling(models, collection, part)
    rows = [
        {"curve": curve.name, "method": curve.method, "chosen": note, "rho": rho, **share.to_json()}
        for curve in ours
        for rho, share, note in curve.points
    ]
    exports.files("certified-accuracy", rows, {"curves": figure})


def draw_curves(figure: go.Figure, images: Sequence[int]) -> None:
    """images: how many our curves are of, in ascending order."""
    st.plotly_chart(
        figure,
        config=CHART_BAR,
        key="bench-curves",
        on_select=clicked_curve,
        selection_mode="points",
        alt="certified accuracy against radius, our networks over the paper's; the table has the figures",
    )
    several = " to ".join(f"{count:,}" for count in sorted({*images[:1], *images[-1:]}))
    st.caption(
        f"Ours: of {several} test images. "
        "Thick: the network and σ chosen for each ρ, by the highest lower end of the 95 % interval on held-out "
        "training images; measured on test images, with a 95 % Wilson interval at each ρ by itself. Where the choice "
        "changes, so do the classifier and perhaps the number of images; the curve may jump, even up. Thin: one "
        "network and σ. Dotted: the paper. Hover over a point to see what it is of; click one of ours to see "
        "its images."
    )


def clicked_curve() -> None:
    """Carry the curve that was clicked to the images."""
    points = st.session_state["bench-curves"]["selection"]["points"]
    keys = [point["customdata"] for point in points if point.get("customdata")]
    if keys:
        name, levels = keys[0]
        state.choose({"bench-network": (name, name), "bench-sigma": (int(levels), sigma_of(levels))})
        state.choose({"bench-section": (IMAGES, IMAGES)})  # apart: of this widget Streamlit writes the address
