"""Blocks: what splits over sums of values keep of a picture."""

import streamlit as st
from torch import Tensor

from app import controls, gallery, laboratory, player
from app.film import Film
from app.sections.split_and_centre.phases import choose_index, choose_levels
from app.strips import filmstrip
from dssn_core import SplitNoise
from dssn_core.classifier import Classifier
from dssn_core.splitting import PIXELWISE, Block

BLOCKS: tuple[Block, ...] = (PIXELWISE, (3, 1, 1), (1, 2, 2), (3, 2, 2), (1, 4, 4))


@st.fragment
def blocks(model: Classifier, image: Tensor) -> None:
    levels = choose_levels(None, "blocks-lam", 3.5)
    index = choose_index(levels)
    gallery.beside(
        image,
        "A split may also be laid over a **sum**: of the three colours of a pixel, or of neighbouring pixels. One grey "
        "level of one pixel moves its sum by one, across exactly one split, in one sample. So **the guarantee is "
        "the same**, with the same N. Detail, or colour, is given up; in return, a sum of m values has a scale m times "
        "as long, and splits fall on it up to m times as often: more samples say something about it.",
    )
    cells = []
    for block in (block for block in BLOCKS if all(n % of == 0 for n, of in zip(image.shape, block, strict=True))):
        noise = SplitNoise(levels, model.input_shape, block=block)
        known, error = int(100 * noise.known), laboratory.brightness_error(image, levels, block)
        caption = f"{controls.block_name(block)}: {known}\u00a0% known, brightness error {error:.4f}"
        cells.append((caption, laboratory.sample_and_rebuilt(image, noise, index)))
    rows = ("sample", "what a blur gets back")
    alt = "; ".join(["a sample and what a blur gets back, by what is added up", *(text for text, _ in cells)])
    player.show(Film(filmstrip(cells, 150, rows)), "blocks", alt)
    st.caption(
        "Known: in how many of the samples a split falls on the scale of a value, or sum, so that the sample says "
        "something of it. Brightness error: of the blurred sample, without colour; lower is better. Adding up "
        "neighbours pays at large λ, larger blocks at still larger λ; at λ = 0.25, where all is known, it only blurs."
    )
    with st.expander("How it is measured"):
        st.markdown(
            "Mean squared error of the picture's brightness after a Gaussian low-pass, averaged over samples evenly "
            "spaced in j; where a sample says nothing, 1/2 is taken. Adding up the colours of a pixel blurs nothing: "
            "it costs the colour, which the error does not count. All under the offsets “r2”. The paper splits every "
            "value by itself."
        )
