"""From votes to a certificate and its words: pure integer arithmetic, no network, no tensors.

One step (1/q) of one pixel changes exactly one of the N samples (`splitting`), hence moves at most one vote; after R
steps at most R votes have moved, each from the winner to one rival (DSSN, Levine & Feizi 2021):

    R = min over c != a of floor((n_a - n_c - [c < a]) / 2),   rho = R / q

with a the class of most votes, the lowest index on a tie. Then every 8-bit image within L1 distance rho gets class a.
"""

import operator
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, SupportsIndex

from .constants import PIXEL_STEPS, PLURALITY, NoiseLevel, check_levels
from .wording import counted, display_radius


def _vote_counts(votes: Iterable[SupportsIndex]) -> tuple[int, ...]:
    """Votes as a tuple of Python integers; ValueError for anything that is not a row of two or more counts."""
    listed: Any = votes.tolist() if hasattr(votes, "tolist") else votes  # numpy arrays and tensors have tolist
    try:
        if isinstance(listed, Mapping | Set):  # of which a list would be the keys, or in any order
            raise TypeError
        listed = list(listed)
        if any(isinstance(count, bool) for count in listed):
            raise TypeError
        counts = tuple(operator.index(count) for count in listed)
    except TypeError:
        raise ValueError(f"votes must be a one-dimensional row of integers, got {listed!r}") from None
    if len(counts) < 2:
        raise ValueError(f"votes must be for two or more classes, got {len(counts)}")
    if min(counts) < 0:
        raise ValueError(f"votes must not be negative, got {min(counts)}")
    return counts


def _leader(votes: tuple[int, ...]) -> int:
    return votes.index(max(votes))


@dataclass(frozen=True)
class Certificate(NoiseLevel):
    """An exact L1 certificate: what a complete vote proves. See `certificate_from_votes`.

    levels: N. votes: n_c for every class, a row of integers that add up to N (ValueError if not); all else follows
    from them.

    Guarantee: every 8-bit image whose pixels differ from the certified one by at most R steps in sum, over all pixels
    and channels, gets the same label from the same base classifier (a function of each sample by itself, as
    `base_classifier.BaseClassifier` says), offsets and levels.
    """

    counting: ClassVar[str] = PLURALITY
    """How the votes are counted, one of `COUNTINGS`."""

    levels: int
    votes: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", check_levels(self.levels))
        object.__setattr__(self, "votes", _vote_counts(self.votes))
        if sum(self.votes) != self.levels:
            raise ValueError(f"votes must add up to levels = {self.levels}, got {sum(self.votes)}")

    @cached_property
    def label(self) -> int:
        """The winner a: most votes, the lowest index on a tie."""
        return _leader(self.votes)

    def against(self, rival: int) -> tuple[int, int]:
        """n_a and n_c: how many samples are for the winner, and how many for a rival."""
        return self.votes[self.label], self.votes[rival]

    def slack(self, rival: int) -> int:
        """n_a - n_c - [c < a]: by how much the winner leads over a rival, less one if that would win a tie."""
        ours, its = self.against(rival)
        return ours - its - (rival < self.label)

    @cached_property
    def rivals(self) -> tuple[int, ...]:
        """All other classes, the closest first: that with the smallest slack, and of those the one with most votes."""
        others = (c for c in range(len(self.votes)) if c != self.label)
        return tuple(sorted(others, key=lambda c: (self.slack(c), -self.votes[c])))

    @property
    def rival(self) -> int:
        """The class that limits the radius."""
        return self.rivals[0]

    @property
    def tie(self) -> int:
        """[b < a]: 1 where the rival would win a tie, which takes one vote off; else 0."""
        return int(self.rival < self.label)

    @property
    def pair(self) -> tuple[int, int]:
        """`against` the rival: half the difference is R, but for a tie."""
        return self.against(self.rival)

    @property
    def won(self) -> bool:
        """Whether the winner beats all others: not always by duels; if not nothing is certified."""
        return self.slack(self.rival) >= 0

    @property
    def radius_steps(self) -> int:
        """R, in pixel steps of 1/255."""
        return max(0, self.slack(self.rival)) // 2

    @property
    def radius(self) -> float:
        """rho = R/255, the certified L1 radius for pixels on the [0, 1] scale."""
        return self.radius_steps / PIXEL_STEPS

    @cached_property
    def margins(self) -> tuple[int | None, ...]:
        """For every class the number of steps that certainly do not make it win; None at the label itself."""
        a = self.label
        return tuple(None if c == a else self.slack(c) // 2 for c in range(len(self.votes)))

    def account(self, class_names: Sequence[str] | None = None) -> tuple[str, ...]:
        """The certificate's own arithmetic in sentences, with its numbers in them."""
        names = [f"class {c}" for c in range(len(self.votes))] if class_names is None else list(class_names)
        if len(names) != len(self.votes):
            raise ValueError(f"{len(self.votes)} classes voted, but {len(names)} names were given")
        return (
            *self._arithmetic(names),
            f"ρ = R / 255 = {self.radius_steps:,} / 255 = {display_radius(self.radius_steps)} (rounded down).",
            self.statement(names[self.label]),
            "This holds for 8-bit pictures of this size, this network, these offsets, this λ and this way of counting, "
            "computed the same way.",
        )

    def _arithmetic(self, names: Sequence[str]) -> tuple[str, ...]:
        """From the votes to R."""
        a, b = self.label, self.rival
        n_a, n_b = self.pair
        return (
            f"All N = {self.levels:,} samples voted. “{names[a]}” won n_a = {n_a:,} of them; "
            f"its closest rival “{names[b]}” won n_b = {n_b:,}.",
            self._tie_rule(names),
            "One grey level in one colour channel of one pixel changes exactly one sample, so it moves at most one "
            "vote, and a vote moved from winner to rival narrows the gap by two.",
            f"R = floor((n_a − n_b − [b < a]) / 2) = {self._halved()}.",
        )

    def _tie_rule(self, names: Sequence[str]) -> str:
        a, b, tie = self.label, self.rival, self.tie
        first, second, cost = (b, a, "one vote") if tie else (a, b, "nothing")
        return (
            f"Tie rule: “{names[first]}” comes before “{names[second]}” in the list of classes and would win a tie, "
            f"so {cost} is taken off: [b < a] = {tie}."
        )

    def _halved(self) -> str:
        """Half the lead over the rival, step by step."""
        slack, (ours, its) = self.slack(self.rival), self.pair
        radius = counted(self.radius_steps, "grey level")
        halved = f"{slack // 2:,}.5" if slack % 2 else f"{slack // 2:,}"
        return f"floor(({ours:,} − {its:,} − {self.tie}) / 2) = floor({halved}) = {radius}"

    def bracket(self, distance: int) -> str:
        """How far the nearest picture with another answer is, where one is so many steps away."""
        least, ends = self.radius_steps + 1, counted(distance, "grey level")
        if distance > least:
            ends = f"{least:,} to {ends}"
        return f"So the nearest picture with another answer is {ends} away: nearer ones are ruled out."

    def statement(self, name: str) -> str:
        """What is certified, in words."""
        if self.radius_steps == 0:
            return f"The answer is “{name}”, but the vote is so close that no change of the picture is certified."
        amount = counted(self.radius_steps, "grey level")
        where = "over all pixels and colour channels"
        return f"Any change of pixels adding up to at most {amount}, {where}, leaves the answer “{name}”."


def certificate_from_votes(votes: Iterable[SupportsIndex], levels: int) -> Certificate:
    """The exact certificate of a complete vote.

    votes: non-negative integers for K >= 2 classes, adding up to `levels`; may be a list, tuple, numpy array or
    one-dimensional tensor. ValueError says what was expected.
    """
    return Certificate(levels, _vote_counts(votes))


@dataclass(frozen=True)
class RadiusBounds:
    """What is certain after part of the votes. label: the leader so far; lower, upper: exact bounds of the final R, in
    steps; final: whether the label can no longer change (by duels: whether it is certain to win them all, or nothing is
    lacking). Both bounds are reached by some completion of the vote."""

    label: int
    lower: int
    upper: int
    final: bool


def radius_bounds(votes: Iterable[SupportsIndex], levels: int) -> RadiusBounds:
    """Exact anytime bounds from the votes so far, of which `levels` - sum(votes) are still to come.

    Below: all that are to come go to the strongest rival (a radius of zero if it can catch up). Above: all go to the
    leader. ValueError if there are more votes than levels.
    """
    levels = check_levels(levels)
    counts = _vote_counts(votes)
    remaining = levels - sum(counts)
    if remaining < 0:
        raise ValueError(f"there are {sum(counts)} votes, more than levels = {levels}")
    label = _leader(counts)
    slack = min(counts[label] - counts[c] - (c < label) for c in range(len(counts)) if c != label)
    return RadiusBounds(
        label=label,
        lower=max(0, slack - remaining) // 2,
        upper=(slack + remaining) // 2,
        final=slack >= remaining,
    )
