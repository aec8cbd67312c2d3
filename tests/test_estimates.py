from dataclasses import replace

import pytest
import torch

from dssn_core import estimates, load_model, tally
from dssn_core.classifier import Classifier
from dssn_core.constants import DUELS, PLURALITY
from dssn_core.datasets import Dataset
from dssn_core.estimates import RANDOMIZED, Sampled, quick_estimates, sampled
from dssn_core.gallery import built_in_pictures
from dssn_core.images import read_image
from dssn_core.manifest import StatedOffsets
from dssn_core.voting import complete


@pytest.fixture(scope="module")
def data(model):
    pictures = built_in_pictures()[:10]
    images = torch.stack([read_image(picture.path, (32, 32)) for picture in pictures])
    labels = torch.tensor([picture.label for picture in pictures])
    return Dataset(images, labels, model.class_names, "ten built-in pictures")


def of_first_choices(votes):
    """Images of class 0."""
    return Sampled(votes, torch.zeros_like(votes), torch.zeros(len(votes), dtype=torch.int64))


def test_a_label_must_lead_by_rho_over_lambda():
    votes = torch.tensor([[32, 0, 0], [20, 12, 0], [12, 20, 0], [16, 16, 0]])
    found = of_first_choices(votes).certified(PLURALITY, lam=2.0, rhos=(0.0, 0.5, 0.51, 2.0, 2.01))
    assert found == {0.0: 0.5, 0.5: 0.5, 0.51: 0.25, 2.0: 0.25, 2.01: 0.0}


def test_by_duels_it_must_lead_so_in_each_of_them():
    # 25 of 40 samples rank class 0 above 1 and 30 above 2: a lead of 10. First choices of the same samples tie.
    votes, wins = torch.tensor([[16, 16, 8]]), torch.tensor([[40, 25, 30]])
    one = Sampled(votes, wins, torch.zeros(1, dtype=torch.int64))
    assert one.certified(DUELS, 2.0, (0.0, 0.5, 0.51)) == {0.0: 1.0, 0.5: 1.0, 0.51: 0.0}
    assert one.certified(PLURALITY, 2.0, (0.0,)) == {0.0: 0.0}


def test_a_randomized_method_has_to_lead_all_other_classes_together():
    votes = torch.tensor([[45, 20, 20, 15], [60, 40, 0, 0], [80, 5, 5, 10]])
    found = of_first_choices(votes).certified(RANDOMIZED, 2.0, (0.0, 0.4, 1.2, 1.3))
    assert found == pytest.approx({0.0: 2 / 3, 0.4: 2 / 3, 1.2: 1 / 3, 1.3: 0})


def test_a_network_of_a_randomized_method_is_judged_as_one(data):
    model = load_model("cifar10-uniform")
    rhos = [0.0, 0.5, 1.0, 1.5, 2.0]
    (found,) = quick_estimates(model, data, [2.0], rhos, samples=20)
    few = sampled(model, data, 1766, 20, seed=0)
    as_dssn, as_one = (few.certified(way, 1766 / 510, rhos) for way in (PLURALITY, RANDOMIZED))
    assert found.certified == as_one != as_dssn


def test_a_network_that_counts_duels_is_judged_by_them(model, data):
    manifest = replace(model.manifest, counting=DUELS)
    duelling = Classifier(model.network, model.class_names, model.input_shape, model.precision, manifest).eval()
    rhos = [step / 10 for step in range(34)]
    by_duels, by_first_choices = (next(quick_estimates(one, data, [2.0], rhos, 40)) for one in (duelling, model))
    few = sampled(model, data, 1766, 40, seed=0)
    assert by_duels.certified == few.certified(DUELS, 1766 / 510, rhos) != by_first_choices.certified


def test_votes_are_of_all_images_and_follow_the_seed(model, data):
    votes = sampled(model, data, levels=441, samples=3, seed=5).votes
    assert votes.shape == (10, 10)
    assert votes.sum(dim=1).tolist() == [3] * 10
    assert torch.equal(votes, sampled(model, data, levels=441, samples=3, seed=5).votes)


def test_votes_do_not_depend_on_how_many_images_are_asked_at_once(model, data, monkeypatch):
    whole = sampled(model, data, levels=441, samples=3, seed=5).votes
    monkeypatch.setattr(estimates, "fitting_batch_size", lambda shape: 4)
    found = sampled(model, data, levels=441, samples=3, seed=5).votes
    assert int((found - whole).clamp(min=0).sum()) <= 1  # of 30: kernels follow the shape, and a near tie may turn


def test_images_of_another_size_are_refused(model, data):
    small = Dataset(data.images[..., ::2, ::2], data.labels, model.class_names, "half as large")
    with pytest.raises(ValueError, match="takes images of shape"):
        sampled(model, small, levels=441, samples=1, seed=0)


@pytest.fixture(scope="module")
def of_blocks(model):
    manifest = replace(model.manifest, offsets=StatedOffsets.of("r2", 0, model.input_shape, (3, 1, 1)))
    return Classifier(model.network, model.class_names, model.input_shape, model.precision, manifest).eval()


@pytest.mark.parametrize("name", ["model", "of_blocks"])
def test_an_estimate_comes_near_the_whole_vote(name, data, request):
    model = request.getfixturevalue(name)
    (found,) = quick_estimates(model, data, [0.15], [0.0, 0.15], samples=100)
    noise = model.manifest.noise_at(132)
    whole = [complete(tally(model, image, noise, counting=DUELS)) for image in data.images]
    votes = torch.stack([torch.tensor(vote.votes) for vote in whole])
    share = float(votes.gather(1, data.labels[:, None]).sum() / votes.sum())
    assert abs(found.single_sample - share) < 0.07  # 1,000 draws: 4.4 standard errors at worst
    wins = torch.stack([torch.tensor(vote.duels[c]).long() for vote, c in zip(whole, data.labels, strict=True)])
    wins[torch.arange(len(wins)), data.labels] = 132
    exact = Sampled(votes, wins, data.labels)
    assert all(
        abs(share - exact.certified(PLURALITY, 132 / 510, [rho])[rho]) <= 0.2 for rho, share in found.certified.items()
    )
    few = sampled(model, data, 132, 100, seed=0)
    assert (few.wins / 100 - exact.wins / 132).abs().max() < 0.22  # 4.4 standard errors at worst
