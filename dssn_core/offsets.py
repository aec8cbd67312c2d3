"""Offsets: where the splits of each pixel begin. Any fixed ones are sound; some keep more of a picture than others.

Shape legend: C channels, H rows, W columns, N levels. A scheme gives 32-bit fractions u that do not depend on N; the
offsets are v = (u*N) >> 32.
"""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from .checks import Shape, check_choice, check_seed, check_shape


def _channel_shift(shape: Shape) -> np.ndarray:
    return (np.arange(shape[0], dtype=np.int64) * 2**32 // shape[0])[:, None, None]


def _tiled(ranks: np.ndarray, shape: Shape) -> np.ndarray:
    """A square tile of ranks 0..n*n-1, repeated over the picture, its channels shifted against each other."""
    _, height, width = shape
    side = len(ranks)
    tile = ranks.astype(np.int64) * (2**32 // ranks.size)
    plane = tile[np.arange(height)[:, None] % side, np.arange(width)[None, :] % side]
    shifted: np.ndarray = (plane[None] + _channel_shift(shape)) % 2**32
    return shifted


def _r2_fractions(shape: Shape, seed: int) -> np.ndarray:
    """An evenly spread lattice with the slopes 1/p and 1/p^2 of the plastic number p (Roberts' R2 sequence)."""
    _, height, width = shape
    rows = 2447445414 * np.arange(height, dtype=np.int64)[:, None]
    columns = 3242174889 * np.arange(width, dtype=np.int64)[None, :]
    fractions: np.ndarray = (rows + columns + _channel_shift(shape)) % 2**32
    return fractions


def _bayer_fractions(shape: Shape, seed: int) -> np.ndarray:
    matrix = np.zeros((1, 1), dtype=np.int64)
    while len(matrix) < 16:
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    return _tiled(matrix, shape)


@lru_cache(maxsize=4)
def _void_and_cluster(seed: int) -> np.ndarray:
    """Ranks 0..4095 of a 64 x 64 blue-noise dither tile (Ulichney 1993, "The void-and-cluster method")."""
    side, sigma = 64, 1.9
    distance = np.minimum(np.arange(side), side - np.arange(side)) ** 2
    bump = np.exp(-(distance[:, None] + distance[None, :]) / (2 * sigma**2))
    bump = np.round(bump * 2**30) / 2**30  # the sums are exact, whatever the last bit of exp is on this machine
    doubled = np.tile(bump, (2, 2))  # a window of it is the bump moved to any centre, around the torus

    def energy_of(cell: int) -> np.ndarray:
        y, x = divmod(cell, side)
        return doubled[side - y : 2 * side - y, side - x : 2 * side - x].ravel()

    filled = np.zeros(side * side, dtype=bool)
    filled[np.random.RandomState(seed).permutation(side * side)[: side * side // 10]] = True
    energy = np.sum([energy_of(cell) for cell in np.flatnonzero(filled).tolist()], axis=0)

    def tightest_cluster() -> int:
        return int(np.argmax(np.where(filled, energy, -np.inf)))

    def largest_void() -> int:
        return int(np.argmin(np.where(filled, np.inf, energy)))

    def put(cell: int, value: bool) -> None:
        nonlocal energy
        filled[cell] = value
        energy = energy + energy_of(cell) if value else energy - energy_of(cell)

    while True:  # spread the initial points until the tightest one is already in the largest void
        cluster = tightest_cluster()
        put(cluster, False)
        void = largest_void()
        put(void, True)
        if void == cluster:
            break

    ranks = np.zeros(side * side, dtype=np.int64)
    start, start_energy = filled.copy(), energy.copy()
    for rank in reversed(range(int(start.sum()))):
        cell = tightest_cluster()
        ranks[cell] = rank
        put(cell, False)
    filled, energy = start, start_energy
    for rank in range(int(start.sum()), side * side):
        cell = largest_void()
        ranks[cell] = rank
        put(cell, True)
    return ranks.reshape(side, side)


def _blue_fractions(shape: Shape, seed: int) -> np.ndarray:
    return _tiled(_void_and_cluster(seed), shape)


def _white_fractions(shape: Shape, seed: int) -> np.ndarray:
    return np.random.RandomState(seed).randint(0, 2**32, size=shape, dtype=np.int64)


def _equal_fractions(shape: Shape, seed: int) -> np.ndarray:
    """The same offset everywhere, for comparison: of these schemes it keeps the least of a picture."""
    return np.zeros(shape, dtype=np.int64)


FRACTIONS: dict[str, Callable[[Shape, int], np.ndarray]] = {
    "r2": _r2_fractions,
    "blue": _blue_fractions,
    "bayer": _bayer_fractions,
    "white": _white_fractions,
    "equal": _equal_fractions,
}

OFFSET_SCHEMES = (*FRACTIONS, "reference")
"""The named offset schemes. `reference` is the paper's own draw, which depends on N."""


def offset_fractions(scheme: str, shape: tuple[int, ...], seed: int = 0) -> Tensor:
    """int64 (C, H, W) fractions u in 0..2^32-1 of a scheme, so that v = (u*N) >> 32 serves every N."""
    check_choice("scheme of offset fractions", scheme, FRACTIONS)
    return torch.from_numpy(FRACTIONS[scheme](check_shape(shape), check_seed(seed)))


def offsets_at(fractions: Tensor, levels: Tensor | int) -> Tensor:
    """v = (u*N) >> 32: int64 offsets in 0..N-1."""
    return (fractions * levels) >> 32


def make_offsets(scheme: str, shape: tuple[int, ...], levels: int, seed: int = 0) -> Tensor:
    """int64 (C, H, W) offsets in 0..N-1 of a named scheme. Any fixed offsets are sound: a step crosses one split."""
    if scheme == "reference":
        drawn = np.random.RandomState(check_seed(seed)).randint(levels, size=math.prod(check_shape(shape)))
        return torch.from_numpy(drawn.astype(np.int64).reshape(shape))
    check_choice("offset scheme", scheme, OFFSET_SCHEMES)
    return offsets_at(offset_fractions(scheme, shape, seed), levels)
