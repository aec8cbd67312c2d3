"""Controls that several pages share."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from app import resources, state
from dssn_core import levels_from_sigma
from dssn_core.checkpoints import CheckpointError
from dssn_core.comparison import METHODS
from dssn_core.networks import Classifier

PAPER_SIGMAS = (0.15, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5)


def network(name: str) -> Classifier | None:
    """The network `name`; None, and a message on the page, if it is missing or damaged."""
    try:
        return resources.model(name)
    except CheckpointError as error:
        st.error(f"The network {name!r} cannot be used: {error}. Restore `pretrained/{name}` from the repository.")
        return None


def choose_section(names: Sequence[str], key: str) -> str:
    """The part of a page to show; the address keeps it."""
    section = st.segmented_control(
        "Section",
        names,
        default=names[0],
        required=True,
        key=key,
        bind="query-params",
        label_visibility="collapsed",
    )
    return str(section)


def choose_methods(label: str, key: str, bind: Literal["query-params"] | None = None) -> list[str]:
    """Some of the methods of smoothing, all to begin with. bind: whether the address keeps them."""
    chosen = st.pills(
        label,
        list(METHODS),
        selection_mode="multi",
        default=list(METHODS),
        format_func=METHODS.__getitem__,
        key=key,
        bind=bind,
    )
    return list(chosen or [])


def choose_noise(model: Classifier) -> int:
    """The noise slider and the paper's presets. Returns the number of levels."""
    assert model.manifest is not None
    low, high = model.manifest.sigma_range
    if "sigma" not in st.session_state and "sigma" not in st.query_params:
        st.session_state["sigma"] = min(max(st.session_state.get("kept-sigma", 0.5), low), high)
    sigma = st.slider(
        "Noise σ",
        low,
        high,
        0.5,
        0.05,
        key="sigma",
        bind="query-params",
        help="Standard deviation of uniform noise on [−λ, λ], the scale the papers tabulate. "
        "More noise allows a larger radius, but makes the vote harder.",
    )
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="presets"):
        st.caption("from the paper:", width="content")
        for preset in PAPER_SIGMAS:
            st.button(
                f"{preset:g}",
                key=f"preset-{preset:g}",
                type="tertiary",
                on_click=state.set_value,
                args=("sigma", preset),
            )
    st.session_state["kept-sigma"] = sigma
    return levels_from_sigma(sigma)
