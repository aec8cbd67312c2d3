"""Splitting noise: an image becomes N exact, quantized views of itself.

Shape legend: B samples, C channels, H rows, W columns, N levels.

Everything here is integer arithmetic in half pixel steps. An 8-bit pixel k sits at K = 2k; the split that sample j
lays over it at S = 2*((v + j) mod N) + 1, an odd number, so a pixel never lies on a split. Splits repeat every 2N half
steps. The sample keeps only *between which two splits* the pixel lies, and represents that interval, clipped to the
pixel range [0, 2q], by its middle M / (4q). (Levine & Feizi 2021, section 4 and appendix; here for every lambda.)

Moving one pixel by one step crosses exactly one split, so it changes exactly one of the N samples.

Splits may be laid over *blocks* of pixels instead: the values of a block are added up, and their sum, on 0..m*q for m
of them, is split as a pixel is, with the same N (`Block`). Blocks do not overlap, so one step of one pixel moves one
sum by one step, and again changes exactly one of the N samples. Detail inside the block is given up. In return a split
falls on the scale of the sum in m*q of the N samples (in all of them, if N is less), on that of one pixel only in q.
"""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from .checks import Shape, check_seed, check_shape
from .constants import PIXEL_STEPS, NoiseLevel, check_levels
from .images import check_image
from .offsets import OFFSET_SCHEMES, make_offsets

DENOMINATOR = 4 * PIXEL_STEPS
"""Sample values are integers M in 0..4q divided by this."""

INTEGER_DTYPES = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)

Place = tuple[int, int, int]

Block = tuple[int, int, int]
"""(channels, rows, columns) of pixels that are added up before they are split; (1, 1, 1) is the paper's method."""

PIXELWISE: Block = (1, 1, 1)
MAX_BLOCK = 32
"""Values of a block, colour channels counted each; with more of them int16 would not hold C."""


def split_numerators(
    values: Tensor, offsets: Tensor, indices: Tensor, levels: Tensor | int, block_size: int = 1
) -> Tensor:
    """The exact sample values M, for any arguments that broadcast together.

    values: integers, sums of m = `block_size` pixel values each, so in 0..m*q. offsets, indices: integers in 0..N-1.
    levels: N, one for all or one a row. Returns int16 values in 0..4mq. Equation: with C the smallest split above the
    value, M = min(C, 2mq) + max(C - 2N, 0). Arguments are trusted; `SplitNoise` checks them.
    """
    # All fits int16 for N <= 8192, m <= 32: (2N - 1) + 2(N - 1) <= 32765; then C < 2mq + 2N <= 32704, M < 4mq <= 32640.
    top = 2 * PIXEL_STEPS * block_size
    period = 2 * (levels.to(torch.int16) if isinstance(levels, Tensor) else levels)
    position = values.to(torch.int16) * 2
    distance = torch.remainder(offsets.to(torch.int16) * 2 + 1 - position, period)  # to sample 0's split above
    above = distance + indices.to(torch.int16) * 2
    above = torch.where(above >= period, above - period, above).add_(position)  # C
    return (above - period).clamp_(min=0).add_(above.clamp_(max=top))


@dataclass(frozen=True)
class PixelSample:
    """One pixel's part in one sample: every quantity of the equation, as integers in half steps.

    position: K = 2k. split: S. above: C, the smallest split above the pixel. low, high: the interval between the splits
    around the pixel, clipped to 0..2q. splits: all splits in 0..2q, ascending.
    """

    position: int
    split: int
    above: int
    low: int
    high: int
    splits: tuple[int, ...]

    @property
    def numerator(self) -> int:
        """M = low + high in 0..4q."""
        return self.low + self.high


def pixel_sample(pixel: int, offset: int, index: int, levels: int) -> PixelSample:
    """The arithmetic of `split_numerators` for one pixel 0..q, offset and index 0..N-1, spelt out for readers."""
    top, period = 2 * PIXEL_STEPS, 2 * levels
    position, split = 2 * pixel, 2 * ((offset + index) % levels) + 1
    above = position + (split - position) % period
    low, high = max(above - period, 0), min(above, top)
    return PixelSample(position, split, above, low, high, tuple(range(split, top, period)))


def samples_from_numerators(numerators: Tensor, block_size: int = 1) -> Tensor:
    """float32 samples x_tilde = M/(4mq) in [0, 1], m = `block_size`: a division, whose bits differ from a product's."""
    return numerators.float() / (DENOMINATOR * block_size)


# --- Blocks of pixels ---------------------------------------------------------------------------------------------


def check_block(block: Iterable[int], shape: Shape) -> Block:
    """The block as three integers; ValueError unless it divides images of `shape` evenly and has at most 32 values."""
    sizes = check_shape(block, "block")
    if any(size % part for size, part in zip(shape, sizes, strict=True)):
        raise ValueError(f"blocks of {sizes} (channels, rows, columns) do not divide images of shape {shape} evenly")
    if math.prod(sizes) > MAX_BLOCK:
        raise ValueError(
            f"a block may have at most {MAX_BLOCK} values (channels x rows x columns), {sizes} has {math.prod(sizes)}"
        )
    return sizes


def block_grid(shape: Shape, block: Block) -> Shape:
    """How many blocks there are along each axis of an image of `shape`: the shape of the offsets."""
    return shape[0] // block[0], shape[1] // block[1], shape[2] // block[2]


def block_sums(values: Tensor, block: Block) -> Tensor:
    """(..., C/c, H/h, W/w): the sum of every block of (..., C, H, W), int16 of uint8 and otherwise of the same type."""
    dtype = torch.int16 if values.dtype == torch.uint8 else values.dtype
    if block == PIXELWISE:
        return values.to(dtype)
    parts = [part for size, of in zip(values.shape[-3:], block, strict=True) for part in (size // of, of)]
    return values.reshape(*values.shape[:-3], *parts).sum(dim=(-5, -3, -1), dtype=dtype)


def over_blocks(values: Tensor, block: Block) -> Tensor:
    """(..., C, H, W) from (..., C/c, H/h, W/w): every pixel gets its block's value."""
    for axis, size in zip((-3, -2, -1), block, strict=True):
        if size > 1:
            values = values.repeat_interleave(size, dim=axis)
    return values


class SplitNoise(NoiseLevel):
    """The N samples of DSSN for images of one shape: fixed levels, fixed offsets, no randomness left.

    levels: N in 2..8192. shape: (C, H, W). offsets: a scheme name from `OFFSET_SCHEMES`, or an integer tensor with
    values in 0..N-1, one for every block: (C, H, W) where each pixel is one. seed: of the schemes that draw
    (0..2^32-1). block: the pixels that are split together. ValueError says what is wrong.

    Guarantee: two images that differ by one step in one pixel have exactly one differing sample among the N, so
    images at L1 distance R steps have at most R differing samples (DSSN, Levine & Feizi 2021).
    """

    def __init__(
        self,
        levels: int,
        shape: tuple[int, ...],
        offsets: str | Tensor = "r2",
        seed: int = 0,
        block: Iterable[int] = PIXELWISE,
    ) -> None:
        self.levels = check_levels(levels)
        self.shape = check_shape(shape)
        self.block = check_block(block, self.shape)
        self.grid = block_grid(self.shape, self.block)
        self.seed = check_seed(seed)
        if isinstance(offsets, str):
            self.scheme = offsets
            self.offsets = make_offsets(offsets, self.grid, self.levels, self.seed)
        else:
            self.scheme = "custom"
            self.offsets = self._checked_offsets(offsets)

    def _checked_offsets(self, offsets: Tensor) -> Tensor:
        if not isinstance(offsets, Tensor) or offsets.dtype not in INTEGER_DTYPES:
            found = offsets.dtype if isinstance(offsets, Tensor) else type(offsets).__name__
            known = ", ".join(OFFSET_SCHEMES)
            raise ValueError(f"offsets must be a scheme name ({known}) or an integer tensor, got {found}")
        if tuple(offsets.shape) != self.grid:
            raise ValueError(f"offsets must have shape {self.grid}, got {tuple(offsets.shape)}")
        low, high = int(offsets.min()), int(offsets.max())
        if low < 0 or high >= self.levels:
            raise ValueError(f"offsets must lie in 0..{self.levels - 1}, got {low}..{high}")
        return offsets.to(torch.int64).clone()

    def __repr__(self) -> str:
        block = "" if self.block == PIXELWISE else f", block={self.block}"
        return f"SplitNoise(levels={self.levels}, shape={self.shape}, offsets={self.scheme!r}, seed={self.seed}{block})"

    @property
    def block_size(self) -> int:
        """m, the values of a block: each colour channel of each of its pixels counts."""
        return math.prod(self.block)

    @property
    def known(self) -> Fraction:
        """The share of the samples in which a split falls on the scale of a block's sum: min(1, m*q / N)."""
        return min(Fraction(1), Fraction(self.block_size * PIXEL_STEPS, self.levels))

    @property
    def offsets_sha256(self) -> str:
        """SHA-256 of the offsets, one for every block, as little-endian int64, in (C, H, W) order.

        Where blocks are not single pixels, their three sizes follow, in the same way.
        """
        sizes = () if self.block == PIXELWISE else self.block
        numbers = np.append(self.offsets.numpy(), np.array(sizes, dtype=np.int64))
        return hashlib.sha256(numbers.astype("<i8").tobytes()).hexdigest()

    def numerators_at(self, image: Tensor, indices: Tensor) -> Tensor:
        """int16 (B, C, H, W): the exact M of the samples j in `indices`, an int64 (B,) tensor of values 0..N-1.

        Values in 0..4mq; all pixels of a block have the M of their sum.

        image: torch.uint8 (C, H, W); a float image is refused, since off-grid pixels would break the guarantee.
        """
        check_image(image, self.shape)
        if not isinstance(indices, Tensor) or indices.dtype != torch.int64 or indices.ndim != 1:
            raise ValueError("indices must be a one-dimensional torch.int64 tensor of sample indices")
        if len(indices):
            low, high = int(indices.min()), int(indices.max())
            if low < 0 or high >= self.levels:
                raise ValueError(f"indices must lie in 0..{self.levels - 1}, got {low}..{high}")
        return self.split(block_sums(image, self.block), indices)

    def split(self, sums: Tensor, indices: Tensor) -> Tensor:
        """int16 (B, C, H, W): M of the samples in `indices`, (B,), for the block sums (C/c, H/h, W/w) of an image.

        Or one sample each of B images, whose sums are (B, C/c, H/h, W/w). Arguments are trusted.
        """
        split = split_numerators(sums, self.offsets, indices[:, None, None, None], self.levels, self.block_size)
        return over_blocks(split, self.block)

    def of_block(self, place: Place) -> Place:
        """Where in the offsets the block of pixel (channel, row, column) has its own."""
        channel, row, column = (at // size for at, size in zip(place, self.block, strict=True))
        return channel, row, column

    def numerators(self, image: Tensor, start: int, stop: int) -> Tensor:
        """`numerators_at` for the samples start..stop-1: int16 (stop-start, C, H, W)."""
        if not 0 <= start <= stop <= self.levels:
            raise ValueError(f"start and stop must satisfy 0 <= start <= stop <= {self.levels}, got {start} and {stop}")
        return self.numerators_at(image, torch.arange(start, stop, device="cpu"))

    def samples_at(self, image: Tensor, indices: Tensor) -> Tensor:
        """float32 (B, C, H, W) samples in [0, 1], what the base classifier sees."""
        return samples_from_numerators(self.numerators_at(image, indices), self.block_size)

    def samples(self, image: Tensor, start: int, stop: int) -> Tensor:
        """`samples_at` for the samples start..stop-1."""
        return samples_from_numerators(self.numerators(image, start, stop), self.block_size)
