"""The splitting laboratory: what a sample keeps of one pixel, of one picture, and what offsets and blocks do to it."""

import streamlit as st

from app import controls, gallery
from app.sections.split_and_centre.blocks import blocks
from app.sections.split_and_centre.offsets import offsets
from app.sections.split_and_centre.one_picture import one_picture
from app.sections.split_and_centre.one_pixel import ONE_PIXEL, one_pixel

# The sections that show a picture.
SHOWN = {"One picture": one_picture, "Offsets": offsets, "Blocks": blocks}


def page() -> None:
    st.title("Split & centre", anchor=False)
    st.markdown(
        "A sample keeps only **which two splits** a pixel lies between, and shows the centre of that interval, cut off "
        "at black and white."
    )
    section = controls.choose_section((ONE_PIXEL, *SHOWN), "section")
    # A section is a fragment: its sliders run it alone, not the title, the gallery and the rest of the page again.
    if section == ONE_PIXEL:
        one_pixel()
        return
    collection, name = controls.choose_network()
    model = controls.network(name)
    chosen = gallery.choose_folded(model, collection) if model is not None else None
    if model is not None and chosen is not None:
        SHOWN[section](model, chosen.image)


page()
