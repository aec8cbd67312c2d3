import copy
import math
from dataclasses import replace

import pytest
import torch

from dssn_core import SplitNoise, levels_from_sigma
from dssn_core.datasets import Dataset
from dssn_core.draws import BATCH, keyed_generator
from dssn_core.offsets import offsets_at
from dssn_core.optimizers import learning_rate_factor
from dssn_core.tasks import TASKS
from dssn_core.training import Trainer, disagreement, draw_levels
from tests.tiny_run import SHAPE, TINY, generator, two_colours


@pytest.fixture(scope="module")
def data():
    return two_colours()


def test_no_held_out_image_is_trained_on(data):
    trainer = Trainer(TINY, data)
    kept = {image.numpy().tobytes() for image in trainer.training.images}
    assert len(kept) == 104 and len(trainer.held_out) == 16
    assert not kept & {image.numpy().tobytes() for image in trainer.held_out.images}


def test_too_few_images_for_a_batch(data):
    with pytest.raises(ValueError, match="a batch of 128 needs more than 104 training images"):
        Trainer(replace(TINY, batch_size=128), data)


def test_only_steps_see_distorted_pictures(data):
    """The statistics of the averaged weights are those of pictures as they come."""
    plain, other = (Trainer(replace(TINY, operations=operations), data) for operations in (0, 2))
    weights, others = (trainer.averaged().state_dict() for trainer in (plain, other))
    assert all(torch.equal(value, others[name]) for name, value in weights.items())
    assert plain.step() != other.step()


def test_half_of_the_draws_are_below_the_middle_of_the_roots():
    levels = draw_levels(4001, (0.25, 4.0), generator())
    assert levels.double().median() == pytest.approx(levels_from_sigma(1.25**2), rel=0.05)


@pytest.mark.parametrize("sigma_range", [(0.1, 3.5), (0.5, 0.5), (0.2, 0.21)])
def test_levels_are_drawn_from_the_range(sigma_range):
    levels = draw_levels(5000, sigma_range, generator())
    low, high = (levels_from_sigma(sigma) for sigma in sigma_range)
    assert levels.dtype == torch.int64
    assert low <= levels.min() and levels.max() <= high
    assert levels.max() - levels.min() >= 0.98 * (high - low)


def test_disagreement_by_hand():
    certain, torn = [math.log(1 - 1e-12), math.log(1e-12)], [math.log(0.5), math.log(0.5)]
    logits = torch.tensor(
        [certain, certain, torn, certain], dtype=torch.float64
    )  # images: (certain, torn), (certain x2)
    mean = (0.75, 0.25)
    expected = (math.log(1 / mean[0]) + sum(0.5 * math.log(0.5 / m) for m in mean)) / 2
    assert float(disagreement(logits, torch.tensor([3.0, 7.0]))) == pytest.approx(3.0 * expected / 2, abs=1e-9)


def test_disagreement_is_symmetric_bounded_and_zero_for_equals():
    logits = torch.randn(12, 5, generator=generator()) * 3
    first, second = logits.chunk(2)
    ones = torch.ones(6)
    value = float(disagreement(logits, ones))
    assert value == pytest.approx(float(disagreement(torch.cat([second, first]), ones)))
    assert 0 < value <= math.log(2)
    assert float(disagreement(torch.cat([first, first]), ones)) == pytest.approx(0, abs=1e-6)


def test_consistency_trains_on_two_samples_of_each_image(data):
    trainer = Trainer(replace(TINY, consistency=1.0), data)
    samples, levels, labels, images = trainer._noisy(trainer._batch_indices(), generator(), 2)
    assert (len(samples), len(levels), len(labels), len(images)) == (32, 32, 32, 32)
    assert torch.equal(levels[:16], levels[16:]) and torch.equal(labels[:16], labels[16:])
    assert not torch.equal(samples[:16], samples[16:])


def test_the_loss_of_a_step_is_cross_entropy_plus_weighted_disagreement(data):
    settings = replace(TINY, consistency=0.5)
    trainer = Trainer(settings, data)
    generator_of_step = keyed_generator(settings.seed, BATCH, 0)
    samples, levels, labels, _ = trainer._noisy(trainer._batch_indices(), generator_of_step, 2)
    lam = levels.float() / 510
    with torch.no_grad():
        before = copy.deepcopy(trainer.model)(samples, lam)
    expected = torch.nn.functional.cross_entropy(before, labels) + 0.5 * disagreement(before, lam[:16])
    assert trainer.step()[0] == pytest.approx(float(expected), rel=1e-5)


def test_a_loss_that_is_no_number_ends_the_run(data):
    trainer = Trainer(TINY, data)
    with torch.no_grad():
        trainer.model.network.head.weight.fill_(math.nan)
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        trainer.step()


def test_only_convolutions_and_linear_weights_decay(data):
    trainer = Trainer(replace(TINY, weight_decay=0.25), data)
    decays = {p: group["weight_decay"] for group in trainer.optimizer.param_groups for p in group["params"]}
    assert len(decays) == len(list(trainer.model.parameters()))
    assert {(p.ndim, decay) for p, decay in decays.items()} == {(4, 0.25), (2, 0.25), (1, 0.0)}


def test_steps_follow_the_learning_rates_schedule(data):
    trainer = Trainer(TINY, data)
    for position in range(TINY.steps):
        trainer.step()
        expected = 0.05 * learning_rate_factor(position / TINY.steps, TINY.warmup)
        assert {group["lr"] for group in trainer.optimizer.param_groups} == {expected}


def test_every_epoch_shows_every_image_once_in_an_order_of_its_own(data):
    trainer = Trainer(replace(TINY, batch_size=26), data)  # four batches of the 104 images
    orders = []
    for epoch in range(2):
        batches = []
        for place in range(4):
            trainer.position = 4 * epoch + place
            batches += trainer._batch_indices().tolist()
        assert sorted(batches) == list(range(104))
        orders.append(batches)
    assert orders[0] != orders[1]


def test_the_statistics_of_the_averaged_weights_do_not_depend_on_what_was_measured_before(data):
    trainer = Trainer(TINY, data)
    trainer.step()
    first, again = (copy.deepcopy(trainer.averaged()).state_dict() for _ in range(2))
    assert all(torch.equal(value, again[name]) for name, value in first.items())


def after(settings, data, steps=3):
    trainer = Trainer(settings, data)
    for _ in range(steps):
        trainer.step()
    return trainer


def test_the_check_is_of_held_out_images(data):
    trainer = after(TINY, data, TINY.steps)
    model = trainer.averaged()
    right = trainer.held_out_accuracy(model)
    trainer.held_out = replace(trainer.held_out, labels=1 - trainer.held_out.labels)
    wrong = trainer.held_out_accuracy(model)
    assert right["0.25"] > 0.5
    assert all(wrong[sigma] == pytest.approx(1 - share, abs=1e-4) for sigma, share in right.items())


def test_averaged_weights_have_statistics_of_their_own(data):
    trainer = after(replace(TINY, averaging=0.5), data)
    before = {n: t.clone() for n, t in trainer.average.module.named_buffers() if n.endswith("running_mean")}
    found = dict(trainer.averaged().named_buffers())
    assert before and not any(torch.equal(found[name], tensor) for name, tensor in before.items())


def test_the_noise_of_the_training_is_that_of_the_manifest(data):
    trainer = Trainer(replace(TINY, offsets="white", seed=5), data)
    told = trainer.manifest("x").offsets
    noise = SplitNoise(441, SHAPE, told.scheme, told.seed)
    assert torch.equal(offsets_at(trainer.fractions, 441), noise.offsets)


OTHERS = (
    {"crop": 0},
    {"zoom": 1.5},
    {"momentum": 0.5},
    {"weight_decay": 0.1},
    {"averaging": 0.5},
    {"warmup": 0.5},
    {"sigma_range": (0.2, 0.5)},
    {"precision": "bfloat16"},
    {"inference": "bfloat16"},
    {"optimizer": "muon"},
    {"optimizer": "adamw"},
)


@pytest.mark.parametrize("change", OTHERS, ids=str)
def test_every_setting_matters(change, data):
    one, other = (after(settings, data).averaged().state_dict() for settings in (TINY, replace(TINY, **change)))
    assert any(not torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_unknown_names_are_refused_when_the_run_is_made(data):
    with pytest.raises(ValueError, match="do not divide"):
        Trainer(replace(TINY, block=(1, 3, 1)), data)
    with pytest.raises(ValueError, match="do not divide"):  # the size that the classifier will take counts as well
        Trainer(replace(TINY, block=(1, 4, 1), input_size=(18, 18)), data)
    with pytest.raises(ValueError, match="unknown scheme of offset fractions 'r3'"):
        Trainer(replace(TINY, offsets="r3"), data)
    with pytest.raises(ValueError, match="unknown architecture 'vgg'"):
        Trainer(replace(TINY, architecture="vgg"), data)


@pytest.mark.parametrize(
    ("architecture", "network", "message"),
    [
        ("film-pooled", {"stages": [8] * 6}, "pictures of 16 x 16 do not fit through this network"),
        ("film-pooled", {"stages": [8], "subsample": 16}, "do not fit through this network"),
        ("ensemble", {"members": [{"architecture": "film-resnet", "settings": {}}] * 2}, "trained each by itself"),
    ],
)
def test_networks_that_cannot_be_trained_are_refused_when_the_run_is_made(data, architecture, network, message):
    with pytest.raises(ValueError, match=message):
        Trainer(replace(TINY, architecture=architecture, network=network), data)


def test_a_classifier_without_a_denoiser_has_nothing_to_train():
    pictures = torch.zeros(24, 3, 32, 32, dtype=torch.uint8)
    data = Dataset(pictures, torch.arange(24) % 2, tuple(f"class {c}" for c in range(1000)), "noise")
    settings = replace(TASKS["imagenet"].settings, architecture="pretrained-lite0", network={}, held_out_per_class=2)
    with pytest.raises(ValueError, match="has nothing to train"):
        Trainer(replace(settings, images=48, batch_size=8), data)


def test_a_network_of_pooled_stages_learns_of_additive_noise_too(data):
    trainer = Trainer(replace(TINY, architecture="film-pooled", network={"stages": [8, 8]}, noise="uniform"), data)
    assert trainer.model.network.scaled_input and math.isfinite(trainer.step()[0])
