"""One pixel: the number line, and the formula with the numbers in it."""

import streamlit as st
import torch

from app import player
from app import splitting_charts as charts
from app.sections.split_and_centre.phases import choose_index, choose_levels, cyclic_slider
from dssn_core import SplitNoise
from dssn_core.constants import PIXEL_STEPS
from dssn_core.splitting import pixel_sample

ONE_PIXEL = "One pixel"


def formula(pixel: int, offset: int, index: int, levels: int) -> str:
    """The equations of the sample value with the current numbers in them, for KaTeX."""
    sample, top = pixel_sample(pixel, offset, index, levels), 2 * PIXEL_STEPS
    below = sample.above - 2 * levels
    return rf"""\begin{{aligned}}
K &= 2k = 2\cdot{pixel} = {sample.position} \\
S &= 2\,((v + j) \bmod N) + 1 \\
  &= 2\,(({offset} + {index}) \bmod {levels}) + 1 = {sample.split} \\
C &= \min\{{c \in S + 2N\mathbb{{Z}} : c > K\}} = {sample.above} \\
M &= \min(C, 2q) + \max(C - 2N, 0) \\
  &= \min({sample.above}, {top}) + \max({below}, 0) = {sample.numerator} \\
\tilde x &= M/(4q) = {sample.numerator}/{2 * top} \approx {sample.numerator / (2 * top):.4f}
\end{{aligned}}"""


@st.fragment
def one_pixel() -> None:
    levels = choose_levels()
    left, right = st.columns([1, 2], gap="large")
    with left:
        pixel = int(
            st.slider("Pixel k", 0, PIXEL_STEPS, 100, key="k", bind="query-params", help="A grey level, 0 to 255.")
        )
        offset = cyclic_slider("Offset v", "v", levels, "Fixed once for every pixel, without looking at any picture.")
        index = choose_index(levels)
    noise = SplitNoise(levels, (1, 1, 1), torch.tensor([[[offset]]]))
    with right:
        player.show(
            charts.number_line(noise, pixel, index),
            "number-line",
            "the pixel's number line with splits, interval and centre; below, how often each centre occurs",
            play="Play j",
            milliseconds=350,
        )
    st.latex(formula(pixel, offset, index, levels))
    st.caption(
        f"For the slider's j = {index} (playing does not move it), in half grey levels: K is "
        "the pixel, S the split, C the nearest split above the pixel (S + 2Nℤ are all of them, 2N apart); M adds up "
        "the ends of the interval between two splits, cut off at black and white. q = 255, and x̃ is the sample's "
        "value, from 0 to 1."
    )
    st.markdown(
        "**Why one step of the pixel changes exactly one sample.** As j runs from 0 to N − 1, each place between two "
        "grey levels holds a split exactly once. A step from k to k + 1 crosses one such place, so exactly one j sees "
        "the pixel change sides. All other samples keep the same interval, the same centre, the same bits."
    )
