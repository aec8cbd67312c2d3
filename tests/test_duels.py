from itertools import combinations, combinations_with_replacement, permutations, product

import numpy as np
import oracle
import pytest
import torch
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from dssn_core import RadiusBounds, SplitNoise, certificate_from_votes
from dssn_core.constants import DUELS, PLURALITY
from dssn_core.duels import (
    DuelCertificate,
    bounds_of_first_choices,
    certificate_from_duels,
    count_duels,
    duel_bounds,
    least_wins,
)
from dssn_core.voting import complete, tally
from tests.test_soundness import SHAPES, cases, certified, check_ball, image_of
from tests.toys import Memory, Toy

RANKINGS = [np.argsort(order) for order in permutations(range(3))]
"""Logits of three classes, in every order."""


def of_logits(logits):
    logits = np.array(logits, dtype=np.float32)
    votes = np.bincount(logits.argmax(axis=1), minlength=logits.shape[1])
    return certificate_from_duels(count_duels(logits), votes, len(logits))


some_logits = st.integers(2, 4).flatmap(
    lambda classes: st.lists(st.lists(st.integers(0, 3), min_size=classes, max_size=classes), min_size=2, max_size=12)
)


# --- against the definition ---


@given(some_logits)
@effort(max_examples=300)
def test_duels_are_those_of_a_naive_loop(logits):
    assert count_duels(np.array(logits, dtype=np.float32)).tolist() == oracle.duels(logits)


@given(some_logits)
@effort(max_examples=300)
def test_the_winner_is_that_of_the_definition(logits):
    assert of_logits(logits).label == oracle.winner_of_duels(oracle.duels(logits))


@pytest.mark.parametrize("levels", [2, 3, 4, 5])
def test_no_change_of_that_many_samples_makes_another_class_win(levels):
    # Every vote of so many samples over three classes, and every way in which R of them may be ranked instead.
    largest = 0
    for logits in combinations_with_replacement(RANKINGS, levels):  # the order of the samples plays no part
        certificate = of_logits(logits)
        largest = max(largest, certificate.radius_steps)
        for changed in product(range(levels), repeat=certificate.radius_steps):
            for new in product(RANKINGS, repeat=certificate.radius_steps):
                after = list(logits)
                for sample, ranking in zip(changed, new, strict=True):
                    after[sample] = ranking
                assert oracle.winner_of_duels(oracle.duels(after)) == certificate.label, (logits, after)
    assert largest == levels // 2


@pytest.mark.parametrize("levels", [3, 4, 5])
def test_no_change_of_its_margin_makes_a_class_win(levels):
    further = 0
    for chosen in combinations_with_replacement(RANKINGS, levels):
        certificate = of_logits(chosen)
        margins = {c: margin for c, margin in enumerate(certificate.margins) if margin is not None}
        assert min(margins.values()) == certificate.radius_steps
        further += max(margins.values()) > certificate.radius_steps
        for margin in set(margins.values()):
            safe = {c for c, most in margins.items() if most >= margin}
            for changed in combinations(range(levels), margin):
                for new in product(RANKINGS, repeat=margin):
                    after = list(chosen)
                    for sample, ranking in zip(changed, new, strict=True):
                        after[sample] = ranking
                    assert oracle.winner_of_duels(oracle.duels(after)) not in safe, (chosen, after)
    assert further


@given(some_logits)
@effort(max_examples=200)
def test_one_more_changed_sample_loses_the_closest_duel(logits):
    # So a radius that rests on duels alone cannot be larger: the samples that rank b above a need one more to win.
    certificate = of_logits(logits)
    a, b = certificate.label, certificate.rival
    if certificate.slack(b) < 0:
        assert certificate.radius_steps == 0
        return
    ahead, behind = certificate.wins[b], certificate.levels - certificate.wins[b]
    for moved, kept in ((certificate.radius_steps, True), (certificate.radius_steps + 1, False)):
        left, right = ahead - moved, behind + moved
        assert (left > right or (left == right and a < b)) == kept


@given(some_logits)
def test_between_two_classes_duels_are_the_vote(logits):
    pairs = [row[:2] for row in logits]
    certificate = of_logits(pairs)
    plain = certificate_from_votes(certificate.votes, len(pairs))
    assert (certificate.label, certificate.radius_steps) == (plain.label, plain.radius_steps)


def test_samples_that_like_another_class_best_count_too():
    # Class 1 has 4 of 9 first choices, and 2 of those whose first choice is class 0 rank it above class 2.
    logits = [[1, 2, 0]] * 4 + [[2, 1, 0]] * 2 + [[0, 1, 2]] * 3
    certificate = of_logits(logits)
    assert certificate.votes == (2, 4, 3) and certificate_from_votes(certificate.votes, 9).radius_steps == 0
    assert (certificate.label, certificate.wins, certificate.radius_steps) == (1, (7, 0, 6), 1)
    assert certificate.rival == 2 and certificate.margins == (1, None, 1)
    assert certificate.pair == (6, 3) and certificate.thirds == (2, 0)


def test_a_margin_heeds_who_wins_a_tie():
    assert DuelCertificate(5, (1, 4, 0), 1, (4, 0, 5)).margins == (1, None, 2)


def test_a_circle_certifies_nothing():
    certificate = of_logits([[3, 2, 1], [1, 3, 2], [2, 1, 3]])
    assert (certificate.label, certificate.radius_steps) == (0, 0)
    assert certificate.margins == (None, 0, 0)
    assert "No class won all of its duels" in certificate.account()[0]
    assert "no class wins all of its duels" in certificate.statement("ant")
    assert "close" not in certificate.statement("ant")  # the duels of a circle may all be clear


# --- bounds on the way ---


@given(some_logits, st.randoms())
@effort(max_examples=200)
def test_bounds_only_shrink_and_end_at_the_certificate(logits, random):
    random.shuffle(logits)
    certificate, levels, before = of_logits(logits), len(logits), None
    for done in range(1, levels + 1):
        now = duel_bounds(count_duels(np.array(logits[:done], dtype=np.float32)), levels)
        assert now.lower <= certificate.radius_steps <= now.upper
        if before is not None:
            assert before.lower <= now.lower and now.upper <= before.upper and now.final >= before.final
            assert now.label == before.label or not before.final
        before = now
    steps = certificate.radius_steps
    assert before == RadiusBounds(certificate.label, steps, steps, True)


def test_bounds_hold_where_duels_lack_different_samples():
    """As of strict certificates: of each duel of three classes any of three samples may be known, and either way."""
    levels, pairs = 3, ((0, 1), (0, 2), (1, 2))
    known = [(n, m) for n in range(levels + 1) for m in range(levels + 1 - n)]
    for counts in product(known, repeat=3):
        duels = np.zeros((3, 3), dtype=np.int32)
        for (a, c), (n, m) in zip(pairs, counts, strict=True):
            duels[a, c], duels[c, a] = n, m
        ends = set()
        for more in product(*(range(levels - n - m + 1) for n, m in counts)):
            whole = duels.copy()
            for (a, c), (n, _), extra in zip(pairs, counts, more, strict=True):
                whole[a, c], whole[c, a] = n + extra, levels - n - extra
            a = oracle.winner_of_duels(whole.tolist())
            slack = min(int(whole[a, c] - whole[c, a]) - (c < a) for c in range(3) if c != a)
            ends.add((a, max(0, slack) // 2))
        found, radii = duel_bounds(duels, levels), [radius for _, radius in ends]
        assert found.lower <= min(radii) and found.upper == max(radii)
        assert not found.final or {a for a, _ in ends} == {found.label}


@given(some_logits)
@effort(max_examples=300)
def test_first_choices_bound_the_duels(logits):
    certificate = of_logits(logits)
    bounds = bounds_of_first_choices(certificate.votes, certificate.levels)
    assert bounds.lower <= certificate.radius_steps <= bounds.upper
    assert not bounds.final or bounds.label == certificate.label
    assert bounds.final or max(certificate.votes) <= certificate.levels / 2
    least = least_wins(certificate.votes, certificate.label)
    assert all(map(int.__le__, least, certificate.wins)) and least[certificate.label] == 0


def test_a_winner_is_certain_as_soon_as_it_wins_the_worst_tie():
    """Class 0 is ahead by one of two samples: whichever way the other goes it wins. Class 1 would lose the tie."""
    assert duel_bounds(np.array([[0, 1], [0, 0]]), 2) == RadiusBounds(0, 0, 1, True)
    assert not duel_bounds(np.array([[0, 0], [1, 0]]), 2).final


def test_bounds_are_refused_where_there_are_too_many_samples():
    with pytest.raises(ValueError, match="3 samples in a duel, more than levels = 2"):
        duel_bounds(count_duels(np.zeros((3, 2))), 2)


# --- what it says, and what it refuses ---


def test_the_account_has_the_numbers_in_it():
    certificate = of_logits([[1, 2, 0]] * 4 + [[2, 1, 0]] * 2 + [[0, 1, 2]] * 3)
    text = "\n".join(certificate.account(["ant", "bee", "cat"]))
    assert "“bee” won every duel, the closest with n_ab = 6 to n_ba = 3 against “cat”" in text
    assert "R = floor((n_ab − n_ba − [b < a]) / 2) = floor((6 − 3 − 0) / 2) = floor(1.5) = 1 grey level." in text
    assert "Any change of pixels adding up to at most 1 grey level" in text


@pytest.mark.parametrize(
    ("winner", "wins", "message"),
    [
        (3, (0, 5, 5), "a winner of 3 classes"),
        (-1, (0, 5, 5), "a winner of 3 classes"),
        (0, (0, 5), "a winner of 3 classes"),
        (0, (1, 5, 5), "0 over itself"),
        (0, (0, 5.0, 5), "must be integers"),
        (0, (0, 7, 5), "cannot rank above class 1 in 7 of 9 samples"),  # class 1 has three votes of its own
        (0, (0, 3, 5), "cannot rank above class 1 in 3 of 9 samples"),  # class 0 has more
    ],
)
def test_what_no_samples_could_give_is_refused(winner, wins, message):
    with pytest.raises(ValueError, match=message):
        DuelCertificate(9, (4, 3, 2), winner, wins)


def test_incomplete_duels_are_no_certificate():
    duels = count_duels(np.zeros((5, 3)))
    with pytest.raises(ValueError, match="of levels = 6 samples"):
        certificate_from_duels(duels, (6, 0, 0), 6)
    for change in (1, -1):  # of one duel alone
        wrong = duels.copy()
        wrong[0, 1] += change
        with pytest.raises(ValueError, match="of levels = 5 samples"):
            certificate_from_duels(wrong, (5, 0, 0), 5)
    with pytest.raises(ValueError, match="every duel of 4 classes"):
        certificate_from_duels(duels, (5, 0, 0, 0), 5)


# --- end to end ---


@pytest.mark.parametrize("kind", ["linear", "hash"])
def test_every_image_in_a_certified_ball_has_the_same_label(kind):
    blocks, shapes = [(1, 1, 1), (1, 1, 1), (1, 1, 1), (1, 1, 2)], [*SHAPES, (1, 1, 2)]
    radii = [check_ball(*case, DUELS) for case in cases(32, range(5, 21), shapes, kind, blocks)]
    assert sum(radius > 0 for radius in radii) >= 10 and max(radii) >= 3


@pytest.mark.parametrize(("label", "other"), [(0, 1), (2, 0)])
def test_one_more_step_than_certified_may_change_the_label(label, other):
    noise = SplitNoise(255, (1, 1, 2), "r2")
    model = Memory(noise.samples(image_of([40, 0], noise.shape), 0, 255), 3, label, other)
    steps = certified(model, [40, 0], noise, DUELS).radius_steps
    assert certified(model, [40 + steps, 0], noise, DUELS).label == label
    assert certified(model, [40 + steps + 1, 0], noise, DUELS).label == other


def test_every_state_has_the_duels_of_its_samples():
    noise, image = SplitNoise(100, (3, 4, 5), "r2"), torch.arange(60, dtype=torch.uint8).reshape(3, 4, 5)
    model, seen = Toy((3, 4, 5), 4, seed=3, kind="hash"), []
    for state in tally(model, image, noise, 30, DUELS):
        seen += state.indices.tolist()
        logits = model(noise.samples_at(image, torch.tensor(seen)), noise.lam).numpy()
        assert state.duels.tolist() == count_duels(logits).tolist() and not state.duels.flags.writeable
        assert state.bounds == duel_bounds(state.duels, 100)
    assert state.certificate == certificate_from_duels(state.duels, state.votes, 100)
    plain = complete(tally(model, image, noise, 30, PLURALITY))
    assert plain.duels is None and plain.votes.tolist() == state.votes.tolist()
    with pytest.raises(ValueError, match="unknown counting 'by hand'; known: plurality, duels"):
        complete(tally(model, image, noise, counting="by hand"))
