"""Which differences another machine may make, on logits made by hand; `test_verification` checks whole files."""

from types import SimpleNamespace

import numpy as np
import pytest

from dssn_core import near_ties
from dssn_core.counts import Counts
from dssn_core.duels import DuelCertificate
from dssn_core.voting import Vote

NETWORK = SimpleNamespace(precision="float32", num_classes=3, class_names=("ant", "bee", "cat"))


def logits_at(logits):
    """Of samples at some indices, one batch for each."""
    return lambda indices: ((np.array([place]), logits[[place]]) for place in indices)


def vote_of(logits, counting="plurality"):
    labels = logits.argmax(axis=1)
    return Vote(Counts.of(logits, counting), len(logits), labels)


def compare_duels(logits, listed, wins):
    """Stated first choices, and duels of class 0, beside those of the logits."""
    votes = np.bincount(listed, minlength=len(wins)).tolist()
    stated = DuelCertificate(len(logits), tuple(votes), 0, wins)
    return near_ties.compare_duels(logits_at(logits), NETWORK, listed, stated, vote_of(logits, "duels"))


def test_what_is_excused_is_no_wider_than_was_measured():
    """Who widens it lets more forgeries pass for rounding."""
    assert near_ties.NEAR_TIE == {"float32": 0.001, "bfloat16": 0.25}
    assert near_ties.MOST_NEAR_TIES == 0.1


def close(samples, near):
    """Class 0 is sure in all samples but some at the end, where class 1 is best by a hair."""
    logits = np.tile(np.array([5.0, 0, -5], dtype=np.float32), (samples, 1))
    logits[samples - near :, 1] = 5.0002
    return logits


@pytest.mark.parametrize(("stated", "rounding"), [(1, True), (10, True), (11, False)])
def test_more_votes_than_can_be_near_ties_are_not_excused(stated, rounding):
    logits = close(100, 20)
    vote = vote_of(logits)
    listed = vote.labels.copy()
    listed[100 - stated :] = 0
    finding = near_ties.compare_votes(logits_at(logits), NETWORK, listed, vote)
    assert not finding.agrees and finding.rounding == rounding


@pytest.mark.parametrize(("stated", "rounding"), [(1, True), (10, True), (11, False)])
def test_more_duels_than_can_be_near_ties_are_not_excused(stated, rounding):
    logits = close(100, 20)
    finding = compare_duels(logits, np.repeat([0, 1], [80 + stated, 20 - stated]), (0, 80 + stated, 100))
    assert not finding.agrees and finding.rounding == rounding


def test_samples_as_nearly_tied_as_the_one_that_differs_may_turn_too():
    """Of 65 duels to 35 one more is stated. So may be lost the 20 that are won by less than that one is lost by."""
    logits = np.zeros((100, 3), dtype=np.float32)
    logits[:, 0] = np.repeat([5, 3e-4, -4e-4, -5], [45, 20, 1, 34])
    logits[:, 2] = np.repeat([-9, 9, -9], [65, 1, 34])
    finding = compare_duels(logits, logits.argmax(axis=1), (0, 66, 99))
    assert not finding.rounding and "no class is certain to win" in finding.text


def test_a_sample_does_not_turn_against_its_first_choice_as_the_file_states_it():
    """30 samples are nearly tied between classes 0 and 1, but stated to be for 1: ten others, sure of 1, would turn."""
    logits = np.repeat(np.array([[5, 0, -5], [0, 2e-4, -5], [-5, 0, 5]], dtype=np.float32), [60, 30, 10], axis=0)
    finding = compare_duels(logits, logits.argmax(axis=1), (0, 70, 90))
    assert not finding.rounding and "up to 5 apart must side differently" in finding.text
    listed = np.repeat([0, 1, 2], [70, 20, 10])
    assert compare_duels(logits, listed, (0, 70, 90)).rounding


def test_what_is_certain_is_so_for_all_logits_as_near_as_is_said():
    """Two digits are said: 0.011 of 0.0101. So those 0.0105 apart count among the near ties."""
    logits = np.zeros((100, 2), dtype=np.float32)
    logits[:, 0] = np.repeat([5, 0.0105, -0.0101, -5], [70, 9, 1, 20])
    finding = compare_duels(logits, np.repeat([0, 1], [80, 20]), (0, 80))
    assert "up to 0.011 apart" in finding.text and "at least 20 grey levels are certified" in finding.text


def test_a_stated_class_that_is_far_behind_is_not_excused_by_another_that_is_near():
    logits = close(100, 20)
    vote = vote_of(logits)
    for label, rounding in ((0, True), (2, False)):
        listed = vote.labels.copy()
        listed[-1] = label
        assert near_ties.compare_votes(logits_at(logits), NETWORK, listed, vote).rounding == rounding


@pytest.mark.parametrize(("counting", "rounding"), [("plurality", False), ("duels", True)])
def test_votes_that_decide_nothing_where_duels_count_are_excused(counting, rounding):
    """Of 49 votes to 51 one may turn, which decides between the two by first choices."""
    logits = close(100, 51)
    vote = vote_of(logits, counting)
    listed = vote.labels.copy()
    listed[-1] = 0
    finding = near_ties.compare_votes(logits_at(logits), NETWORK, listed, vote)
    assert not finding.agrees and finding.rounding == rounding
    assert ("no class is certain to win" in finding.text) == (counting == "plurality")


def test_as_many_samples_turn_as_differ_the_closest_first():
    logits = np.array([[0.0, -3, 0], [0, -1, 0], [0, 1, 0], [0, 2, 0]])
    unbound = np.full(4, 3)  # whose first choice is a class that is in no duel here
    for stated, gap in ((0, 3), (1, 1), (2, 0), (3, 1), (4, 2)):
        assert near_ties._turned(logits, unbound, 0, (0, stated, 4)) == gap
    assert near_ties._turned(logits, unbound, 0, (0, 2, 3)) == 0  # exactly tied
    assert near_ties._turned(logits, np.array([3, 1, 3, 3]), 0, (0, 3, 4)) == 2  # of its stated first choice: it stays
    assert near_ties._turned(logits, np.array([3, 3, 3, 0]), 0, (0, 2, 4)) == 2  # and this is to have turned
