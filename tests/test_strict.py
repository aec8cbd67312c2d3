"""Strict certificates: what holds however the close samples vote."""

import numpy as np
import oracle
import pytest
import torch

from dssn_core import certificate_from_votes, certify, radius_bounds
from dssn_core.constants import COUNTINGS, PLURALITY
from dssn_core.counts import undecided
from dssn_core.duels import count_duels
from dssn_core.strict import StrictCertificate, certified, prices, strictly


def logits_of(model, image, levels):
    noise = model.manifest.noise_at(levels)
    with torch.inference_mode():
        return model(noise.samples(image, 0, levels), noise.lam).numpy()


def certify_strictly(model, image, levels, gap, counting=PLURALITY):
    return strictly(logits_of(model, image, levels), gap, counting)


@pytest.mark.parametrize("votes", [(9, 4, 2), (4, 9, 2), (5, 5, 5), (8, 7, 0), (0, 3, 12), (6, 0, 6)])
@pytest.mark.parametrize("undecided", [0, 1, 2, 5])
def test_the_strict_radius_is_the_smallest_of_all_completions(votes, undecided):
    levels = sum(votes) + undecided
    strict = StrictCertificate(levels, 0.1, votes, radius_bounds(votes, levels))
    assert strict.undecided == undecided
    reached = [certificate_from_votes(complete, levels) for complete in oracle.completions(votes, levels)]
    labels = {certificate.label for certificate in reached}
    if len(labels) > 1:
        assert strict.label is None and strict.radius_steps is None
    else:
        assert {strict.label} == labels
        assert strict.radius_steps == min(certificate.radius_steps for certificate in reached)


def test_decided_are_the_samples_whose_two_best_logits_are_apart(model, image):
    levels, gap = 60, 0.5
    noise = model.manifest.noise_at(levels)
    with torch.inference_mode():
        best = model(noise.samples(image, 0, levels), noise.lam).topk(2)
    sure = (best.values[:, 0] - best.values[:, 1]) > gap
    strict = certify_strictly(model, image, levels, gap)
    assert 0 < strict.undecided == int((~sure).sum()) < levels
    assert strict.votes == tuple(np.bincount(best.indices[sure, 0], minlength=10))


def test_a_lead_of_the_gap_or_that_rounds_to_it_is_none():
    """float32 has no 0.7: the lead of this sample is 0.69999999."""
    exact = np.array([[0.0, 0.5]], dtype=np.float32)
    assert undecided(exact, 0.5).all() and not count_duels(exact, 0.5).any()
    logits = np.array([[0.0, 0.7], [0.0, 0.70001], [0.0, 0.0]], dtype=np.float32)
    assert undecided(logits, 0.7).tolist() == [True, False, True]
    assert count_duels(logits, 0.7).tolist() == [[0, 0], [1, 0]]


@pytest.mark.parametrize("logit", [0.0, 1e9, -1e9, 1e38, -1e38])
def test_a_tie_is_undecided_whatever_the_size_of_the_logits(logit):
    """float32 has no number between a billion and a billion less one."""
    tied = np.full((2, 3), logit, dtype=np.float32)
    assert undecided(tied, 0.5).all() and not count_duels(tied, 0.5).any()


class Elsewhere:
    """The same network on a machine whose logits are off by up to `error`."""

    def __init__(self, model, error, seed):
        self.model, self.error, self.input_shape, self.manifest = model, error, model.input_shape, model.manifest
        self.seed = seed

    def __call__(self, x, lam):
        logits = self.model(x, lam)
        off = torch.rand(logits.shape, generator=torch.Generator().manual_seed(self.seed))
        return logits + self.error * (2 * off - 1)


@pytest.mark.parametrize("counting", COUNTINGS)
@pytest.mark.parametrize("gap", [0.1, 0.5, 2.0])
def test_it_holds_where_the_logits_are_off_by_less_than_half_the_gap(model, contested, gap, counting):
    levels = 300
    strict = certify_strictly(model, contested, levels, gap, counting)
    assert strict.undecided and (strict.label is not None or gap > 0.1)
    for seed in range(5):
        there = certified(logits_of(Elsewhere(model, 0.499 * gap, seed), contested, levels), counting)
        assert all(there.votes[c] >= n for c, n in enumerate(strict.votes))
        assert strict.label is None or (strict.label == there.label and strict.radius_steps <= there.radius_steps)


@pytest.mark.parametrize("counting", COUNTINGS)
def test_the_worst_logits_within_half_the_gap_leave_the_strict_radius(counting):
    """Every logit of the winner is lower and all others higher, by almost that; by duels it cannot be worse."""
    logits = np.random.RandomState(0).randint(-8, 9, (300, 4)).astype(np.float32) / 4
    logits[:, 1] += 3
    strict = strictly(logits, 0.6, counting)
    there = certified(logits + np.float32(0.29) * np.array([1, -1, 1, 1], dtype=np.float32), counting)
    assert strict.label == there.label == 1
    if counting == PLURALITY:
        assert 0 < strict.radius_steps <= there.radius_steps
    else:
        assert 0 < strict.radius_steps == there.radius_steps


@pytest.mark.parametrize("counting", COUNTINGS)
def test_it_is_never_larger_than_the_certificate(model, contested, counting):
    logits = logits_of(model, contested, 300)
    plain = certified(logits, counting)
    radii = [strictly(logits, gap, counting).radius_steps for gap in (1e-6, 0.1, 0.5, 1.0)]
    assert radii[0] == plain.radius_steps
    known = [radius for radius in radii if radius is not None]
    assert known == sorted(known, reverse=True)


@pytest.mark.parametrize("counting", COUNTINGS)
def test_a_hesitation_about_everything_is_no_certificate(model, image, counting):
    strict = certify_strictly(model, image, 40, 1e6, counting)
    assert (strict.undecided, strict.label, strict.radius_steps) == (40, None, None)


@pytest.mark.parametrize("gap", [0.0, -1.0, float("nan"), float("inf")])
def test_a_gap_that_is_none_is_refused(model, image, gap):
    with pytest.raises(ValueError, match="gap"):
        certify_strictly(model, image, 40, gap)


def test_tied_logits_are_the_first_class_in_the_price_too():
    """Of two classes that all samples like best the first one wins them all, and nothing is decided."""
    tied = np.zeros((60, 10), dtype=np.float32)
    tied[:, [2, 7]] = 1
    expected = certificate_from_votes([0, 0, 60, *[0] * 7], 60).radius_steps
    for price in prices([tied], PLURALITY):
        assert (price.steps, price.undecided, price.lost) == ((expected, 0), 60, 1)


@pytest.mark.parametrize("counting", COUNTINGS)
def test_the_price_of_strictness_is_that_of_strict_certificates(model, image, contested, counting):
    images = [image, contested]
    reference = [logits_of(model, one, 60) for one in images]
    for price in prices(reference, counting):
        strict = [strictly(logits, price.gap, counting) for logits in reference]
        plain = [certify(model, image, 60, counting=counting).radius_steps for image in images]
        assert price.undecided == sum(one.undecided for one in strict)
        assert price.lost == sum(one.label is None for one in strict)
        assert price.steps == (sum(plain), sum(one.radius_steps or 0 for one in strict))
        assert (price.votes, price.images) == (120, 2)
