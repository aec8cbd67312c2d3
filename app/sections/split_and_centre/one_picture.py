"""One picture: its splits, its samples, and the network's answers to them."""

import math

import streamlit as st
import torch
from torch import Tensor

from app import controls, pictures, player, resources, state
from app import splitting_charts as charts
from app.sections.split_and_centre.one_pixel import ONE_PIXEL
from app.sections.split_and_centre.phases import choose_index, choose_levels, keep_origin
from app.strips import filmstrip
from dssn_core import SplitNoise
from dssn_core.classifier import Classifier
from dssn_core.constants import PIXEL_STEPS
from dssn_core.neighbours import NEIGHBOURS
from dssn_core.splitting import PIXELWISE, Place, block_sums

FILM_SAMPLES, FEW_LARGE, LARGE = 8, 4, 64  # of pictures wider than LARGE fewer samples are shown, and larger


def take_pixel(image: Tensor, noise: SplitNoise, place: Place) -> None:
    """Carry a pixel to the number line."""
    # By way of the address: what a widget that is not there yet is given otherwise never gets into it.
    offset = int(noise.offsets[place])
    st.session_state["k"] = int(image[place])
    st.query_params.update({"k": str(st.session_state["k"]), "v": str(offset)})
    keep_origin("v", offset, noise.levels)
    state.choose({"section": (ONE_PIXEL, ONE_PIXEL)})


def mark_pixel(row: int, column: int) -> None:
    st.session_state["row"], st.session_state["column"] = row, column


def film(model: Classifier, image: Tensor, noise: SplitNoise, index: int) -> None:
    """Samples evenly spaced over a whole cycle from `index` on, with the network's answer under each."""
    count = FEW_LARGE if image.shape[-1] > LARGE else FILM_SAMPLES
    indices = [(index + step) % noise.levels for step in charts.frame_indices(noise.levels, count)]
    samples = noise.samples_at(image, torch.tensor(indices))
    shares = resources.probabilities(model, samples, noise.lam)
    denoised = resources.denoised(model, samples, noise.lam)
    rows = {"sample": samples} if denoised is None else {"sample": samples, "what the classifier sees": denoised}
    cells = [
        (
            f"j = {j}: {model.class_names[int(share.argmax())]}, {int(share.max() * 100)}\u00a0%",
            [pictures.sample_image(sample) for sample in shown],
        )
        for j, share, *shown in zip(indices, shares, *rows.values(), strict=True)
    ]
    st.markdown(
        f"**{len(indices)} of the {noise.levels:,} samples**, with the network's answer to each and its "
        "softmax score (not used: only the order of the classes counts)"
        + ("" if denoised is None else "; below each, its denoised version, which the classifier sees")
    )
    st.html(filmstrip(cells, 96 if denoised is None else 160, tuple(rows)))


def to_number_line(image: Tensor, noise: SplitNoise, place: Place) -> None:
    """A button that carries the pixel to the number line, where it is split by itself; else what is split."""
    if noise.block == PIXELWISE:
        label = f"Show this pixel (k = {int(image[place])}) on the number line"
        if st.button(label, on_click=take_pixel, args=(image, noise, place), icon=":material/straighten:"):
            st.rerun()  # the whole page: the number line is another section
        return
    total = int(block_sums(image, noise.block)[noise.of_block(place)])
    st.caption(
        f"This network splits {noise.block_size} values together ({controls.block_name(noise.block)}). They add up to "
        f"k = {total:,} of {noise.block_size * PIXEL_STEPS:,} here."
    )


@st.fragment
def one_picture(model: Classifier, image: Tensor) -> None:
    levels = choose_levels(math.prod(model.manifest.block))
    noise = model.manifest.noise_at(levels)
    index = choose_index(levels)
    figure = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        place = controls.choose_pixel(image.shape)
        to_number_line(image, noise, place)
    _, row, column = place
    with figure:
        player.show(
            charts.image_laboratory(image, noise, index, row, column),
            "image-laboratory",
            f"the picture, its splits and its sample, with row {row}, column {column} marked",
            play="Play j",
            on_pick=mark_pixel,
        )
    if not model.manifest.trained_at(levels):
        low, high = model.manifest.sigma_range
        st.warning(
            f"This network was trained for σ from {low:g} to {high:g}. At this λ, σ is {noise.sigma:.2f}, where its "
            "answers mean little.",
            icon=":material/warning:",
        )
    film(model, image, noise, index)
    if st.toggle("Show the randomized methods at the same λ", key="neighbours", bind="query-params"):
        drawn = {other.title: other.samples(image, noise.lam, 1, seed=index)[0] for other in NEIGHBOURS.values()}
        shown = {"DSSN": noise.samples(image, index, index + 1)[0], **drawn}
        cells = [(f"{name}, one sample", [pictures.sample_image(x.clamp(0, 1))]) for name, x in shown.items()]
        st.html(filmstrip(cells, width=160))
        st.caption(
            "All three have the same noise parameter λ. Additive noise leaves the [0, 1] range; the screen cuts "
            "it off at black and white. SSN draws every pixel's split at random; DSSN fixes them, spread evenly."
        )
