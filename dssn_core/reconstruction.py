"""How much of a picture one sample keeps: the error of a fixed low-pass reconstruction.

Averaged over j, a pixel's sample value is an increasing function of the pixel, so a neighbourhood's average tells the
neighbourhood's brightness: a DSSN sample is an ordered dither of the picture. The more evenly the offsets are spread,
the smaller the area that is needed for it.
"""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from .constants import PIXEL_STEPS
from .splitting import SplitNoise, samples_from_numerators, split_numerators

BLUR = 1.5
"""Standard deviation of the Gaussian low-pass, in pixels."""

NEAR = 1e-6
"""Total weight of the values that say something nearby, below which there are none; a pixel itself has weight 1."""

SAMPLES = 16
"""How many samples of a picture an error is the mean of."""


def _blurring(size: int) -> Tensor:
    """float32 (size, size): the matrix that blurs a row of pixels, with nothing beyond the ends."""
    place = torch.arange(size, dtype=torch.float32)
    return torch.exp(-((place[:, None] - place) ** 2) / (2 * BLUR**2))


def _low_pass(planes: Tensor) -> Tensor:
    """Separable Gaussian of (B, C, H, W) planes, up to a common factor."""
    height, width = planes.shape[-2:]
    return _blurring(height) @ planes @ _blurring(width)


def _informative(numerators: Tensor, levels: int, block_size: int) -> Tensor:
    """Where a value says something: for N >= m*q, M of 1/2 says that the sum of the m values may be anything."""
    if levels < PIXEL_STEPS * block_size:
        return torch.ones_like(numerators, dtype=torch.bool)
    return numerators != 2 * PIXEL_STEPS * block_size


@lru_cache(maxsize=64)
def mean_response(levels: int, block_size: int = 1) -> Tensor:
    """float32 (mq + 1,): for every sum of m values the mean, over the informative of the N samples, of the value."""
    sums = torch.arange(block_size * PIXEL_STEPS + 1, dtype=torch.int16)
    numerators = split_numerators(sums, torch.tensor(0), torch.arange(levels)[:, None], levels, block_size)
    weights = _informative(numerators, levels, block_size).float()
    return (samples_from_numerators(numerators, block_size) * weights).sum(0) / weights.sum(0)


def reconstruct(numerators: Tensor, levels: int, block_size: int = 1) -> Tensor:
    """float32 (B, C, H, W) pictures in [0, 1] from int16 sample values M of the same shape; block_size: m.

    A normalized low-pass over the informative values, then the inverse of `mean_response`; 1/2 where none is near.
    """
    weights = _informative(numerators, levels, block_size).float()
    near = _low_pass(weights)
    average = _low_pass(samples_from_numerators(numerators, block_size) * weights) / near.clamp(min=NEAR)
    response = mean_response(levels, block_size).numpy()
    values = np.linspace(0, 1, len(response))
    rebuilt = torch.from_numpy(np.interp(average.numpy(), response, values).astype(np.float32))
    return torch.where(near > NEAR, rebuilt, 0.5)


def reconstruction_error(image: Tensor, noise: SplitNoise, colours: bool = True) -> float:
    """Mean squared error of the reconstructions of `SAMPLES` samples, evenly spaced in j; image: uint8 (C, H, W).

    colours: of every channel; else of the mean of the channels, the brightness.
    """
    count = min(SAMPLES, noise.levels)
    indices = torch.arange(count) * noise.levels // count
    rebuilt = reconstruct(noise.numerators_at(image, indices), noise.levels, noise.block_size)
    wrong = rebuilt - image.float() / PIXEL_STEPS
    return float(((wrong if colours else wrong.mean(dim=1)) ** 2).mean())
