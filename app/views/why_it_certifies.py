"""Why a certificate holds: poke a picture, look at the world of two pixels, watch the arithmetic."""

import streamlit as st

from app import controls, state
from app.sections.why_it_certifies.arithmetic import arithmetic
from app.sections.why_it_certifies.duels import duels
from app.sections.why_it_certifies.independent_splits import independent_splits
from app.sections.why_it_certifies.poke_it import POKE_IT, poke_it, stop_walking
from app.sections.why_it_certifies.two_pixel_world import two_pixel_world

SECTIONS = {
    POKE_IT: poke_it,
    "Two-pixel world": two_pixel_world,
    "The arithmetic": arithmetic,
    "Duels": duels,
    "Independent splits?": independent_splits,
}


def page() -> None:
    st.title("Why it certifies", anchor=False)
    st.markdown(
        "One grey level in one colour channel of one pixel crosses a split in exactly **one** of the N samples, so it "
        "moves at most one vote."
    )
    section = controls.choose_section([*SECTIONS], "why")
    if section != POKE_IT or state.page_is_new():
        stop_walking()
    SECTIONS[section]()


page()
