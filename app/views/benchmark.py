"""Certified accuracy on many images: our networks beside the paper's, and the images behind the figures."""

import streamlit as st

from app import controls, glossary, installed
from app.benchmark_curves import unchosen
from app.collection import Collection
from app.sections.benchmark.curves import curves
from app.sections.benchmark.images import images
from app.sections.benchmark.shared import IMAGES
from app.sections.benchmark.table import table
from dssn_core.paper import source
from dssn_core.records import Part

SECTIONS = {"Curves": curves, "Table": table, IMAGES: images}


def choose_models(collection: Collection, part: Part) -> list[str]:
    """The models of the collection's classes with records of a part that are to be shown, by name."""
    first = installed.networks_of(collection)  # the others' curves are a click away: all at once are too many
    alike = {*first, *collection.own.values()}
    readable, damaged = installed.models_with_records()
    if damaged:
        st.warning(f"The records of {', '.join(damaged)} cannot be read: restore their folders from the repository.")
    ordered = sorted(readable, key=lambda name: name != collection.model)  # the one that the pages begin with
    known = [name for name in ordered if name in alike and installed.evaluated(name, part).test]
    if not known:
        st.info("No network has records of these pictures yet. Make some: `python -m dssn_core evaluate --record …`.")
        return []
    without = unchosen(known, part)
    shown = [name for name in known if name in first and name not in without] or known[:1]
    key = f"bench-models-{collection.task}"
    models = controls.choose_several("Our networks", known, key, shown, about=glossary.networks(known))
    if not models:
        st.info("Choose at least one network.")
    return models


def choose_part(collection: Collection) -> Part:
    """Which of the test images to report on."""
    if len(collection.parts) == 1:
        return next(iter(collection.parts.values()))
    names = list(collection.parts)
    name = st.segmented_control(
        "Test images", names, default=names[0], required=True, key="bench-part", bind="query-params"
    )
    return collection.parts[str(name)]


def page() -> None:
    st.title("Benchmark", anchor=False)
    st.markdown(
        "**Certified accuracy**: the share of test images classified correctly with a certified L1 radius of at "
        "least ρ. From stored records of the networks that come with this page."
    )
    collection = controls.choose_collection()
    section = controls.choose_section([*SECTIONS], "bench-section")
    part = choose_part(collection)
    models = choose_models(collection, part)
    if models:
        SECTIONS[section](models, collection, part)
    st.caption(f"The paper: {source()}. {collection.data}")


page()
