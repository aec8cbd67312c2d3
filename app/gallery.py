"""The gallery of built-in pictures: a button a picture, shared by all pages through the address."""

import streamlit as st
from torch import Tensor

from app import pictures, resources, state
from dssn_core.gallery import Sample
from dssn_core.networks import Classifier


def choose(model: Classifier) -> tuple[Sample, Tensor]:
    """Show the gallery; returns the chosen picture and its image at the model's input size."""
    samples = resources.samples("cifar10", model.input_shape[1:])
    chosen = state.chosen_picture(samples, next(iter(samples)))
    st.html(_style({key: image for key, (_, image) in samples.items()}, chosen))
    with st.container(horizontal=True, key="gallery", gap="small"):
        for key, (sample, _) in samples.items():
            label = f"{model.class_names[sample.label]}, sample {key[-2:]}{', chosen' * (key == chosen)}"
            st.button(label, key=f"pick-{key}", help=label, on_click=state.choose_picture, args=(key,))
    return samples[chosen]


def _style(images: dict[str, Tensor], chosen: str) -> str:
    """Turns the buttons, whose texts stay there for screen readers, into thumbnails."""
    rules = [
        ".st-key-gallery button {width: 56px; height: 56px; min-height: 0; padding: 0; font-size: 0;"
        " background-size: cover; image-rendering: pixelated}",
        ".st-key-gallery button * {font-size: 0}",
        f".st-key-pick-{chosen} button {{outline: 3px solid #f28e2b; outline-offset: 1px}}",
    ]
    rules += [
        f'.st-key-pick-{key} button {{background-image: url("{pictures.data_url(image)}")}}'
        for key, image in images.items()
    ]
    return f"<style>{' '.join(rules)}</style>"
