"""Duels of images whose first choices are on record: most of them need not be voted on again.

First choices bound every duel (`duels.bounds_of_first_choices`): a class that more than half of the samples like best
wins all of its duels, and its R by duels lies between two whole numbers. Where no radius at which certified accuracy is
reported comes between those two, what the image counts for is known.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from .constants import DUELS, steps_needed
from .duels import bounds_of_first_choices, least_wins
from .records import Key, Record


def settled(record: Record, rhos: Sequence[float]) -> Record | None:
    """A record by duels of what one by first choices proves, where at the radii `rhos` duels have nothing to add.

    Its answer is that of the duels, and so is, where that is right, what it says of each of the radii; but between them
    its radius may be smaller than that of the duels, and its `wins` are at least, see `Record.at_least`. None where
    first choices leave the answer or one of the radii open. A record by duels is returned as it is.
    """
    if record.counting == DUELS:
        return record
    bounds = bounds_of_first_choices(record.votes, record.levels)
    right = bounds.label == record.label
    if not bounds.final or (right and any(bounds.lower < steps_needed(rho) <= bounds.upper for rho in rhos)):
        return None
    wins = least_wins(record.votes, bounds.label)
    return replace(record, counting=DUELS, predicted=bounds.label, radius_steps=bounds.lower, wins=wins)


def all_settled(records: Iterable[Record], rhos: Sequence[float]) -> dict[Key, Record]:
    """Those of the records that are `settled` at the radii, by the key of the record by duels."""
    return {found.key: found for record in records if (found := settled(record, rhos))}
