"""How the N samples of a vote are cut into chunks, a pure function of N and the batch size.

Kernels choose their arithmetic by tensor shape, so all chunks of a vote have one shape, and the last one is padded.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from .checks import check_whole
from .constants import check_levels

BATCH_SIZE, CHUNK_VALUES = 64, 2**21
"""A chunk has at most so many rows, and so many sample values: larger ones are no faster, and report later."""


def fitting_batch_size(shape: tuple[int, ...]) -> int:
    """The rows of a chunk where none are asked for: 64, and fewer for images (C, H, W) that are large."""
    return max(1, min(BATCH_SIZE, CHUNK_VALUES // math.prod(shape)))


@dataclass(frozen=True)
class ChunkLayout:
    """How N samples are cut: `chunks` equal chunks of `rows` rows; the last one is padded."""

    levels: int
    chunks: int
    rows: int

    @staticmethod
    def of(levels: int, batch_size: int) -> "ChunkLayout":
        chunks = -(-check_levels(levels) // check_whole("batch_size", batch_size))
        return ChunkLayout(levels, chunks, -(-levels // chunks))

    @staticmethod
    def for_images(levels: int, shape: tuple[int, ...], batch_size: int | None = None) -> "ChunkLayout":
        """The layout with at most `batch_size` rows; by default as many as fit images of this shape, (C, H, W)."""
        return ChunkLayout.of(levels, fitting_batch_size(shape) if batch_size is None else batch_size)

    @property
    def passes(self) -> int:
        """Network passes in all, those of the padding too."""
        return self.chunks * self.rows

    def indices(self, chunk: int) -> Tensor:
        """int64 (rows,) sample indices of a chunk, filled up with the first of all; only its `real_rows` count."""
        places = torch.arange(chunk * self.rows, (chunk + 1) * self.rows, device="cpu")
        return _order(self.levels)[places % self.levels]

    def real_rows(self, chunk: int) -> int:
        return min(self.rows, self.levels - chunk * self.rows)

    def place_of(self, index: int) -> tuple[int, int]:
        """The chunk of a sample, and its row there."""
        return divmod(int(torch.nonzero(_order(self.levels) == index)), self.rows)


@lru_cache(maxsize=16)
def _order(levels: int) -> Tensor:
    """int64 (N,): 0..N-1 in the order of the golden sequence's first N points, so spread evenly from the first few."""
    points = torch.arange(levels, device="cpu") * 2654435769 % 2**32  # 2^32 / golden ratio: all different
    return points.argsort().argsort()
