"""What samples say of the classes, counted: their first choices, and by duels how each ranks every two of them."""

from dataclasses import dataclass

import numpy as np

from .certificate import Certificate, RadiusBounds, certificate_from_votes, radius_bounds
from .checks import check_choice
from .constants import COUNTINGS, DUELS
from .duels import certificate_from_duels, count_duels, duel_bounds


def undecided(logits: np.ndarray, gap: float) -> np.ndarray:
    """bool (B,): whether the two best of the logits, float32 (B, K), are at most `gap` apart.

    In double precision: its rounding keeps order, so that no lead of at most the gap is computed as a larger one.
    """
    second, best = np.partition(logits.astype(np.float64), -2, axis=1)[:, -2:].T
    close: np.ndarray = best - second <= gap
    return close


@dataclass(frozen=True)
class Counts:
    """votes: int64 (K,), first choices. duels: int32 (K, K), of `duels.count_duels`; None where they are not counted.

    Both are read-only.
    """

    votes: np.ndarray
    duels: np.ndarray | None = None

    def __post_init__(self) -> None:
        for array in (self.votes, self.duels):
            if array is not None:
                array.setflags(write=False)

    @staticmethod
    def of(logits: np.ndarray, counting: str, gap: float | None = None) -> "Counts":
        """Of samples with these logits, float32 (B, K), in one of `COUNTINGS`; ValueError for another.

        The lowest index wins a tie of logits. gap: count only samples that are sure, by more than that, of their first
        choice, or of the better of two.
        """
        check_choice("counting", counting, COUNTINGS)
        choices = logits.argmax(axis=1) if gap is None else logits[~undecided(logits, gap)].argmax(axis=1)
        votes = np.bincount(choices, minlength=logits.shape[1])
        return Counts(votes, count_duels(logits, gap) if counting == DUELS else None)

    def __add__(self, other: "Counts") -> "Counts":
        """Both together, counted alike; ValueError for another number of classes."""
        if self.votes.shape != other.votes.shape:
            raise ValueError(
                f"the model returned logits for {len(other.votes)} classes, after {len(self.votes)} before"
            )
        duels = None if self.duels is None or other.duels is None else self.duels + other.duels
        return Counts(self.votes + other.votes, duels)

    def bounds(self, levels: int) -> RadiusBounds:
        """Exact bounds of the radius of a vote of `levels` samples, of which these are some."""
        return radius_bounds(self.votes, levels) if self.duels is None else duel_bounds(self.duels, levels)

    def certificate(self, levels: int) -> Certificate:
        """What these prove if they are all; ValueError if they are not."""
        if self.duels is None:
            return certificate_from_votes(self.votes, levels)
        return certificate_from_duels(self.duels, self.votes, levels)
