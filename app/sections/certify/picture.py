"""The picture and one of its samples, beside each other."""

from collections.abc import Callable

import streamlit as st

from app import gallery, pictures, resources
from app.runs import VoteRun
from dssn_core.classifier import Classifier

ALL_IT_SEES = "all that the network sees for this vote"
ALL_WIDE = 384  # pixels: all pictures together, which stand beside each other on a small laptop, too
LAPTOP = 1280  # pixels: width of a window up to which the pictures are made to fit
BESIDE_EACH_OTHER = f"""
<style>
@media (max-width: {LAPTOP}px) {{
  .st-key-seen {{flex-wrap: nowrap}}
  .st-key-seen > div {{flex: 1 1 0}}
  .st-key-seen > div, .st-key-seen > div * {{min-width: 0; max-width: 100%}}
}}
</style>
"""
"""The pictures, where they would not fit otherwise: the answer is to be seen before long."""


def show_picture(run: VoteRun, caption: str, model: Classifier) -> Callable[[], None]:
    """The picture and one of its samples. Returns what shows that sample denoised, where it is: the network's work."""
    sample, denoises = run.noise.samples(run.image, 0, 1), model.network.has_denoiser
    width = ALL_WIDE // (3 if denoises else 2)
    st.html(BESIDE_EACH_OTHER)
    with st.container(horizontal=True, key="seen"):
        gallery.show(run.image, caption, width)
        words = f"sample j = 0 of {run.noise.levels:,}: {ALL_IT_SEES}"
        gallery.show(pictures.sample_image(sample[0]), words, width)
        place = st.empty() if denoises else None
    if denoises:
        st.caption(
            "Denoiser and classifier together are the base classifier (denoised smoothing, Salman et al. 2020). The "
            "certificate counts their votes, so it holds whatever the denoiser paints."
        )

    def show_denoised() -> None:
        denoised = resources.denoised(model, sample, run.noise.lam)
        if place is not None and denoised is not None:
            with place:
                words = "this sample, denoised: what the classifier sees"
                gallery.show(pictures.sample_image(denoised[0]), words, width)

    return show_denoised
