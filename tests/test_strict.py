"""Strict certificates: what holds however the close samples vote."""

import itertools

import numpy as np
import pytest
import torch

from dssn_core import certificate_from_votes, certify, count_votes, load_model, read_image
from dssn_core.gallery import built_in_pictures
from dssn_core.splitting import SplitNoise
from dssn_core.strict import Hesitant, StrictCertificate, strictly, undecided
from dssn_core.voting import answers_by_row, classify, noise_for, sample_labels


@pytest.fixture(scope="module")
def model():
    return load_model("cifar10-dssn")


@pytest.fixture(scope="module")
def image():
    return read_image(built_in_pictures()[9].path)


def certify_strictly(model, image, levels, gap):
    return strictly(sample_labels(Hesitant(model, gap), image, noise_for(model, levels)), model.num_classes, gap)


def completions(votes: tuple[int, ...], undecided: int):
    """All votes that the undecided samples can lead to."""
    for extra in itertools.product(range(undecided + 1), repeat=len(votes)):
        if sum(extra) == undecided:
            yield tuple(n + more for n, more in zip(votes, extra, strict=True))


@pytest.mark.parametrize("votes", [(9, 4, 2), (4, 9, 2), (5, 5, 5), (8, 7, 0), (0, 3, 12), (6, 0, 6)])
@pytest.mark.parametrize("undecided", [0, 1, 2, 5])
def test_the_strict_radius_is_the_smallest_of_all_completions(votes, undecided):
    strict = StrictCertificate(votes, undecided, gap=0.1)
    levels = strict.levels
    reached = [certificate_from_votes(complete, levels) for complete in completions(votes, undecided)]
    labels = {certificate.label for certificate in reached}
    if len(labels) > 1:
        assert strict.label is None and strict.radius_steps is None
    else:
        assert {strict.label} == labels
        assert strict.radius_steps == min(certificate.radius_steps for certificate in reached)


def test_decided_are_the_samples_whose_two_best_logits_are_apart(model, image):
    levels, gap = 60, 0.5
    noise = noise_for(model, levels)
    with torch.inference_mode():
        best = model(noise.samples(image, 0, levels), noise.lam).topk(2)
    sure = (best.values[:, 0] - best.values[:, 1]) > gap
    strict = certify_strictly(model, image, levels, gap)
    assert 0 < strict.undecided == int((~sure).sum()) < levels
    assert strict.votes == tuple(np.bincount(best.indices[sure, 0], minlength=10))


def test_a_lead_that_rounds_to_the_gap_is_none():
    """float32 has no 0.7: the lead of this sample is 0.69999999, which a comparison in float32 takes for 0.7."""
    logits = torch.tensor([[0.0, 0.7], [0.0, 0.70001], [0.0, 0.0]])
    assert undecided(logits, 0.7).tolist() == [True, False, True]


@pytest.mark.parametrize("logit", [0.0, 1e9, -1e9, 1e38, -1e38])
def test_a_tie_is_undecided_whatever_the_size_of_the_logits(logit):
    """float32 has no number between a billion and a billion less one."""
    tied = Hesitant(lambda x, lam: torch.full((len(x), 3), logit), 0.5)
    labels, classes = classify(tied, torch.zeros(2, 1, 1, 1), 0.5)
    assert classes == 6 and (labels >= 3).all()


def test_the_twins_hold_the_plain_votes_too(model, image):
    noise = noise_for(model, 60)
    with_twins = sample_labels(Hesitant(model, 0.5), image, noise)
    assert (with_twins % 10).tolist() == sample_labels(model, image, noise).tolist()
    assert (strictly(with_twins, 10, 0.5).votes, with_twins.max() >= 10) == (
        tuple(np.bincount(with_twins, minlength=20)[:10]),
        True,
    )


def test_a_model_in_training_mode_is_refused(image):
    model = load_model("cifar10-dssn").train()
    with pytest.raises(ValueError, match="training mode"):
        certify_strictly(model, image, 60, 0.5)


def test_a_loaded_model_answers_once_for_every_sample_also_in_here(model, image):
    rows = []
    with model.register_forward_hook(lambda module, args, logits: rows.append(len(logits))):
        strict = certify_strictly(model, image, 60, 0.5)
    assert sum(rows) == strict.levels == 60


def test_only_what_is_marked_itself_is_taken_to_answer_row_by_row(model):
    class Wrapper:
        def __getattr__(self, name):
            return getattr(model, name)

    assert answers_by_row(model) and answers_by_row(Hesitant(model, 0.5))
    assert not answers_by_row(Wrapper()) and not answers_by_row(Hesitant(Wrapper(), 0.5))


def test_a_network_whose_answers_depend_on_others_is_found_in_here_too(image):
    def lopsided(x, lam):
        return x.flatten(1)[:, :10] - x.mean()

    with pytest.raises(ValueError, match="changes with the others of its chunk"):
        count_votes(Hesitant(lopsided, 0.5), image, SplitNoise(60, tuple(image.shape)))


class Elsewhere:
    """The same network on a machine whose logits are off by up to `error`."""

    def __init__(self, model, error, seed):
        self.model, self.error, self.input_shape = model, error, model.input_shape
        self.seed = seed

    def __call__(self, x, lam):
        logits = self.model(x, lam)
        off = torch.rand(logits.shape, generator=torch.Generator().manual_seed(self.seed))
        return logits + self.error * (2 * off - 1)


@pytest.mark.parametrize("gap", [0.1, 0.5, 2.0])
def test_it_holds_where_the_logits_are_off_by_less_than_half_the_gap(model, image, gap):
    levels = 100
    strict = certify_strictly(model, image, levels, gap)
    assert strict.undecided
    for seed in range(5):
        votes = count_votes(Elsewhere(model, 0.499 * gap, seed), image, noise_for(model, levels))
        there = certificate_from_votes(votes, levels)
        assert all(there.votes[c] >= n for c, n in enumerate(strict.votes))
        assert strict.label is None or (strict.label == there.label and strict.radius_steps <= there.radius_steps)


def test_it_is_never_larger_than_the_certificate(model, image):
    plain = certify(model, image, 100)
    radii = [certify_strictly(model, image, 100, gap).radius_steps for gap in (1e-6, 0.1, 0.5, 1.0)]
    assert radii[0] == plain.radius_steps
    known = [radius for radius in radii if radius is not None]
    assert known == sorted(known, reverse=True)


def test_a_hesitation_about_everything_is_no_certificate(model, image):
    strict = certify_strictly(model, image, 40, 1e6)
    assert (strict.undecided, strict.label, strict.radius_steps) == (40, None, None)


@pytest.mark.parametrize("gap", [0.0, -1.0, float("nan"), float("inf")])
def test_a_gap_that_is_none_is_refused(model, image, gap):
    with pytest.raises(ValueError, match="gap"):
        certify_strictly(model, image, 40, gap)
