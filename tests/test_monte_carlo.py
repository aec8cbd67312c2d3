"""Whether the certificates of the randomized neighbours keep what they promise."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from dssn_core.constants import lambda_from_levels
from dssn_core.monte_carlo import (
    Plan,
    box_radius,
    certify_randomized,
    estimate,
    lower_confidence_bound,
    randomized_certificate,
    samples_to_decide,
    uniform_radius,
)
from dssn_core.neighbours import NEIGHBOURS

IMAGE = torch.tensor([[[0, 51, 255]]], dtype=torch.uint8)
SAMPLERS = {name: neighbour.samples for name, neighbour in NEIGHBOURS.items()}


# --- the confidence bound ------------------------------------------------------------------------------------------


def upper_tail(successes, trials, p):
    """P(Binomial(trials, p) >= successes), exactly."""
    return sum(math.comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(successes, trials + 1))


@pytest.mark.parametrize("trials", [1, 7, 30])
@pytest.mark.parametrize("alpha", [Fraction(1, 1000), Fraction(1, 20)])
def test_the_bound_is_where_the_tail_of_the_binomial_is_alpha(trials, alpha):
    for successes in range(1, trials + 1):
        bound = lower_confidence_bound(successes, trials, float(alpha))
        assert upper_tail(successes, trials, Fraction(bound)) <= alpha
        assert upper_tail(successes, trials, Fraction(bound) + Fraction(1, 10**9)) > alpha


def test_the_bound_of_unanimous_and_of_no_votes():
    assert lower_confidence_bound(1000, 1000, 0.001) == pytest.approx(0.001 ** (1 / 1000), abs=1e-10)
    assert lower_confidence_bound(0, 1000, 0.001) == 0


@pytest.mark.parametrize(("successes", "trials", "alpha"), [(2, 1, 0.1), (-1, 5, 0.1), (1, 2, 0.0), (1, 2, 1.0)])
def test_a_bound_of_nonsense_is_refused(successes, trials, alpha):
    with pytest.raises(ValueError, match="need 0 <= successes <= trials"):
        lower_confidence_bound(successes, trials, alpha)


# --- the radii -----------------------------------------------------------------------------------------------------


def test_the_radius_by_hand():
    assert uniform_radius(0.75, 2.0) == pytest.approx(1.0)
    assert uniform_radius(0.75, 2.0) < 1.0  # the rounding that is taken off
    assert uniform_radius(0.5, 2.0) is None
    assert uniform_radius(0.2, 2.0) is None
    assert uniform_radius(1.0, 0.5) == pytest.approx(0.5)


def test_the_box_radius_by_hand():
    # Every pixel can move by 1 at most, lambda = 2, p = 0.9: t = 0.6. The first pixel may use up 1 of 4, P = 3/4; then
    # u = 4 * (1 - 0.6 / 0.75) = 0.8 fits into the second pixel.
    black = torch.zeros(1, 1, 5, dtype=torch.uint8)
    assert box_radius(0.9, 2.0, black) == pytest.approx(1.8)
    assert box_radius(0.9, 2.0, black) < 1.8 - 5e-13
    assert uniform_radius(0.9, 2.0) == pytest.approx(1.6)


def test_the_box_radius_of_a_wholly_certified_box_is_its_farthest_corner():
    grey = torch.full((1, 1, 2), 153, dtype=torch.uint8)  # may move by 0.6 each
    assert box_radius(0.999, 6.0, grey) == pytest.approx(1.2)


@pytest.mark.parametrize("p_lower", [0.51, 0.6, 0.8, 0.95, 0.9999])
@pytest.mark.parametrize("lam", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("pixels", [[0, 255, 128], [200, 100, 30], [128, 127, 128]])
def test_the_box_radius_is_the_cheapest_attack_that_stays_in_the_box(p_lower, lam, pixels):
    image = torch.tensor([[pixels]], dtype=torch.uint8)
    found = box_radius(p_lower, lam, image)
    most = [max(k, 255 - k) / 255 for k in pixels]
    assert found >= min(uniform_radius(p_lower, lam), sum(most)) - 1e-11
    changes = np.stack(np.meshgrid(*(np.linspace(0, m, 81) for m in most)))
    common = np.clip(1 - changes / (2 * lam), 0, None).prod(axis=0)
    enough = common <= 1.5 - p_lower + 1e-12  # an attack must leave at most t of the noise in common
    if enough.any():
        cheapest = changes.sum(axis=0)[enough].min()
        assert found <= cheapest + 1e-9
        assert cheapest - found < 0.04  # the grid's coarseness
    else:
        assert found == pytest.approx(sum(most))


def test_no_majority_has_no_box_radius_either():
    assert box_radius(0.5, 1.0, IMAGE) is None


# --- estimates -----------------------------------------------------------------------------------------------------


def threshold(x, lam):
    """Class 1 where the first value of a sample exceeds 1/2."""
    score = x[:, 0, 0, 0] - 0.5
    return torch.stack([-score, score], dim=1)


def always_first(x, lam):
    return torch.tensor([1.0, 0.0]).repeat(len(x), 1)


def last(states):
    return list(states)[-1]


@pytest.mark.parametrize("method", NEIGHBOURS)
def test_an_estimate_goes_on_chunk_by_chunk(method):
    plan = Plan(method, 255, n0=70, n=500, seed=5, batch_size=64)
    states = list(estimate(threshold, IMAGE, plan))
    assert [state.done for state in states[:4]] == [64, 70, 134, 198]
    assert states[-1].done == plan.total == 570


def test_a_picture_that_changes_during_its_estimate_is_estimated_as_it_was():
    plan, image = Plan("uniform", 255, n0=64, n=256), IMAGE.clone()
    expected = last(estimate(threshold, IMAGE, plan)).votes.tolist()
    states = []
    for state in estimate(threshold, image, plan):
        image.fill_(255)
        states.append(state)
        for counts in (state.selection, state.votes):
            with pytest.raises(ValueError, match="read-only"):
                counts[0] = 0
    assert states[-1].votes.tolist() == expected


def test_a_longer_plan_begins_with_the_same_draws():
    short = list(estimate(threshold, IMAGE, Plan("uniform", 255, n0=64, n=128, batch_size=64)))
    long = list(estimate(threshold, IMAGE, Plan("uniform", 255, n0=64, n=256, batch_size=64)))
    assert [s.votes.tolist() for s in short] == [s.votes.tolist() for s in long[:3]]


def test_seeds_matter():
    def counts(seed):
        return last(estimate(threshold, IMAGE[:, :, 1:], Plan("ssn", 255, n=2000, seed=seed))).votes.tolist()

    assert counts(0) == counts(0) != counts(1)


def test_an_unfinished_estimate_gives_no_certificate():
    state = next(estimate(threshold, IMAGE, Plan("uniform", 255, n=10)))
    with pytest.raises(ValueError, match="only 64 of 110 samples"):
        randomized_certificate(state)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "dssn"}, "unknown method 'dssn'; known: uniform, ssn"),
        ({"levels": 1}, "levels must be"),
        ({"n0": 0}, "n0 must be an integer of 1 or more"),
        ({"n": 2.5}, "n must be an integer of 1 or more"),
        ({"batch_size": True}, "batch_size must be an integer of 1 or more"),
        ({"alpha": 0}, "alpha must lie between 0 and 1"),
        ({"seed": -1}, "seed must be"),
    ],
)
def test_no_plan_without_sense(change, message):
    with pytest.raises(ValueError, match=message):
        Plan(**{"method": "uniform", "levels": 441, **change})


@pytest.mark.parametrize("method", NEIGHBOURS)
def test_a_constant_classifier_approaches_lambda_from_below(method):
    lam = lambda_from_levels(441)
    radii = [certify_randomized(always_first, IMAGE, Plan(method, 441, n=n)).radius for n in (100, 1000, 10_000)]
    assert radii == sorted(radii) and radii[-1] < lam
    for n, radius in zip((100, 1000, 10_000), radii, strict=True):
        assert radius == pytest.approx(2 * lam * (0.001 ** (1 / n) - 0.5), abs=1e-9)


@pytest.mark.parametrize("method", NEIGHBOURS)
@pytest.mark.parametrize(("pixel", "levels"), [(140, 400), (180, 300)])
def test_the_claimed_confidence_holds(method, pixel, levels):
    """Thousands of estimates of a classifier whose true probability and true distance to the other class are known."""
    image, alpha, runs = torch.full((1, 1, 1), pixel, dtype=torch.uint8), 0.05, 2000
    lam = lambda_from_levels(levels)
    x = pixel / 255
    # Of class 1: x + u > 1/2; or the pixel's split, of which there is at most one for lambda >= 1/2, lies below it.
    truth = 0.5 + (x - 0.5) / (2 * lam) if method == "uniform" else x / (2 * lam)
    wrong = beyond = 0
    for seed in range(runs):
        certificate = certify_randomized(
            threshold, image, Plan(method, levels, n0=11, n=40, alpha=alpha, seed=seed, batch_size=40)
        )
        chosen = truth if certificate.label == 1 else 1 - truth
        wrong += certificate.p_lower > chosen
        # The smoothed answer changes where the chosen class has probability 1/2: nearer for a losing class.
        distance = 2 * lam * (chosen - 0.5)
        beyond += certificate.radius is not None and certificate.radius > distance
    allowed = alpha * runs + 4 * math.sqrt(alpha * runs)
    assert wrong <= allowed and beyond <= allowed
    assert wrong > 0  # so tight that chance does show


@pytest.mark.parametrize("method", NEIGHBOURS)
def test_the_model_gets_the_draws_of_its_stage_and_chunk_and_lambda(method):
    plan, seen = Plan(method, 300, n0=30, n=150, seed=9, batch_size=64), []

    def recording(x, lam):
        seen.append((x, lam))
        return threshold(x, lam)

    states = list(estimate(recording, IMAGE, plan))
    del seen[:3]  # where it was looked at whether samples are alone
    keys = [("selection", 0), ("estimation", 0), ("estimation", 1), ("estimation", 2)]
    assert len(seen) == len(keys) and plan.passes == 64 * len(keys)
    for (x, lam), (stage, chunk) in zip(seen, keys, strict=True):
        assert lam == plan.lam == lambda_from_levels(300)
        assert torch.equal(x, SAMPLERS[method](IMAGE, lam, 64, seed=9, stage=stage, chunk=chunk))
    kept = torch.cat([seen[1][0], seen[2][0], seen[3][0][:22]])
    assert states[-1].votes.tolist() == threshold(kept, plan.lam).argmax(1).bincount(minlength=2).tolist()


@pytest.mark.parametrize("method", NEIGHBOURS)
def test_the_box_radius_holds_for_a_classifier_whose_every_probability_is_known(method):
    """Class 1 where any of two samples lies above a threshold, which has a chance of x/(2*lambda) in each."""
    levels, image, alpha, runs = 612, torch.full((1, 1, 2), 30, dtype=torch.uint8), 0.05, 1000
    lam = lambda_from_levels(levels)
    threshold_of = {"uniform": lam, "ssn": 0.5}[method]  # x + u > lambda; or a split below the pixel

    def model(x, lam):
        score = x.flatten(1).max(dim=1).values - threshold_of
        return torch.stack([-score, score], dim=1)

    place = np.linspace(0, 1, 401)
    zero = np.outer(1 - place / (2 * lam), 1 - place / (2 * lam))  # probability of class 0 at every image
    distance = np.add.outer(abs(place - 30 / 255), abs(place - 30 / 255))
    nearest = distance[zero <= 0.5].min()
    assert 1 < nearest < 1.3  # so far that one pixel cannot go there alone: the box matters
    beyond = longer = 0
    for seed in range(runs):
        found = certify_randomized(model, image, Plan(method, levels, n0=20, n=400, alpha=alpha, seed=seed))
        beyond += found.box_radius > nearest
        longer += found.box_radius > found.radius
    assert longer > runs / 2
    assert beyond <= alpha * runs + 4 * math.sqrt(alpha * runs)


def test_alpha_is_no_part_of_the_counts():
    strict, loose = (Plan("uniform", 255, n=200, alpha=alpha) for alpha in (0.001, 0.1))
    state = last(estimate(threshold, IMAGE, strict))
    assert replace(state, plan=loose).p_lower > state.p_lower
    assert replace(state, plan=loose).p_lower == certify_randomized(threshold, IMAGE, loose).p_lower


def test_a_number_of_classes_that_changes_is_refused():
    classes = iter([2, 2, 2, 2, 3])  # three looks at the first chunk, then that and the second
    with pytest.raises(ValueError, match="3 classes, after 2 before"):
        certify_randomized(lambda x, lam: torch.zeros(len(x), next(classes)), IMAGE, Plan("uniform", 255, n=200))


# --- abstentions ---------------------------------------------------------------------------------------------------


def hesitant(share):
    """Class 1 with probability `share` under additive noise of lambda = 1 on a pixel of 0."""

    def model(x, lam):
        score = x[:, 0, 0, 0] - (1 - 2 * share)
        return torch.stack([-score, score], dim=1)

    return model


def reason(share, **settings):
    plan = Plan("uniform", 510, **settings)
    return certify_randomized(hesitant(share), torch.zeros(1, 1, 1, dtype=torch.uint8), plan).abstention


def test_abstentions_are_explained_with_the_numbers_at_hand():
    assert "n = 9 is too small for α = 0.001" in reason(1.0, n=9)
    assert reason(1.0, n=10) is None
    assert "samples would do" in reason(0.53, n=1000)
    reasons = [
        reason(0.45, n0=1, n=1000, seed=seed) for seed in range(8)
    ]  # one vote chooses wrong almost half the time
    assert any(text is not None and "More selection samples" in text for text in reasons)


def three_ways(x, lam):
    score = x[:, 0, 0, 0]
    return torch.stack([-(score - place).abs() for place in (-0.7, 0.0, 0.6)], dim=1)


def test_no_majority_is_said():
    plan = Plan("uniform", 510, n0=1000, n=2000)
    certificate = certify_randomized(three_ways, torch.zeros(1, 1, 1, dtype=torch.uint8), plan)
    assert certificate.radius is None and certificate.box_radius is None
    assert "No class has a majority" in certificate.abstention


@pytest.mark.parametrize("share", [0.51, 0.6, 0.9, 1.0])
def test_the_advised_number_of_samples_decides(share):
    needed = samples_to_decide(share, 0.001)
    assert lower_confidence_bound(math.floor(share * needed), needed, 0.001) > 0.5
    assert lower_confidence_bound(math.floor(share * needed * 0.9), math.floor(needed * 0.9), 0.001) <= 0.5


def test_no_number_of_samples_decides_a_tie():
    assert samples_to_decide(0.5, 0.001) is None
    assert samples_to_decide(0.5 + 1e-6, 0.001) is None
    assert samples_to_decide(0.502, 0.001) is not None


def test_what_a_plan_is_if_nothing_is_said():
    assert Plan("uniform", 441).n == 100_000  # as in the literature
    with pytest.raises(ValueError, match="alpha must lie"):
        Plan("uniform", 441, alpha=1)
