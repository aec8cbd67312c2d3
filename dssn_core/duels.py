"""Counting by duels: every sample ranks all classes, and the answer is the class that wins each of its duels.

The paper counts first choices alone (`certificate`). But a sample says more: in a duel of two classes it sides with the
one whose logit is larger, whatever it likes best. With n_ac the samples that rank a above c (n_ac + n_ca = N; of equal
logits the lower index ranks higher), a wins its duel with c if n_ac - n_ca - [c < a] >= 0. One step of one pixel
changes one sample, which may change sides in each duel, once; so a class that wins all of its duels still does after

    R = min over c != a of floor((n_ac - n_ca - [c < a]) / 2),   rho = R / q

steps: every 8-bit image within L1 distance rho has the same answer. Where no class wins all of its duels, the answer is
the one whose worst duel is the least bad (the minimax rule of elections, lowest index on a tie), and R = 0.

Every duel is a vote between two classes, so this is the theorem of DSSN (Levine & Feizi 2021) for each of them. That
pairs of classes can give larger radii than first choices is known from certified defences against poisoned data
(run-off elections, Rezaei et al. 2023, arXiv:2302.02300).
"""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .certificate import Certificate, RadiusBounds
from .constants import DUELS, check_levels


def count_duels(logits: np.ndarray, gap: float | None = None) -> np.ndarray:
    """int32 (K, K): at [a, c] how many of the samples, logits float32 (B, K), rank class a above class c; 0 at [a, a].

    gap: count only those whose logits of the two are more than that apart.
    """
    classes = logits.shape[1]
    found = np.zeros((classes, classes), dtype=np.int32)  # of a thousand classes half as large as int64, and faster
    if gap is None:
        order = np.argsort(-logits, axis=1, kind="stable")  # best first; of equal logits the lower index
        for places in np.argsort(order, axis=1).astype(np.int32):  # all at once takes ten times the memory
            found += places[:, None] < places
    else:  # in double precision, whose rounding keeps order: no lead of at most the gap becomes a larger one
        for row in logits.astype(np.float64):
            found += np.subtract.outer(row, row) > gap
    return found


def slacks(leads: np.ndarray) -> np.ndarray:
    """(K, K): leads n_ac - n_ca, at [a, c], less one where a tie is c's: a wins its duel with c if it is 0 or more."""
    places = np.arange(len(leads))
    found: np.ndarray = leads - (places < places[:, None])
    return found


def _worst(leads: np.ndarray) -> np.ndarray:
    """(K,): each class's worst duel, of its `slacks`."""
    found = slacks(leads)
    np.fill_diagonal(found, np.iinfo(found.dtype).max)
    worst: np.ndarray = found.min(axis=1)
    return worst


def duel_bounds(duels: np.ndarray, levels: int) -> RadiusBounds:
    """Exact bounds of the final radius from the duels of some samples, int32 (K, K), as `certificate.radius_bounds`.

    Not every duel need have the same samples: those it lacks, of `levels`, may go either way. final: whether the class
    certainly wins all of its duels, or nothing is lacking. ValueError for more samples than `levels`.
    """
    levels, counted = check_levels(levels), duels + duels.T
    if counted.max() > levels:
        raise ValueError(f"there are {counted.max()} samples in a duel, more than levels = {levels}")
    label = int(_worst(duels - duels.T).argmax())
    sure, possible = int(_worst(2 * duels - levels)[label]), int(_worst(levels - 2 * duels.T).max())
    complete = (counted + levels * np.eye(len(duels), dtype=np.int64) == levels).all()
    return RadiusBounds(
        label=label,
        lower=max(0, sure) // 2,
        upper=max(0, possible) // 2,
        final=bool(sure >= 0 or complete),
    )


def least_wins(votes: Sequence[int], winner: int) -> tuple[int, ...]:
    """n_ac of a class a, as far as first choices (K,) tell: a sample that likes a best ranks it above every c."""
    return tuple(0 if c == winner else votes[winner] for c in range(len(votes)))


def bounds_of_first_choices(votes: Sequence[int], levels: int) -> RadiusBounds:
    """Exact bounds of R by duels from the first choices (K,) of all samples, as `duel_bounds`.

    They decide the duels of the classes that samples like best, n_a <= n_ac <= N - n_c, and so which class wins them
    all where more than half of the samples like one best.
    """
    return duel_bounds(np.array([least_wins(votes, a) for a in range(len(votes))], dtype=np.int32), levels)


@dataclass(frozen=True)
class DuelCertificate(Certificate):
    """An exact L1 certificate by duels: see the module for what it guarantees, and `certificate_from_duels`.

    winner: the class a that it is about. wins: n_ac for every class c, 0 at a itself. votes: first choices, which bound
    the duels: a sample whose first choice is a ranks it above every c. ValueError for wins that no samples could give;
    whether another class would be the answer where a loses a duel, and R = 0, these numbers cannot tell.
    """

    counting = DUELS

    winner: int
    wins: tuple[int, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            object.__setattr__(self, "winner", operator.index(self.winner))
            object.__setattr__(self, "wins", tuple(map(operator.index, self.wins)))
        except TypeError:
            raise ValueError(f"winner and wins must be integers, got {self.winner!r} and {self.wins!r}") from None
        a, classes = self.winner, len(self.votes)
        if not 0 <= a < classes or len(self.wins) != classes or self.wins[a] != 0:
            raise ValueError(f"expected a winner of {classes} classes and its wins over each, 0 over itself")
        for c in set(range(classes)) - {a}:
            if not self.votes[a] <= self.wins[c] <= self.levels - self.votes[c]:
                raise ValueError(
                    f"class {a} cannot rank above class {c} in {self.wins[c]} of {self.levels} samples, with "
                    f"{self.votes[a]} and {self.votes[c]} first choices"
                )

    @property
    def label(self) -> int:
        """The winner a."""
        return self.winner

    def against(self, rival: int) -> tuple[int, int]:
        """n_ac and n_ca, of the duel with c."""
        return self.wins[rival], self.levels - self.wins[rival]

    @property
    def thirds(self) -> tuple[int, int]:
        """Of the samples whose first choice is a third class: how many rank a above b, and how many b above a."""
        n_ab, n_ba = self.pair
        return n_ab - self.votes[self.winner], n_ba - self.votes[self.rival]

    @property
    def by_plurality(self) -> Certificate:
        """What the same samples prove if their first choices alone are counted, as in the paper."""
        return Certificate(self.levels, self.votes)

    @cached_property
    def margins(self) -> tuple[int | None, ...]:
        """For every class the number of steps that certainly do not make it win; None at the label itself.

        The answer is the class whose worst duel is the least bad, so c may win without beating a. But after t steps a
        leads in its worst duel by at least s - 2t, less what a tie costs, with s the slack of the closest; and c, which
        a leads by its slack s_c, is in its worst duel at least s_c + 1 - 2t behind. So c does not win while
        4t <= s + s_c, or s + s_c + 1 where a comes first. No class wins within R steps, and some need more.
        """
        a, closest = self.winner, self.slack(self.rival)
        steps = ((closest + self.slack(c) + (a < c)) // 4 if self.won else 0 for c in range(len(self.votes)))
        return tuple(None if c == a else most for c, most in enumerate(steps))

    def statement(self, name: str) -> str:
        if self.won:
            return super().statement(name)
        return f"The answer is “{name}”, which loses least, but no class wins all of its duels: nothing is certified."

    def _arithmetic(self, names: Sequence[str]) -> tuple[str, ...]:
        a, b = self.winner, self.rival
        n_ab, n_ba = self.pair
        ranked = f"All N = {self.levels:,} samples ranked the classes; in a duel of two each sides with the one ranked "
        if not self.won:
            return (
                f"{ranked}higher. No class won all of its duels: “{names[a]}” lost least, with n_ab = {n_ab:,} to "
                f"n_ba = {n_ba:,} against “{names[b]}”.",
                "Where no class wins all of its duels nothing is certified: R = 0 grey levels.",
            )
        return (
            f"{ranked}higher. “{names[a]}” won every duel, the closest with n_ab = {n_ab:,} to n_ba = {n_ba:,} against "
            f"“{names[b]}”.",
            self._tie_rule(names),
            "One grey level in one colour channel of one pixel changes exactly one sample. It may change sides in "
            "every duel, and a sample that changes sides narrows a lead by two.",
            f"R = floor((n_ab − n_ba − [b < a]) / 2) = {self._halved()}.",
        )


def certificate_from_duels(duels: np.ndarray, votes: Sequence[int] | np.ndarray, levels: int) -> DuelCertificate:
    """The exact certificate of complete duels, int32 (K, K) from `count_duels`, and first choices (K,).

    ValueError unless every duel has `levels` samples.
    """
    duels = np.asarray(duels)
    classes = len(votes)
    samples, leads = duels + duels.T, duels - duels.T
    if duels.shape != (classes, classes) or (samples[~np.eye(classes, dtype=bool)] != levels).any():
        raise ValueError(f"every duel of {classes} classes must be of levels = {levels} samples")
    winner = int(_worst(leads).argmax())
    return DuelCertificate(levels, tuple(map(int, votes)), winner, tuple(duels[winner].tolist()))
