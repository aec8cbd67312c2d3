"""The two-pixel world: every picture of two pixels in one plane, and the certificates in it."""

import streamlit as st

from app import laboratory, player, proof_charts
from dssn_core import PIXEL_STEPS
from dssn_core.two_pixels import TOYS, Boundary, Point, World
from dssn_core.wording import counted


def choose_point(row: int, column: int) -> None:
    st.session_state["k1"], st.session_state["k2"] = column, PIXEL_STEPS - row


def two_pixel_world() -> None:
    st.markdown(
        "Every picture of **two** pixels is a point of this plane. A toy base classifier votes on all N samples of "
        "each; the hue is the class that wins the vote, the shade how clearly. The solid diamond is the exact "
        "certificate of the chosen picture: all pictures in it have its hue. The dotted one is one grey level larger "
        "(a corner of the plane magnifies both). The counts alone cannot certify it: some classifier and picture with "
        "the same counts have another answer at that distance. Click or drag in the plane to choose a picture."
    )
    plane, choices = st.columns([3, 2], gap="large")
    with choices:
        result = st.container()  # above the sliders: it changes with every one of them
        begin, point = World(), Point()
        turn, moved = begin.boundary.angle, begin.boundary.position
        toy = st.selectbox("Toy base classifier", tuple(TOYS), key="toy", bind="query-params")
        angle = st.slider("Turn its boundary (degrees)", 0, 180, turn, 5, key="angle", bind="query-params")
        position = st.slider("Move its boundary", -0.4, 0.4, moved, 0.02, key="position", bind="query-params")
        levels = st.slider("N, the number of samples", 2, 400, begin.levels, key="n", bind="query-params")
        scheme = st.selectbox(
            "Offsets",
            ("r2", "white", "equal"),
            key="scheme",
            bind="query-params",
            help="r2: evenly spread; white: drawn at random; equal: the same for both pixels.",
        )
        first = st.slider("First pixel", 0, PIXEL_STEPS, point.first, key="k1", bind="query-params")
        second = st.slider("Second pixel", 0, PIXEL_STEPS, point.second, key="k2", bind="query-params")
    world = World(toy, Boundary(angle, position), levels, scheme)
    votes = laboratory.plane(world)
    found = world.found(votes, Point(first, second))
    with plane:
        player.show(
            proof_charts.two_pixel_plane(votes, levels, found),
            "plane",
            f"the plane of all pictures of two pixels; the chosen one at {first}, {second}, with its diamond",
            on_pick=choose_point,
        )
    with result:
        st.metric("Certified radius R", counted(found.radius, "grey level"))
        away = (
            "there is no picture of the other class"
            if found.other is None
            else f"nearest picture of the other class: {counted(found.image.distance(found.other), 'grey level')}"
        )
        st.caption(f"{found.ones} of {levels} samples vote orange, {levels - found.ones} blue; {away}.")
