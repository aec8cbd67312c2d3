"""The world of all images of two pixels: small enough to see the theorem whole.

Shape legend: a plane is (256, 256), first axis the second pixel k2 (upwards on screen), second axis the first pixel k1.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .certificate import certificate_from_votes
from .checks import check_choice
from .constants import PIXEL_STEPS
from .splitting import SplitNoise, samples_from_numerators, split_numerators

SHAPE = (1, 1, 2)


@dataclass(frozen=True)
class Boundary:
    """Where a toy base classifier changes its mind. angle: in degrees. position: along the direction of the angle, from
    the middle of the plane, in units of the [0, 1] scale."""

    angle: int = 30
    position: float = 0.0


@dataclass(frozen=True)
class Point:
    """An image of two pixels, by their grey levels k1 and k2. The page opens with the defaults."""

    first: int = 60
    second: int = 90

    def distance(self, other: "Point") -> int:
        """In L1, in grey levels."""
        return abs(self.first - other.first) + abs(self.second - other.second)


@dataclass(frozen=True)
class World:
    """A toy base classifier, N, and an offset scheme. The page opens with the defaults."""

    toy: str = "straight line"
    boundary: Boundary = field(default_factory=Boundary)
    levels: int = 200
    scheme: str = "r2"

    def votes(self) -> np.ndarray:
        """int64 (256, 256): for every image the votes for class 1."""
        return plane_votes(SplitNoise(self.levels, SHAPE, self.scheme), self.toy, self.boundary)

    def found(self, votes: np.ndarray, image: Point) -> "Found":
        """What the votes of all images say of one of them."""
        ones = int(votes[image.second, image.first])
        radius = certificate_from_votes((self.levels - ones, ones), self.levels).radius_steps
        return Found(image, ones, radius, nearest_other(votes, self.levels, image))


@dataclass(frozen=True)
class Found:
    """An image, its votes for class 1, its R, and the nearest image of the other class; None if there is none."""

    image: Point
    ones: int
    radius: int
    other: Point | None


def _along(x: Tensor, y: Tensor, boundary: Boundary) -> tuple[Tensor, Tensor]:
    """Coordinates along and across the boundary's direction, from the middle of the plane."""
    turn = math.radians(boundary.angle)
    x, y = x - 0.5, y - 0.5
    return x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)


def _line(x: Tensor, y: Tensor, boundary: Boundary) -> Tensor:
    return _along(x, y, boundary)[0] > boundary.position


def _disc(x: Tensor, y: Tensor, boundary: Boundary) -> Tensor:
    along, across = _along(x, y, boundary)
    return (along - boundary.position) ** 2 + across**2 < 0.09  # a smaller one no image sees at the N of the page


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
    pixels = torch.arange(PIXEL_STEPS + 1, dtype=torch.uint8)
    indices = torch.arange(noise.levels)[:, None]
    first, second = (
        samples_from_numerators(split_numerators(pixels, offset, indices, noise.levels))
        for offset in noise.offsets.flatten()
    )
    return first, second


def _run_starts(values: Tensor) -> Tensor:
    """Where a (256,) row takes a new value, its first place included."""
    return torch.cat([torch.zeros(1, dtype=torch.int64), torch.nonzero(values.diff()).flatten() + 1])


def plane_votes(noise: SplitNoise, toy: str, boundary: Boundary) -> np.ndarray:
    """int64 (256, 256): for every image of two pixels the votes for class 1 of the toy base classifier `toy`."""
    check_choice("toy classifier", toy, TOYS)
    # A sample is the same for whole blocks of images, so its vote changes at few places: count the changes, then sum.
    changes = torch.zeros(PIXEL_STEPS + 1, PIXEL_STEPS + 1, dtype=torch.int64)
    for x, y in zip(*pixel_tables(noise), strict=True):
        columns, rows = _run_starts(x), _run_starts(y)
        votes = TOYS[toy](x[columns][None, :], y[rows][:, None], boundary).long()
        steps = torch.diff(torch.diff(F.pad(votes, (1, 0, 1, 0)), dim=0), dim=1)
        changes[rows[:, None], columns[None, :]] += steps
    counts: np.ndarray = changes.cumsum(0).cumsum(1).numpy()
    return counts


def nearest_other(votes: np.ndarray, levels: int, image: Point) -> Point | None:
    """The nearest image of another class than this one, by looking at all; None if there is none."""
    label = votes * 2 > levels
    rows, columns = np.nonzero(label != label[image.second, image.first])
    if not len(rows):
        return None
    best = int((np.abs(rows - image.second) + np.abs(columns - image.first)).argmin())
    return Point(int(columns[best]), int(rows[best]))
