"""What samples say of the classes, counted."""

import numpy as np
import pytest

from dssn_core.certificate import certificate_from_votes, radius_bounds
from dssn_core.constants import COUNTINGS, DUELS, PLURALITY
from dssn_core.counts import Counts
from dssn_core.duels import certificate_from_duels, count_duels, duel_bounds

LOGITS = np.random.RandomState(0).randint(0, 4, (30, 5)).astype(np.float32)  # with ties


@pytest.mark.parametrize("gap", [None, 1.5])
@pytest.mark.parametrize("counting", COUNTINGS)
def test_counts_of_parts_add_up_to_those_of_all(counting, gap):
    whole = Counts.of(LOGITS, counting, gap)
    parts = Counts.of(LOGITS[:7], counting, gap) + Counts.of(LOGITS[7:], counting, gap)
    assert parts.votes.tolist() == whole.votes.tolist()
    assert (whole.duels is None) == (counting == PLURALITY)
    assert np.array_equal(parts.duels, whole.duels)
    assert parts.bounds(30) == whole.bounds(30)


def test_they_are_what_certificates_are_made_of():
    plain, duels = Counts.of(LOGITS, PLURALITY), Counts.of(LOGITS, DUELS)
    assert plain.certificate(30) == certificate_from_votes(plain.votes, 30)
    assert plain.bounds(40) == radius_bounds(plain.votes, 40)
    assert duels.votes.tolist() == plain.votes.tolist()
    assert duels.certificate(30) == certificate_from_duels(count_duels(LOGITS), plain.votes, 30)
    assert duels.bounds(40) == duel_bounds(count_duels(LOGITS), 40)
    for counts in (plain, duels):
        with pytest.raises(ValueError):
            counts.certificate(31)


def test_they_cannot_be_changed_nor_added_to_those_of_other_classes():
    counts = Counts.of(LOGITS, DUELS)
    for array in (counts.votes, counts.duels):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(ValueError, match="logits for 4 classes, after 5 before"):
        counts + Counts.of(LOGITS[:, :4], DUELS)
    with pytest.raises(ValueError, match="unknown counting"):
        Counts.of(LOGITS, "approval")
