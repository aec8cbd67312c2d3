"""The randomized neighbours of DSSN: how their samples are drawn.

Both take an 8-bit image on the [0, 1] scale, x = k/q, and the same noise parameter lambda. Draws are keyed by
(seed, stage, chunk), so that any chunk can be drawn again without the ones before it. Images of one shape share the
draws of a seed: each certificate's alpha holds, but failures of different images are not independent.

Shape legend: C, H, W image.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .checks import check_choice, check_seed
from .constants import PIXEL_STEPS
from .images import check_image

STAGES = {"preview": 0, "selection": 1, "estimation": 2}
"""Purposes of draws; different stages of one seed are independent of each other."""


def _uniform_draws(image: Tensor, count: int, seed: int, stage: str, chunk: int) -> Tensor:
    """float64 (count, C, H, W), uniform on [0, 1)."""
    check_image(image)
    check_choice("stage", stage, STAGES)
    if count < 0 or chunk < 0:
        raise ValueError(f"count and chunk must not be negative, got {count} and {chunk}")
    generator = np.random.default_rng(np.random.SeedSequence((check_seed(seed), STAGES[stage], chunk)))
    return torch.from_numpy(generator.random((count, *image.shape)))


def check_lambda(lam: float) -> float:
    """The lambda itself; ValueError unless it is a positive number."""
    if not 0 < lam < float("inf"):
        raise ValueError(f"lambda must be a positive number, got {lam!r}")
    return lam


def add_uniform(pixels: Tensor, lam: Tensor | float, draws: Tensor) -> Tensor:
    """x + U[-lambda, lambda], not clipped, of pixels x = k/q and `draws` uniform on [0, 1); all broadcast together.

    (Lee et al. 2019; Yang et al. 2020.)
    """
    return pixels + lam * (2 * draws - 1)


def split_independently(pixels: Tensor, lam: Tensor | float, draws: Tensor) -> Tensor:
    """SSN's sample of pixels x = k/q: the middle of the interval between two splits that holds x, cut off at 0 and 1.

    The splits of a pixel lie at s + 2*lambda*z with s = 2*lambda*draw (SSN, Levine & Feizi 2021).
    """
    period = 2 * lam
    above = pixels + torch.remainder(draws * period - pixels, period)
    return (above.clamp(max=1) + (above - period).clamp(min=0)) / 2


Kernel = Callable[[Tensor, Tensor | float, Tensor], Tensor]
"""(pixels x = k/q, lambda, draws uniform on [0, 1)) -> samples; all broadcast together."""


@dataclass(frozen=True)
class Neighbour:
    """A randomized method. title: its name in the literature. kernel: how a sample is made."""

    title: str
    kernel: Kernel

    def samples(
        self, image: Tensor, lam: float, count: int, *, seed: int, stage: str = "preview", chunk: int = 0
    ) -> Tensor:
        """float32 (count, C, H, W) samples of an image, torch.uint8 (C, H, W)."""
        draws = _uniform_draws(image, count, seed, stage, chunk)
        return self.kernel(image.double() / PIXEL_STEPS, check_lambda(lam), draws).float()


NEIGHBOURS: dict[str, Neighbour] = {
    "uniform": Neighbour("additive uniform", add_uniform),
    "ssn": Neighbour("independent splits (SSN)", split_independently),
}
"""The randomized methods that DSSN is compared with, by the noise that their base classifiers are trained on."""
