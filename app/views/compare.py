"""Compare DSSN with its randomized neighbours: one picture, one noise, every method, honest to the decimal."""

import streamlit as st

from app import controls, gallery, pins
from app.collection import Collection
from app.glossary import GLOSSARY, listed
from app.links import VIEWS
from app.methods import Settings
from app.sections.compare.repetitions import run_it_again
from app.sections.compare.side_by_side import side_by_side
from app.sections.compare.sweep import sweep
from app.votes import tell_first_choices
from dssn_core.comparison import LITERATURE_SAMPLES, METHODS

SAMPLE_COUNTS = (100, 300, 1000, 3000, 10_000, 30_000, LITERATURE_SAMPLES)

ALPHAS = (0.05, 0.01, 0.001, 0.0001)


SECTIONS = {"Side by side": side_by_side, "Run it again": run_it_again, "Sweep over σ": sweep}


def usable(methods: list[str], collection: Collection) -> tuple[str, ...]:
    """Those of the methods whose networks can be loaded; says what is the matter with the others."""
    found = [m for m in METHODS if m in methods and controls.network(collection.model_for(m)) is not None]
    missing = [METHODS[method] for method in found if collection.model_for(method) != collection.own.get(method)]
    if missing:
        st.warning(
            f"No network here is trained for {' or '.join(missing)}: {collection.model}, trained for DSSN, votes "
            "instead, at a disadvantage: it was not trained for this noise."
        )
    return tuple(found)


def choose_settings(collection: Collection) -> tuple[list[str], int, float, int]:
    """Methods, n, alpha and seed."""
    methods = controls.choose_methods("Methods", "methods")
    with st.container(horizontal=True):
        n = st.selectbox(
            "n, samples to estimate with",
            SAMPLE_COUNTS,
            SAMPLE_COUNTS.index(collection.n),
            key=collection.key("samples"),
            bind="query-params",
            help=GLOSSARY["n₀ and n"] + " The literature uses 100,000.",
            width=200,
        )
        alpha = st.selectbox(
            "α",
            ALPHAS,
            ALPHAS.index(0.001),
            key="alpha",
            bind="query-params",
            help=GLOSSARY["α, failure probability"],
            width=110,
        )
        seed = st.number_input(
            "Seed", 0, 2**31, 0, key="seed", bind="query-params", width=110, help="Of all random draws."
        )
    return methods, n, alpha, int(seed)


def page() -> None:
    st.title("Compare", anchor=False)
    st.markdown(
        "The same picture and the same strength of noise under **DSSN**, whose certificate is exact for 8-bit "
        "pictures, and under two related randomized methods, each of whose certificates holds with confidence 1 − α. "
        "Each method has a network of its own, trained for its noise: a difference between radii is not due to the "
        "noise alone, and one picture says nothing about which method is better."
    )
    collection = controls.choose_collection()
    st.page_link(
        VIEWS / "benchmark.py",
        label="The same networks over many pictures",
        icon=":material/leaderboard:",
        query_params={f"bench-models-{collection.task}": list(collection.own.values())},
    )
    model = controls.network(collection.model)
    if model is None:
        return
    tell_first_choices(model, "page")
    left, right = st.columns([2, 3], gap="large")
    with left:
        chosen = gallery.choose_folded(model, collection)
        if chosen is not None:
            gallery.show(chosen.image, chosen.name)
    with right:
        levels = controls.choose_noise(model, collection)
        wanted, n, alpha, seed = choose_settings(collection)
    section = controls.choose_section(list(SECTIONS), "compare")
    methods = usable(wanted, collection)
    if chosen is None:
        st.info("The comparison appears here as soon as there is a picture.")
    elif not methods:
        st.info("Choose at least one method.")
    else:
        SECTIONS[section](chosen, Settings(collection, levels, methods, n, alpha, seed))
    pins.show()
    with st.expander("Glossary"):
        st.markdown(listed(GLOSSARY))


page()
