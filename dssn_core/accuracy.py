"""What records add up to: certified accuracy, with its interval.

Certified accuracy at rho: the share of images that are classified right with a certified radius of at least rho.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .constants import PIXEL_STEPS, largest_steps, steps_needed
from .records import Record
from .wording import rounded_down, rounded_up

CURVE_RHOS = tuple(step / 20 for step in range(0, 121))
"""The radii of curves, among them those of all tables."""

SMALL_RADII = (0.1, 0.25)
"""Radii below the smallest multiple of a half, where the results on ImageNet lie."""


@dataclass(frozen=True)
class Share:
    """`count` of `images`, with the 95 % Wilson interval of the share behind it."""

    count: int
    images: int

    @property
    def share(self) -> float:
        return self.count / self.images

    @property
    def percent(self) -> float:
        """The share in percent, to hundredths, never more than it is."""
        return 10_000 * self.count // self.images / 100

    @cached_property
    def interval(self) -> tuple[float, float]:
        from scipy.stats import binomtest  # takes a second to import, which most commands and pages need not wait for

        # The interval is the same whatever is tested, and testing the share itself takes no search for a p-value.
        bounds = binomtest(self.count, self.images, self.share).proportion_ci(method="wilson")
        return float(bounds.low), float(bounds.high)

    @property
    def percent_interval(self) -> tuple[float, float]:
        """The interval in percent, to hundredths, never narrower than it is."""
        low, high = self.interval
        return float(rounded_down(100 * low, 2)), float(rounded_up(100 * high, 2))

    def to_json(self) -> dict[str, Any]:
        ends = [round(end / 100, 4) for end in self.percent_interval]
        return {"count": self.count, "images": self.images, "interval_95": ends}

    def __str__(self) -> str:
        low, high = self.percent_interval
        interval = f"95 % interval {low:.2f} to {high:.2f}"
        return f"{self.percent:.2f} % ({self.count:,} of {self.images:,}; {interval})"


def certified_steps(records: Sequence[Record]) -> np.ndarray:
    """float64 (n,): each record's certified radius in steps if it is right, -1 if it is wrong or abstains.

    An abstention is never right (as in the literature on randomized smoothing).
    """
    steps = (record.radius_in_steps if record.right else None for record in records)
    return np.array([-1.0 if radius is None else radius for radius in steps])


def certified_curve(records: Sequence[Record], rhos: Sequence[float]) -> list[Share]:
    """How many of the records are right with a certified radius of rho or more, for every rho.

    rho = 0 gives plain accuracy, of a randomized method less its abstentions.
    """
    if not records:
        raise ValueError("there are no records to summarize")
    enough = certified_steps(records) >= np.array([steps_needed(rho) for rho in rhos])[:, None]
    return [Share(int(count), len(records)) for count in enough.sum(axis=1)]


def radius_grid(records: Sequence[Record]) -> list[float]:
    """0, 0.1, 0.25, 0.5, 1, 1.5 ... up to the largest radius the records' levels allow."""
    steps = largest_steps(max(record.levels for record in records))
    halves = (half / 2 for half in range(1, 2 * steps // PIXEL_STEPS + 1))
    return [rho for rho in (0.0, *SMALL_RADII, *halves) if steps >= steps_needed(rho)]


def summary(records: Sequence[Record], rhos: Sequence[float] | None = None) -> dict[str, Share]:
    """Certified accuracy by rho, as text; at the radii of `radius_grid` if none are asked for."""
    grid = radius_grid(records) if rhos is None else rhos
    return {f"{rho:g}": share for rho, share in zip(grid, certified_curve(records, grid), strict=True)}


@dataclass(frozen=True)
class Gain:
    """How many steps larger one certified radius is than that of `rival`, of the same image; both answers are right."""

    steps: float
    rival: Record


def gains(records: Sequence[Record], rivals: Sequence[Record]) -> dict[int, Gain]:
    """By data set index, of the images that have a record in both, with the right class in both.

    An abstention counts as a radius of zero, whatever class was chosen before it.
    """
    others = {(rival.index, rival.image_sha256): rival for rival in rivals if rival.right}
    pairs = [(record, others.get((record.index, record.image_sha256))) for record in records if record.right]
    return {
        record.index: Gain((record.radius_in_steps or 0) - (rival.radius_in_steps or 0), rival)
        for record, rival in pairs
        if rival is not None
    }
