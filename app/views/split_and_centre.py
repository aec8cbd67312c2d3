"""The splitting laboratory: what a sample keeps of one pixel, of one picture, and what offsets and blocks do to it."""

import math

import streamlit as st
import torch
from torch import Tensor

from app import controls, gallery, laboratory, pictures, player, resources, state
from app import splitting_charts as charts
from app.charts import NO_BAR
from app.film import Film
from app.strips import filmstrip
from dssn_core import SplitNoise
from dssn_core.classifier import Classifier
from dssn_core.constants import (
    PIXEL_STEPS,
    lambda_from_levels,
    levels_from_lambda,
    sigma_from_levels,
)
from dssn_core.neighbours import NEIGHBOURS
from dssn_core.offsets import OFFSET_SCHEMES
from dssn_core.reconstruction import SAMPLES
from dssn_core.splitting import PIXELWISE, Block, Place, block_sums, pixel_sample
from dssn_core.voting import noise_for

ONE_PIXEL = "One pixel"
LAMBDA_PRESETS = (0.1, 0.25, 0.5, 1.0, 2.0, 3.5)
FILM_SAMPLES, FEW_LARGE, LARGE = 8, 4, 64  # of pictures wider than LARGE fewer samples are shown, and larger
CURVE_LAMBDAS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)


# --- controls that all sections share ------------------------------------------------------------------------------


def keep_phases(key: str) -> None:
    """A change of lambda keeps j/N and v/N, not j and v: the picture changes smoothly under the slider."""
    levels = levels_from_lambda(st.session_state[key])
    for name in ("j", "v") if key == "lam" else ("j",):  # v belongs to the number line, and so to its λ
        if f"{name}-origin" in st.session_state:
            value, out_of = st.session_state[f"{name}-origin"]
            st.session_state[name] = value * levels // out_of


def set_lambda(key: str, lam: float) -> None:
    st.session_state[key] = lam
    keep_phases(key)


def keep_origin(name: str, levels: int) -> None:
    """Remember where on the cycle a slider was put by hand, as a fraction of N."""
    st.session_state[f"{name}-origin"] = (st.session_state[name], levels)


def settle_phase(name: str, levels: int) -> None:
    """Bring a slider and what is remembered of it together where a link changed the one and not the other."""
    if name not in st.session_state:  # the slider begins anew, or where the address says
        st.session_state.pop(f"{name}-origin", None)
        return
    value, out_of = st.session_state.get(f"{name}-origin", (0, 1))
    if st.session_state[name] >= levels:
        st.session_state[name] = value * levels // out_of
    elif st.session_state[name] != value * levels // out_of:
        keep_origin(name, levels)


def cyclic_slider(label: str, name: str, levels: int, help_: str) -> int:
    """A slider over 0..N-1 that keeps its share of N when N changes."""
    settle_phase(name, levels)
    value = st.slider(
        label, 0, levels - 1, key=name, bind="query-params", help=help_, on_change=keep_origin, args=(name, levels)
    )
    if f"{name}-origin" not in st.session_state:
        keep_origin(name, levels)
    return int(value)


def step_index(levels: int, change: int) -> None:
    st.session_state["j"] = (st.session_state["j"] + change) % levels
    keep_origin("j", levels)


def choose_index(levels: int) -> int:
    """The slider of the sample index, and buttons that step it around the cycle."""
    index = cyclic_slider("Sample index j", "j", levels, "Which of the N samples; j + 1 moves every split up by one.")
    with st.container(horizontal=True, gap="xsmall"):
        for change, label in ((-1, "j − 1"), (1, "j + 1")):
            st.button(label, key=f"step{change:+}", type="tertiary", on_click=step_index, args=(levels, change))
    return index


def choose_levels(block_size: int | None = 1, key: str = "lam", first: float = 0.25) -> int:
    """The slider of the noise, and what it means for splits over sums of so many values; nothing for None.

    key: what the address calls it. first: the noise to begin with, at which the section has something to show.
    """
    lam = st.slider(
        "Noise λ",
        0.02,
        6.06,
        first,
        0.01,
        key=key,
        bind="query-params",
        on_change=keep_phases,
        args=(key,),
        help="Splits repeat every 2λ on the [0, 1] scale, that is every N grey levels.",
    )
    controls.offer(LAMBDA_PRESETS, "lam", set_lambda, key)
    levels = levels_from_lambda(lam)
    shown = (
        f"λ = N/510 = **{lambda_from_levels(levels):.4f}** · σ = λ/√3 = **{sigma_from_levels(levels):.4f}** · "
        f"N = **{levels:,}** samples. "
    )
    if block_size is None:
        st.markdown(shown)
        return levels
    scale, what = ("grey scale", "pixel") if block_size == 1 else (f"scale from 0 to {block_size * PIXEL_STEPS}", "sum")
    if levels < PIXEL_STEPS * block_size:
        st.markdown(
            shown + f"The splits lie closer together than the {scale} is long: a sample is a **coarser copy** of the "
            f"{what}. From λ = {block_size / 2:g} on, at most one split falls on that scale."
        )
    else:
        st.markdown(
            shown
            + f"At most **one** split falls on the {scale}: a sample says “darker than the split”, “brighter than "
            "the split”, or, with no split, **nothing** (the centre is 1/2)."
        )
    return levels


# --- one pixel -----------------------------------------------------------------------------------------------------


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
        f"For j = {index}, as the slider “Sample index j” has it (playing does not move it), in half grey levels: K is "
        "the pixel, S the split, C the nearest split above the pixel (S + 2Nℤ are all of them, 2N apart); M adds up "
        "the ends of the interval between two splits, cut off at black and white. q = 255, and x̃ is the sample's "
        "value, from 0 to 1."
    )
    st.markdown(
        "**Why one step of the pixel changes exactly one sample.** As j runs from 0 to N − 1, each place between two "
        "grey levels holds a split exactly once. A step from k to k + 1 crosses one such place, so exactly one j sees "
        "the pixel change sides. All other samples keep the same interval, the same centre, the same bits."
    )


# --- one picture ---------------------------------------------------------------------------------------------------


def take_pixel(image: Tensor, noise: SplitNoise, place: Place) -> None:
    """Carry a pixel to the number line."""
    # By way of the address: what a widget that is not there yet is given otherwise never gets into it.
    st.session_state["k"] = int(image[place])
    st.session_state["v"] = int(noise.offsets[place])
    st.query_params.update({name: str(st.session_state[name]) for name in ("k", "v")})
    keep_origin("v", noise.levels)
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
        "softmax score (which does not count, only the order of the classes does)"
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
        f"k = {total} of {noise.block_size * PIXEL_STEPS} here."
    )


@st.fragment
def one_picture(model: Classifier, image: Tensor) -> None:
    levels = choose_levels(math.prod(model.manifest.block))
    noise = noise_for(model, levels)
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


# --- offsets -------------------------------------------------------------------------------------------------------

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
    rows = ("offsets", "sample", "what a fixed blur gets back from it")
    alt = "; ".join(["offsets, a sample and what a blur gets back under each scheme", *(text for text, _ in cells)])
    player.show(Film(filmstrip(cells, 150, rows)), "offsets", alt)
    with st.spinner("Measuring it at other λ …"):
        along = [laboratory.reconstruction_errors(image, levels_from_lambda(lam), block) for lam in CURVE_LAMBDAS]
    errors = {scheme: [at[scheme] for at in along] for scheme in here}
    st.plotly_chart(charts.error_curves(CURVE_LAMBDAS, errors), config=NO_BAR, key="errors", alt="error against lambda")
    kept = "" if block[0] == 1 else ", without its colour"
    st.caption(
        f"Mean squared error of a Gaussian low-pass reconstruction of this picture{kept}, averaged over "
        f"{SAMPLES} samples evenly spaced in j (fewer where N is less); where a sample says nothing, 1/2 is taken. "
        f"Lower is better. This network's own offsets are “{model.manifest.offsets['scheme']}”."
    )
    with st.expander("What the names mean"):
        st.markdown(SCHEMES)


# --- blocks --------------------------------------------------------------------------------------------------------

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
        "neighbours pays where λ is large, larger blocks later; at λ = 0.25, where all is known anyway, it only blurs."
    )
    with st.expander("How it is measured"):
        st.markdown(
            "Mean squared error of the picture's brightness after a Gaussian low-pass, averaged over samples evenly "
            "spaced in j; where a sample says nothing, 1/2 is taken. To add up the colours of a pixel blurs nothing: "
            "it costs the colour, which the error does not count. All under the offsets “r2”. The paper splits every "
            "value by itself."
        )


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
