"""Certificates that survive another machine's rounding.

The same network on another machine, with other kernels, gives slightly other logits, and where two of a sample are
close it may rank them differently. A strict certificate counts a sample for a class only where its logit is more than
`gap` ahead: of all others, or by duels of the other class of the duel. The rest may go either way, and the radius is
what holds whichever.

Guarantee: on every machine whose logits of a sample differ from those computed here by less than gap/2, every sample
that is counted here is counted so there, and the label is certified within the strict radius there too. That the logits
stay within gap/2 is the assumption; `agreement` measures how far they move between the settings of one machine.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .certificate import Certificate, RadiusBounds
from .counts import Counts

GAPS = (1e-4, 1e-3, 1e-2, 0.1, 0.25, 1.0)
"""Gaps of strict certificates whose price is told."""


def check_gap(gap: float) -> float:
    """The gap itself, in logits: twice the error that a certificate is to survive."""
    if not 0 < gap < float("inf"):
        raise ValueError(f"the gap must be a positive number, got {gap}")
    return gap


@dataclass(frozen=True)
class StrictCertificate:
    """votes: first choices of the samples that are sure of them. bounds: of the radius. gap: see the module."""

    levels: int
    gap: float
    votes: tuple[int, ...]
    bounds: RadiusBounds

    @property
    def undecided(self) -> int:
        """How many samples are not sure of their first choice."""
        return self.levels - sum(self.votes)

    @property
    def label(self) -> int | None:
        """The certain winner; None if the samples that are not sure could make another class win."""
        return self.bounds.label if self.bounds.final else None

    @property
    def radius_steps(self) -> int | None:
        """The radius in steps of 1/255 that holds whichever way they go; None without a label."""
        return None if self.label is None else self.bounds.lower


def certified(logits: np.ndarray, counting: str) -> Certificate:
    """The plain certificate of all samples' logits, float32 (N, K), counted in one of `COUNTINGS`."""
    return Counts.of(logits, counting).certificate(len(logits))


def strictly(logits: np.ndarray, gap: float, counting: str) -> StrictCertificate:
    """The strict certificate of all samples' logits, float32 (N, K), counted in one of `COUNTINGS`.

    ValueError for a gap that is not positive.
    """
    check_gap(gap)
    levels, sure = len(logits), Counts.of(logits, counting, gap)
    return StrictCertificate(levels, gap, tuple(sure.votes.tolist()), sure.bounds(levels))


@dataclass(frozen=True)
class Price:
    """What strictness costs. gap: see the module. undecided: of `votes`. lost: images of `images` without a strict
    certificate. steps: the radii of all images together, plain and strict (a lost one counts 0)."""

    gap: float
    undecided: int
    votes: int
    lost: int
    images: int
    steps: tuple[int, int]

    def __str__(self) -> str:
        plain, strict = self.steps
        return (
            f"strict at a gap of {self.gap:g}: {self.undecided:,} of {self.votes:,} votes undecided, {self.lost} of "
            f"{self.images} certificates lost, radii {plain:,} -> {strict:,} grey levels in all"
        )


def prices(reference: Sequence[np.ndarray], counting: str) -> Iterator[Price]:
    """The price of a strict certificate at each of `GAPS`, summed over images whose logits, each (N, K), these are."""
    levels = len(reference[0])
    plain = [certified(logits, counting) for logits in reference]
    for gap in GAPS:
        strict = [strictly(logits, gap, counting) for logits in reference]
        yield Price(
            gap=gap,
            undecided=sum(one.undecided for one in strict),
            votes=levels * len(reference),
            lost=sum(one.label is None for one in strict),
            images=len(reference),
            steps=(sum(one.radius_steps for one in plain), sum(one.radius_steps or 0 for one in strict)),
        )
