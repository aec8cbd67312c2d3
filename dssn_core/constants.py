"""The pixel grid and the noise parameters, which need neither tensors nor networks."""

import math
from typing import Protocol, SupportsIndex, TypeVar

from .checks import check_whole

PIXEL_STEPS = 255
"""q: an 8-bit pixel takes the values 0..q, and x = k/q lies in [0, 1]."""

DSSN = "dssn"
"""DSSN's name in manifests, records and options. It is the only exact method; the others are randomized."""

PLURALITY, DUELS = "plurality", "duels"
COUNTINGS = (PLURALITY, DUELS)
"""How DSSN's votes are counted: by first choices, as in the paper (`certificate`), or in pairs of classes (`duels`)."""

MIN_LEVELS, MAX_LEVELS = 2, 8192
"""Range of N, the number of split positions and of smoothing samples."""

T = TypeVar("T", covariant=True)


class Divisible(Protocol[T]):
    """A number, or a tensor of them."""

    def __truediv__(self, other: int, /) -> T: ...


def check_levels(levels: SupportsIndex) -> int:
    """Return `levels` as an int; ValueError unless it is an integer in 2..8192."""
    return check_whole("levels", levels, MIN_LEVELS, MAX_LEVELS)


def levels_from_lambda(lam: float) -> int:
    """N = floor(2*lambda*q), robust to the rounding of lambda = N/(2q). ValueError unless N is in 2..8192."""
    if not math.isfinite(2 * lam * PIXEL_STEPS):
        raise ValueError(f"lambda must be a finite number, got {lam!r}")
    levels = math.floor(2 * lam * PIXEL_STEPS + 1e-9)
    if not MIN_LEVELS <= levels <= MAX_LEVELS:
        low, high = lambda_from_levels(MIN_LEVELS), lambda_from_levels(MAX_LEVELS)
        raise ValueError(
            f"lambda = {lam:g} gives {levels:g} levels; they must be from {MIN_LEVELS} to {MAX_LEVELS} "
            f"(lambda from {low:.4f} to {high:.4f}, sigma from {low / math.sqrt(3):.4f} to {high / math.sqrt(3):.4f})"
        )
    return levels


def levels_from_sigma(sigma: float) -> int:
    """N for the standard deviation sigma = lambda/sqrt(3) of uniform noise on [-lambda, lambda].

    ValueError as for `levels_from_lambda`.
    """
    return levels_from_lambda(sigma * math.sqrt(3))


def lambda_from_levels(levels: Divisible[T]) -> T:
    """lambda = N/(2q); 2*lambda is the period of the split grid on the [0, 1] scale. Of one N, or a tensor of them."""
    return levels / (2 * PIXEL_STEPS)


def sigma_from_levels(levels: int) -> float:
    """sigma = lambda/sqrt(3)."""
    return lambda_from_levels(levels) / math.sqrt(3)


def largest_steps(levels: int) -> int:
    """floor(N/2), in steps: no certificate of N samples has a larger radius."""
    return levels // 2


def steps_needed(rho: float) -> float:
    """rho*q, less 1e-9: as many steps reach rho. The 1e-9 lets R steps reach R/255, which as a float is rounded."""
    return rho * PIXEL_STEPS - 1e-9


class NoiseLevel:
    """Whatever has `levels`, N, has the noise parameters that belong to it."""

    levels: int

    @property
    def lam(self) -> float:
        """lambda = N/(2q)."""
        return lambda_from_levels(self.levels)

    @property
    def sigma(self) -> float:
        """sigma = lambda/sqrt(3)."""
        return sigma_from_levels(self.levels)
