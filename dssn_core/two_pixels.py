"""The world of all images of two pixels: small enough to see the theorem whole.

Shape legend: a plane is (256, 256), first axis the second pixel k2 (upwards on screen), second axis the first pixel k1.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .constants import PIXEL_STEPS
from .splitting import SplitNoise, samples_from_numerators

SHAPE = (1, 1, 2)


@dataclass(frozen=True)
class Boundary:
    """Where a toy base classifier changes its mind. angle: in degrees. position: along the direction of the angle, from
    the middle of the plane, in units of the [0, 1] scale."""

    angle: float = 30.0
    position: float = 0.0


def _along(x: Tensor, y: Tensor, boundary: Boundary) -> tuple[Tensor, Tensor]:
    """Coordinates along and across the boundary's direction, from the middle of the plane."""
    turn = math.radians(boundary.angle)
    x, y = x - 0.5, y - 0.5
    return x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)


def _line(x: Tensor, y: Tensor, boundary: Boundary) -> Tensor:
    return _along(x, y, boundary)[0] > boundary.position


def _disc(x: Tensor, y: Tensor, boundary: Boundary) -> Tensor:
    along, across = _along(x, y, boundary)
    return (along - boundary.position) ** 2 + across**2 < 0.04


def _wave(x: Tensor, y: Tensor, boundary: Boundary) -> Tensor:
    along, across = _along(x, y, boundary)
    return along > boundary.position + 0.12 * torch.sin(14 * across)


def _corner(x: Tensor, y: Tensor, boundary: Boundary) -> Tensor:
    along, across = _along(x, y, boundary)
    return torch.minimum(along, across) > boundary.position - 0.1


TOYS: dict[str, Callable[[Tensor, Tensor, Boundary], Tensor]] = {
    "straight line": _line,
    "wave": _wave,
    "corner": _corner,
    "disc": _disc,
}
"""Toy base classifiers: (first sample value, second, boundary) to whether the vote is for class 1."""


def pixel_tables(noise: SplitNoise) -> tuple[Tensor, Tensor]:
    """float32 (N, 256) sample values of the first and the second pixel, for every sample and every pixel value."""
    values = []
    for k in range(PIXEL_STEPS + 1):
        image = torch.full(SHAPE, k, dtype=torch.uint8)
        values.append(samples_from_numerators(noise.numerators(image, 0, noise.levels))[:, 0, 0])
    table = torch.stack(values, dim=1)  # (N, 256, 2)
    return table[:, :, 0], table[:, :, 1]


def plane_votes(noise: SplitNoise, toy: str, boundary: Boundary) -> np.ndarray:
    """int64 (256, 256): for every image of two pixels the votes for class 1 of the toy base classifier `toy`."""
    if toy not in TOYS:
        raise ValueError(f"unknown toy classifier {toy!r}; known: {', '.join(TOYS)}")
    first, second = pixel_tables(noise)
    votes = torch.zeros(PIXEL_STEPS + 1, PIXEL_STEPS + 1, dtype=torch.int64)
    for x, y in zip(first, second, strict=True):
        # A sample takes few values, so the classifier is asked once for each pair of them.
        columns, which_column = torch.unique(x, return_inverse=True)
        rows, which_row = torch.unique(y, return_inverse=True)
        votes += TOYS[toy](columns[None, :], rows[:, None], boundary)[which_row][:, which_column]
    counts: np.ndarray = votes.numpy()
    return counts


def plane_radii(votes: np.ndarray, levels: int) -> np.ndarray:
    """int64 (256, 256): certified radius of every image in steps; `Certificate` for two classes, for all at once."""
    ones, zeros = votes, levels - votes
    radii: np.ndarray = np.where(ones > zeros, (ones - zeros - 1) // 2, (zeros - ones) // 2)
    return radii


def nearest_other(votes: np.ndarray, levels: int, first: int, second: int) -> tuple[int, int, int] | None:
    """(distance in steps, k1, k2) of the nearest image of the other class, by looking at all; None if there is none."""
    label = votes * 2 > levels
    rows, columns = np.nonzero(label != label[second, first])
    if not len(rows):
        return None
    distances = np.abs(rows - second) + np.abs(columns - first)
    best = int(distances.argmin())
    return int(distances[best]), int(columns[best]), int(rows[best])
