from dataclasses import replace

import pytest
import torch

from dssn_core import count_votes, estimates, load_model
from dssn_core.checkpoints import offsets_record
from dssn_core.classifier import Classifier
from dssn_core.datasets import Dataset
from dssn_core.estimates import estimated_certified, quick_estimates, sampled_votes
from dssn_core.gallery import built_in_pictures
from dssn_core.images import read_image
from dssn_core.voting import noise_for


@pytest.fixture(scope="module")
def model():
    return load_model("cifar10-dssn")


@pytest.fixture(scope="module")
def data(model):
    pictures = built_in_pictures()[:10]
    images = torch.stack([read_image(picture.path, (32, 32)) for picture in pictures])
    labels = torch.tensor([picture.label for picture in pictures])
    return Dataset(images, labels, model.class_names, "ten built-in pictures")


def test_a_label_must_lead_by_rho_over_lambda():
    votes = torch.tensor([[32, 0, 0], [20, 12, 0], [12, 20, 0], [16, 16, 0]])
    found = estimated_certified(votes, torch.zeros(4, dtype=torch.int64), lam=2.0, rhos=(0.0, 0.5, 0.51, 2.0, 2.01))
    assert found == {0.0: 0.5, 0.5: 0.5, 0.51: 0.25, 2.0: 0.25, 2.01: 0.0}


def test_a_randomized_method_has_to_lead_all_other_classes_together():
    votes = torch.tensor([[45, 20, 20, 15], [60, 40, 0, 0], [80, 5, 5, 10]])
    found = estimated_certified(votes, torch.zeros(3, dtype=torch.int64), 2.0, (0.0, 0.4, 1.2, 1.3), randomized=True)
    assert found == pytest.approx({0.0: 2 / 3, 0.4: 2 / 3, 1.2: 1 / 3, 1.3: 0})


def test_a_network_of_a_randomized_method_is_judged_as_one(data):
    model = load_model("cifar10-uniform")
    rhos = [0.0, 0.5, 1.0, 1.5, 2.0]
    (found,) = quick_estimates(model, data, [2.0], rhos, samples=20)
    votes = sampled_votes(model, data, 1766, 20, seed=0)
    as_dssn, as_one = (estimated_certified(votes, data.labels, 1766 / 510, rhos, way) for way in (False, True))
    assert found.certified == as_one != as_dssn


def test_votes_are_of_all_images_and_follow_the_seed(model, data):
    votes = sampled_votes(model, data, levels=441, samples=3, seed=5)
    assert votes.shape == (10, 10)
    assert votes.sum(dim=1).tolist() == [3] * 10
    assert torch.equal(votes, sampled_votes(model, data, levels=441, samples=3, seed=5))


def test_votes_do_not_depend_on_how_many_images_are_asked_at_once(model, data, monkeypatch):
    whole = sampled_votes(model, data, levels=441, samples=3, seed=5)
    monkeypatch.setattr(estimates, "fitting_batch_size", lambda shape: 4)
    found = sampled_votes(model, data, levels=441, samples=3, seed=5)
    assert int((found - whole).clamp(min=0).sum()) <= 1  # of 30: kernels follow the shape, and a near tie may turn


def test_images_of_another_size_are_refused(model, data):
    small = Dataset(data.images[..., ::2, ::2], data.labels, model.class_names, "half as large")
    with pytest.raises(ValueError, match="takes images of shape"):
        sampled_votes(model, small, levels=441, samples=1, seed=0)


@pytest.fixture(scope="module")
def of_blocks(model):
    manifest = replace(model.manifest, offsets=offsets_record("r2", 0, model.input_shape, (3, 1, 1)))
    return Classifier(model.network, model.class_names, model.input_shape, model.precision, manifest).eval()


@pytest.mark.parametrize("name", ["model", "of_blocks"])
def test_an_estimate_comes_near_the_whole_vote(name, data, request):
    model = request.getfixturevalue(name)
    (found,) = quick_estimates(model, data, [0.5], [0.0, 0.5], samples=200)
    noise = noise_for(model, 441)
    votes = torch.stack([torch.as_tensor(count_votes(model, image, noise)) for image in data.images])
    share = float(votes.gather(1, data.labels[:, None]).sum() / votes.sum())
    assert abs(found.single_sample - share) < 0.05  # 2,000 draws: 4.5 standard errors at worst
    exact = estimated_certified(votes, data.labels, 441 / 510, [0.0, 0.5])
    assert all(abs(found.certified[rho] - exact[rho]) <= 0.2 for rho in exact)
