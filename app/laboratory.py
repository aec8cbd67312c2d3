"""What pages compute of pictures and noise without a network, each piece in its turn."""

from functools import partial

import numpy as np
import streamlit as st
from torch import Tensor

from app.pictures import HASHES, sample_image
from app.turns import picture_work
from dssn_core import SplitNoise
from dssn_core.checks import check_shape
from dssn_core.offsets import OFFSET_SCHEMES
from dssn_core.reconstruction import reconstruct, reconstruction_error
from dssn_core.splitting import Block, samples_from_numerators
from dssn_core.two_pixels import World


@st.cache_data(max_entries=64, show_spinner=False)
def plane(world: World) -> np.ndarray:
    """Votes for class 1 of every image of two pixels."""
    return picture_work(world.votes)


@st.cache_data(max_entries=2048, show_spinner=False, hash_funcs=HASHES)
def reconstruction_errors(image: Tensor, levels: int, block: Block) -> dict[str, float]:
    """Reconstruction error of a picture by offset scheme; of its brightness where colours are added up."""
    shape = check_shape(image.shape)

    def error(scheme: str) -> float:
        return reconstruction_error(image, SplitNoise(levels, shape, scheme, block=block), colours=block[0] == 1)

    # One after the other: between them others get their turn.
    return {scheme: picture_work(partial(error, scheme)) for scheme in OFFSET_SCHEMES}


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=HASHES)
def brightness_error(image: Tensor, levels: int, block: Block) -> float:
    """Reconstruction error of a picture's brightness, under the default offsets."""
    noise = SplitNoise(levels, check_shape(image.shape), block=block)
    return picture_work(lambda: reconstruction_error(image, noise, colours=False))


def sample_and_rebuilt(image: Tensor, noise: SplitNoise, index: int) -> list[Tensor]:
    """uint8 (C, H, W), for the screen: a sample of an image, and what a low-pass gets back from it."""
    numerators = noise.numerators(image, index, index + 1)
    rebuilt = picture_work(lambda: reconstruct(numerators, noise.levels, block_size=noise.block_size))
    return [sample_image(x[0]) for x in (samples_from_numerators(numerators, noise.block_size), rebuilt)]
