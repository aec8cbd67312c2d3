"""What most sections of this page are about."""

import streamlit as st
from torch import Tensor

from app import controls, gallery
from dssn_core import SplitNoise
from dssn_core.classifier import Classifier


def subject() -> tuple[Classifier, Tensor, SplitNoise] | None:
    """The network, picture and noise of this page; None while there is no picture."""
    collection, name = controls.choose_network()
    model = controls.network(name)
    if model is None:
        return None
    picture, strength = st.columns(2, gap="large")  # beside each other: what they change is to be seen with them
    with picture:
        chosen = gallery.choose_folded(model, collection)
    with strength:
        levels = controls.choose_noise(model, collection)
    return None if chosen is None else (model, chosen.image, model.manifest.noise_at(levels))
