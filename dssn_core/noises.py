"""The noises that base classifiers are trained for: one sample of each image of a batch, each at its own lambda.

Shape legend: B batch, C, H, W image.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from .constants import DSSN, PIXEL_STEPS, lambda_from_levels
from .neighbours import NEIGHBOURS, Kernel
from .offsets import offsets_at
from .splitting import block_sums, over_blocks, samples_from_numerators, split_numerators

Sampler = Callable[[Tensor, Tensor, Tensor, torch.Generator], Tensor]


def dssn_samples(images: Tensor, levels: Tensor, fractions: Tensor, generator: torch.Generator) -> Tensor:
    """One DSSN sample of each image at its own N and a random index j: float32 (B, C, H, W).

    fractions: one for every block of pixels, or for every pixel; their shape tells the block.
    """
    levels = levels[:, None, None, None]
    indices = (torch.rand(levels.shape, generator=generator, dtype=torch.float64) * levels).long()
    channels, rows, columns = (whole // count for whole, count in zip(images.shape[1:], fractions.shape, strict=True))
    block, size = (channels, rows, columns), channels * rows * columns
    split = split_numerators(block_sums(images, block), offsets_at(fractions, levels), indices, levels, size)
    return over_blocks(samples_from_numerators(split, size), block)


def randomized_samples(kernel: Kernel) -> Sampler:
    """One sample of each image under a randomized neighbour of DSSN, which knows no offsets."""

    def samples(images: Tensor, levels: Tensor, fractions: Tensor, generator: torch.Generator) -> Tensor:
        lam = lambda_from_levels(levels.float()[:, None, None, None])
        return kernel(images.float() / PIXEL_STEPS, lam, torch.rand(images.shape, generator=generator))

    return samples


NOISES: dict[str, Sampler] = {
    DSSN: dssn_samples,
    **{name: randomized_samples(neighbour.kernel) for name, neighbour in NEIGHBOURS.items()},
}
"""Noise name to (images, levels, offset fractions, generator) -> samples."""
