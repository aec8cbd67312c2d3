"""Offsets: what each scheme keeps of a picture."""

import math

import streamlit as st
from torch import Tensor

from app import gallery, laboratory, player
from app import splitting_charts as charts
from app.charts import NO_BAR
from app.film import Film
from app.sections.split_and_centre.phases import choose_index, choose_levels
from app.strips import filmstrip
from dssn_core import SplitNoise
from dssn_core.classifier import Classifier
from dssn_core.constants import levels_from_lambda
from dssn_core.offsets import OFFSET_SCHEMES
from dssn_core.reconstruction import SAMPLES

CURVE_LAMBDAS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)

SCHEMES = """
- **r2**, this project's default: the lattice of Roberts' R2 sequence (2018), (0.7549 x + 0.5698 y) mod 1, so that
  the offsets of nearby pixels lie well apart. Colour channels that are not split together are a third of the cycle
  apart, in all schemes but the last three.
- **blue**: noise without low frequencies, from a 64 × 64 tile made by void-and-cluster (Ulichney 1993).
- **bayer**: the 16 × 16 matrix for ordered dithering (Bayer 1973), made for early displays.
- **white**: every pixel draws its own offset; equal neighbours and gaps happen by chance.
- **equal**: one offset for all pixels, so that they all ask the same question. Where splits are far apart, a sample is
  at best a picture of two tones per channel, and often says nothing.
- **reference**: drawn like “white”, the way the paper's own code does it.
"""


@st.fragment
def offsets(model: Classifier, image: Tensor) -> None:
    block = model.manifest.block
    levels = choose_levels(math.prod(block), "offsets-lam", 1.0)
    index = choose_index(levels)
    gallery.beside(
        image,
        "The offsets v decide where each pixel's split lies. **Any** offsets give a sound certificate, as long as they "
        "are the same for every picture. But a sample is an *ordered dither* of the picture: if neighbouring pixels "
        "ask well-spread questions, their answers tell more together; if all ask the same one (“equal”), a sample may "
        "say nothing at all.",
    )
    noises = {scheme: SplitNoise(levels, model.input_shape, scheme, block=block) for scheme in OFFSET_SCHEMES}
    with st.spinner("Measuring what is kept of the picture …"):
        here = laboratory.reconstruction_errors(image, levels, block)
    cells = []
    for scheme, noise in noises.items():
        shown = [charts.offset_picture(noise), *laboratory.sample_and_rebuilt(image, noise, index)]
        cells.append((f"“{scheme}”, error {here[scheme]:.4f}", shown))
    # Not `st.html`, which takes its time to clean what it is given: these pictures follow a slider.
    rows = ("offsets", "sample", "what a blur gets back")
    alt = "; ".join(["offsets, a sample and what a blur gets back under each scheme", *(text for text, _ in cells)])
    player.show(Film(filmstrip(cells, 130, rows)), "offsets", alt)
    with st.spinner("Measuring it at other λ …"):
        along = [laboratory.reconstruction_errors(image, levels_from_lambda(lam), block) for lam in CURVE_LAMBDAS]
    errors = {scheme: [at[scheme] for at in along] for scheme in here}
    st.plotly_chart(charts.error_curves(CURVE_LAMBDAS, errors), config=NO_BAR, key="errors", alt="error against lambda")
    kept = "" if block[0] == 1 else ", without its colour"
    st.caption(
        f"Mean squared error of a Gaussian low-pass reconstruction of this picture{kept}, averaged over "
        f"{SAMPLES} samples evenly spaced in j (fewer where N is less); where a sample says nothing, 1/2 is taken. "
        f"Lower is better. This network's own offsets are “{model.manifest.offsets.scheme}”."
    )
    with st.expander("What the names mean"):
        st.markdown(SCHEMES)
