from dataclasses import FrozenInstanceError
from itertools import product

import numpy as np
import oracle
import pytest
import torch
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from dssn_core import Certificate, RadiusBounds, certificate_from_votes, radius_bounds

whole_votes = st.lists(st.integers(0, 40), min_size=2, max_size=5).filter(lambda votes: sum(votes) >= 2)


# --- against the definition ---


def test_where_the_nearest_picture_with_another_answer_is():
    certificate = certificate_from_votes([1900, 100], 2000)
    assert certificate.radius_steps == 900
    assert "is 901 to 2,345 grey levels away" in certificate.bracket(2345)
    assert "is 901 grey levels away" in certificate.bracket(901)
    assert "is 1 grey level away" in certificate_from_votes([1, 1], 2).bracket(1)


@given(whole_votes)
@effort(max_examples=300)
def test_radius_is_the_largest_that_the_definition_allows(votes):
    certificate = certificate_from_votes(votes, sum(votes))
    assert certificate.label == oracle.winner(votes)
    assert certificate.radius_steps == oracle.certified_steps(votes)


def test_every_vote_of_up_to_nine_samples_and_three_classes():
    for votes in product(range(10), repeat=3):
        if 2 <= sum(votes) <= 9:
            assert certificate_from_votes(votes, sum(votes)).radius_steps == oracle.certified_steps(votes)


@pytest.mark.parametrize(
    ("votes", "label", "steps"),
    [
        ([6, 4], 0, 1),  # one vote moves: 5 to 5, and class 0 wins the tie
        ([4, 6], 1, 0),  # one vote moves: 5 to 5, and class 0 wins the tie again
        ([7, 4], 0, 1),
        ([4, 7], 1, 1),
        ([5, 5], 0, 0),
        ([3, 5, 2], 1, 0),
        ([2, 5, 3], 1, 1),
        ([3, 3, 3], 0, 0),
        ([0, 3, 3], 1, 0),
        ([4, 8, 4], 1, 1),  # class 0 limits: floor(3/2); class 2 alone would allow 2
    ],
)
def test_ties_by_hand(votes, label, steps):
    certificate = certificate_from_votes(votes, sum(votes))
    assert (certificate.label, certificate.radius_steps) == (label, steps)


@pytest.mark.parametrize("levels", [2, 3, 10, 441, 1766, 8192])
def test_the_largest_radius(levels):
    assert certificate_from_votes([levels, 0, 0], levels).radius_steps == levels // 2
    assert certificate_from_votes([0, levels, 0], levels).radius_steps == (levels - 1) // 2
    assert certificate_from_votes([0, 0, levels], levels).radius_steps == (levels - 1) // 2


# --- what a certificate says ---


def test_fields_by_hand():
    certificate = certificate_from_votes([41, 300, 60, 40], levels=441)
    assert certificate.label == 1
    assert certificate.radius_steps == 120  # class 2: half of 300 - 60 = 240; class 0: half of 300 - 41 - 1 = 258
    certificate = certificate_from_votes([60, 300, 60, 21], levels=441)
    assert certificate.radius_steps == 119  # class 0 costs the tie: 300 - 60 - 1 = 239
    assert certificate.margins == (119, None, 120, 139)
    assert certificate.rival == 0
    assert certificate.votes == (60, 300, 60, 21)
    assert certificate.radius == 119 / 255
    assert certificate.lam == 441 / 510
    assert certificate.sigma == pytest.approx(0.49924, abs=1e-5)


@given(whole_votes)
def test_margins_are_the_radii_against_each_class_alone(votes):
    certificate = certificate_from_votes(votes, sum(votes))
    a = certificate.label
    assert len(certificate.margins) == len(votes)
    assert certificate.margins[a] is None
    others = {c: margin for c, margin in enumerate(certificate.margins) if c != a}
    assert min(others.values()) == certificate.radius_steps == others[certificate.rival]
    for c, margin in others.items():
        for moved, kept in ((margin, True), (margin + 1, False)):
            after = list(votes)
            after[a] -= moved
            after[c] += moved
            duel = [after[c], after[a]] if c < a else [after[a], after[c]]
            assert (oracle.winner(duel) == (1 if c < a else 0)) == kept


def test_a_result_cannot_be_changed():
    certificate = certificate_from_votes([3, 2], 5)
    with pytest.raises(FrozenInstanceError):
        certificate.radius_steps = 100
    with pytest.raises(FrozenInstanceError):
        radius_bounds([1, 1], 5).lower = 5


@pytest.mark.parametrize(
    "votes",
    [
        (2, 9, 0),
        np.array([2, 9, 0]),
        np.array([2, 9, 0], dtype=np.uint8),
        torch.tensor([2, 9, 0]),
        torch.tensor([2, 9, 0], dtype=torch.int32),
        [np.int64(2), np.int16(9), 0],
        [torch.tensor(2), torch.tensor(9), torch.tensor(0)],
    ],
)
def test_all_kinds_of_rows_give_the_same_plain_integers(votes):
    certificate = certificate_from_votes(votes, 11)
    assert certificate == certificate_from_votes([2, 9, 0], 11)
    assert [type(n) for n in (certificate.label, certificate.radius_steps, *certificate.votes)] == [int] * 5
    assert radius_bounds(votes, 20) == radius_bounds([2, 9, 0], 20)


@pytest.mark.parametrize("levels", [np.int64(11), torch.tensor(11)])
def test_levels_of_any_integer_type_give_plain_results(levels):
    certificate = certificate_from_votes([2, 9, 0], levels)
    assert type(certificate.levels) is int
    bounds = radius_bounds([2, 7, 0], levels)
    assert [type(n) for n in (bounds.label, bounds.lower, bounds.upper, bounds.final)] == [int, int, int, bool]


# --- bounds on the way ---


@pytest.mark.parametrize(("levels", "classes"), [(2, 2), (7, 2), (8, 2), (6, 3), (7, 3)])
def test_bounds_are_the_extremes_over_all_completions(levels, classes):
    for votes in product(range(levels + 1), repeat=classes):
        if sum(votes) <= levels:
            found = radius_bounds(votes, levels)
            assert (found.lower, found.upper, found.final) == oracle.bounds(votes, levels), votes
            assert found.label == oracle.winner(votes)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=60))
def test_bounds_only_shrink(order):
    votes, levels = [0, 0, 0, 0], len(order)
    before = radius_bounds(votes, levels)
    for label in order:
        votes[label] += 1
        now = radius_bounds(votes, levels)
        assert before.lower <= now.lower <= now.upper <= before.upper
        assert now.final or not before.final  # what is final stays so
        assert now.label == before.label or not before.final
        before = now
    certificate = certificate_from_votes(votes, levels)
    assert before == RadiusBounds(certificate.label, certificate.radius_steps, certificate.radius_steps, True)


def test_bounds_before_the_first_vote():
    assert radius_bounds([0, 0, 0], 441) == RadiusBounds(label=0, lower=0, upper=220, final=False)


# --- refusals ---


@pytest.mark.parametrize("function", [certificate_from_votes, radius_bounds])
@pytest.mark.parametrize(
    ("votes", "message"),
    [
        ([11], "two or more classes"),
        ([], "two or more classes"),
        ([12, -1], "not be negative"),
        ([5.0, 6.0], "integers"),
        (np.array([5.0, 6.0]), "integers"),
        (torch.tensor([5.0, 6.0]), "integers"),
        ([[5, 6]], "one-dimensional"),
        (np.array([[5, 6]]), "one-dimensional"),
        (np.array(11), "one-dimensional"),
        ({0: 5, 1: 6}, "one-dimensional"),  # of which a row would be the keys
        ({5: 0, 6: 0}.keys(), "one-dimensional"),
        ({5, 6}, "one-dimensional"),
        ([True, 10], "integers"),
        (torch.tensor([True, False]), "integers"),
        ("56", "integers"),
        ([None, 11], "integers"),
        (11, "one-dimensional"),
    ],
)
def test_votes_are_refused(function, votes, message):
    with pytest.raises(ValueError, match=message):
        function(votes, 11)


@pytest.mark.parametrize("function", [certificate_from_votes, radius_bounds])
@pytest.mark.parametrize("levels", [1, 8193, True, 11.0, None])
def test_levels_are_refused(function, levels):
    with pytest.raises(ValueError, match="levels must be an integer"):
        function([5, 6], levels)


def test_an_incomplete_vote_is_no_certificate():
    with pytest.raises(ValueError, match="add up to levels = 12, got 11"):
        certificate_from_votes([5, 6], 12)
    with pytest.raises(ValueError, match="add up to levels = 10, got 11"):
        certificate_from_votes([5, 6], 10)


@pytest.mark.parametrize("row", [np.array([1, 3]), torch.tensor([1, 3]), [1, 3]], ids=["numpy", "torch", "list"])
def test_a_certificate_is_the_same_of_any_row_of_votes(row):
    certificate = Certificate(4, row)
    assert certificate == Certificate(4, (1, 3)) and hash(certificate) == hash(Certificate(4, (1, 3)))
    assert (certificate.label, certificate.radius_steps) == (1, 0)


def test_more_votes_than_levels_are_refused():
    with pytest.raises(ValueError, match="11 votes, more than levels = 10"):
        radius_bounds([5, 6], 10)


# --- words ---


def test_the_account_holds_the_true_numbers():
    text = "\n".join(certificate_from_votes([60, 300, 60, 21], 441).account(["cat", "dog", "frog", "ship"]))
    assert "N = 441" in text
    assert "“dog” won n_a = 300" in text
    assert "“cat” won n_b = 60" in text
    assert "[b < a] = 1" in text
    assert "floor((300 − 60 − 1) / 2) = floor(119.5) = 119 grey levels" in text
    assert "119 / 255 = 0.4666 (rounded down)" in text
    assert "at most 119 grey levels" in text


def test_the_account_of_a_tie_that_costs_nothing():
    text = "\n".join(certificate_from_votes([300, 100, 41], 441).account())
    assert "“class 0” comes before “class 1”" in text
    assert "nothing is taken off: [b < a] = 0" in text
    assert "floor((300 − 100 − 0) / 2) = floor(100) = 100 grey levels" in text


@given(whole_votes)
def test_every_account_is_arithmetic_that_holds(votes):
    certificate = certificate_from_votes(votes, sum(votes))
    a, b = certificate.label, certificate.rival
    text = "\n".join(certificate.account())
    assert f"floor(({votes[a]} − {votes[b]} − {int(b < a)}) / 2)" in text
    assert (votes[a] - votes[b] - (b < a)) // 2 == certificate.radius_steps
    assert f"= {certificate.radius_steps} grey level{'s' * (certificate.radius_steps != 1)}." in text


def test_a_radius_of_nothing_and_of_one_step_are_said_in_words():
    assert "no change of the picture is certified" in certificate_from_votes([5, 5], 10).account()[-2]
    assert "at most 1 grey level," in certificate_from_votes([6, 4], 10).account()[-2]


@pytest.mark.parametrize("names", [["cat"], ["cat", "dog", "horse"]])
def test_too_few_or_too_many_names_are_refused(names):
    with pytest.raises(ValueError, match=f"2 classes voted, but {len(names)} names"):
        certificate_from_votes([6, 4], 10).account(names)


def test_the_rival_is_the_class_with_most_votes_among_the_closest():
    # Classes 3 (9 votes, wins ties) and 7 (10 votes) are equally close; the bars show 7 second.
    certificate = certificate_from_votes([0, 0, 0, 9, 0, 20, 0, 10], 39)
    assert certificate.rival == 7
    assert certificate.radius_steps == 5


def test_a_thousand_classes_are_accounted_for_at_once():
    votes = [0] * 1000
    votes[500], votes[3] = 400, 41
    certificate = certificate_from_votes(votes, 441)
    assert certificate.margins is certificate.margins  # worked out once: a page asks for each of them
    assert (certificate.label, certificate.rival, certificate.radius_steps) == (500, 3, 179)
    assert certificate.margins[3] == 179 and certificate.margins[501] == 200
