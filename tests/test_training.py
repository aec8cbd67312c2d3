import copy
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

from dssn_core import SplitNoise, count_votes, levels_from_sigma, load_model
from dssn_core.checkpoints import MANIFEST, read_manifest, save_checkpoint, save_manifest
from dssn_core.datasets import Dataset
from dssn_core.draws import BATCH, keyed_generator
from dssn_core.ensembles import joined
from dssn_core.held_out import held_out_of
from dssn_core.imagenet import efficientnet_lite0
from dssn_core.optimizers import learning_rate_factor
from dssn_core.tasks import TASKS
from dssn_core.train_settings import TrainSettings
from dssn_core.training import LOG, STATE, Trainer, disagreement, draw_levels, train
from dssn_core.voting import noise_for

SHAPE = (3, 16, 16)
TINY = TrainSettings(
    images=320,
    batch_size=32,
    learning_rate=0.05,
    averaging=0.8,  # a short run needs a short memory
    sigma_range=(0.2, 0.6),
    held_out_per_class=8,
    crop=2,
    network={"stem": 8, "stages": [8, 16]},
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def data():
    """60 noisy pictures of each of two classes, told apart by their colour."""
    labels = torch.arange(120) % 2
    images = torch.randint(0, 60, (120, *SHAPE), dtype=torch.uint8, generator=generator())
    images[labels == 0, 0] += 190
    images[labels == 1, 2] += 190
    return Dataset(images, labels, ("red", "blue"), "made here: 120 images")


def quiet(line):
    pass


def run(settings, data, output, start=None, **options):
    return train(Trainer(settings, data, start), output, report=quiet, log_every=64, check_every=160, **options)


def killed_run(settings, data, output, steps, save_every):
    """A run that dies after some steps, as if its process had been ended."""
    trainer = Trainer(settings, data)
    step = trainer.step

    def mortal():
        if trainer.position == steps:
            raise KeyboardInterrupt
        return step()

    trainer.step = mortal
    with pytest.raises(KeyboardInterrupt):
        train(trainer, output, report=quiet, log_every=64, check_every=160, save_every=save_every)


def log_of(output):
    return [json.loads(line) for line in (output / LOG).read_text().splitlines()]


# --- the run ---


def test_a_short_run_learns_an_easy_task(data, tmp_path):
    settings = replace(TINY, images=32 * 40)
    manifest = run(settings, data, tmp_path / "easy")
    log = log_of(tmp_path / "easy")
    assert log[-1]["loss"] < 0.5 * log[0]["loss"]
    assert log[-1]["accuracy"] > 0.9
    assert manifest.measured["held_out_single_sample_accuracy"]["by_sigma"]["0.5"] > 0.9
    # The checkpoint written at the end is a model like any other, and it votes.
    model = load_model(str(tmp_path / "easy"))
    assert model.manifest.weights_sha256 == manifest.weights_sha256
    assert (model.class_names, model.input_shape) == (("red", "blue"), SHAPE)
    noise = SplitNoise(132, SHAPE)
    for image, label in zip(data.images[:4], data.labels[:4].tolist(), strict=True):
        assert count_votes(model, image, noise).argmax() == label


def test_two_runs_give_the_same_bits(data, tmp_path):
    one, other = (run(TINY, data, tmp_path / name / "tiny") for name in ("one", "other"))
    assert one == other
    seeded = run(replace(TINY, seed=1), data, tmp_path / "seeded" / "tiny")
    assert seeded.weights_sha256 != one.weights_sha256


# A state saved at every step, or none saved at all before the kill.
@pytest.mark.parametrize(
    ("optimizer", "steps", "save_every"),
    [("sgd", 1, 0), ("sgd", 5, 0), ("sgd", 9, 0), ("sgd", 5, 1e9), ("adamw", 5, 0), ("muon", 5, 0)],
)
def test_a_killed_run_resumes_to_the_same_bits(data, tmp_path, optimizer, steps, save_every):
    settings = replace(TINY, optimizer=optimizer)
    whole = run(settings, data, tmp_path / "whole" / "tiny")
    killed_run(settings, data, tmp_path / "killed" / "tiny", steps, save_every)
    resumed = run(settings, data, tmp_path / "killed" / "tiny")
    assert resumed == whole
    images = [record["images"] for record in log_of(tmp_path / "killed" / "tiny")]
    assert images == [64, 128, 192, 256, 320]  # nothing twice, nothing missing


def test_records_written_after_the_last_saved_state_are_dropped(data, tmp_path):
    killed_run(TINY, data, tmp_path / "tiny", 3, save_every=0)  # saved at 96 images
    with (tmp_path / "tiny" / LOG).open("a") as file:
        file.write('{"images": 128, "loss": 9.9}\n{"images": 192, "lo')
    run(TINY, data, tmp_path / "tiny")
    log = log_of(tmp_path / "tiny")
    assert [record["images"] for record in log] == [64, 128, 192, 256, 320]
    assert all(record["loss"] < 9 for record in log)


def test_a_finished_run_has_nothing_to_do(data, tmp_path):
    first = run(TINY, data, tmp_path / "tiny")
    log = log_of(tmp_path / "tiny")
    assert run(TINY, data, tmp_path / "tiny") == first
    assert log_of(tmp_path / "tiny") == log


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"learning_rate": 0.1}, {"images": 640}, {"network": {"stem": 8, "stages": [8, 8]}}],
    ids=str,
)
def test_other_settings_do_not_resume_a_run(data, tmp_path, change):
    killed_run(TINY, data, tmp_path / "tiny", 2, save_every=0)
    with pytest.raises(ValueError, match="other settings or data"):
        run(replace(TINY, **change), data, tmp_path / "tiny")


def test_a_damaged_state_is_refused_and_a_damaged_log_line_left_out(data, tmp_path):
    killed_run(TINY, data, tmp_path / "tiny", 2, save_every=0)
    path = tmp_path / "tiny" / STATE
    with safetensors.safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    for kept, message in ((None, "other settings or data"), (metadata, "is damaged .*; delete it")):
        path.write_bytes(safetensors.torch.save({"model.none": torch.zeros(1)}, kept))
        with pytest.raises(ValueError, match=message):
            run(TINY, data, tmp_path / "tiny")
    path.unlink()
    (tmp_path / "tiny" / LOG).write_text('{"loss": 1}\n{"images": "x"}\n')
    run(TINY, data, tmp_path / "tiny")
    assert all("images" in line for line in log_of(tmp_path / "tiny"))


def test_other_data_do_not_resume_a_run(data, tmp_path):
    killed_run(TINY, data, tmp_path / "tiny", 2, save_every=0)
    with pytest.raises(ValueError, match="other settings or data"):
        run(TINY, replace(data, description="other"), tmp_path / "tiny")


def test_the_state_holds_the_position(data, tmp_path):
    killed_run(TINY, data, tmp_path / "tiny", 4, save_every=0)
    trainer = Trainer(TINY, data)
    trainer.load_state(tmp_path / "tiny" / STATE)
    assert trainer.position == 4


def test_a_run_may_start_from_a_model(data, tmp_path):
    run(TINY, data, tmp_path / "first")
    start = str(tmp_path / "first")
    trainer = Trainer(replace(TINY, images=99), data, start=start)
    first = load_model(start)
    assert first.manifest.images_seen == 320
    manifest = trainer.manifest("second", {})
    assert manifest.training["start_weights_sha256"] == first.manifest.weights_sha256
    assert manifest.images_seen == 320  # none of its own yet
    expected = first.network.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in trainer.model.network.state_dict().items())


def test_a_run_cannot_start_from_a_model_of_other_settings(data, tmp_path):
    run(TINY, data, tmp_path / "first")
    with pytest.raises(ValueError, match="first is of other settings than this run, a film-resnet of"):
        Trainer(replace(TINY, network={"stem": 9, "stages": [8, 16]}), data, start=str(tmp_path / "first"))


def test_a_run_may_start_from_a_model_for_another_noise(data, tmp_path):
    first = run(TINY, data, tmp_path / "first")
    trainer = Trainer(replace(TINY, noise="uniform"), data, start=str(tmp_path / "first"))
    assert trainer.model.network.scaled_input  # which has no weights
    expected = load_model(str(tmp_path / "first")).network.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in trainer.model.network.state_dict().items())
    manifest = trainer.manifest("second", {})
    assert (manifest.noise, manifest.images_seen) == ("uniform", first.images_seen)


def test_a_run_may_start_from_a_member_of_an_ensemble(data, tmp_path):
    other = replace(TINY, network={"stem": 9, "stages": [8, 16]})
    members = [run(settings, data, tmp_path / name) for settings, name in ((other, "other"), (TINY, "first"))]
    save_checkpoint(tmp_path / "both", *joined([load_model(str(tmp_path / m.name)) for m in members], "both"))
    trainer = Trainer(replace(TINY, images=99), data, start=str(tmp_path / "both"))
    expected = load_model(str(tmp_path / "first")).network.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in trainer.model.network.state_dict().items())
    training = trainer.manifest("second", {}).training
    assert training["start_weights_sha256"] == members[1].weights_sha256 and training["images_before"] == 320


def test_what_is_held_out_is_remembered_over_other_data_and_under_other_names(data, tmp_path):
    digest = "sha256 " + "5" * 64
    first, renamed = (replace(data, description=f"{name}: 120 images, {digest}") for name in ("a.zip", "b.zip"))
    run(TINY, first, tmp_path / "first")
    run(replace(TINY, seed=5), replace(data, description="others"), tmp_path / "second", start=str(tmp_path / "first"))
    with pytest.raises(ValueError, match="held out other images of this data: start with seed 0"):
        Trainer(replace(TINY, seed=5), renamed, start=str(tmp_path / "first"))
    with pytest.raises(ValueError, match="held out other images of this data: start with seed 0"):
        Trainer(replace(TINY, seed=5), renamed, start=str(tmp_path / "second"))
    manifest = load_model(str(tmp_path / "first")).manifest
    assert torch.equal(held_out_of(manifest, renamed).images, held_out_of(manifest, first).images)
    silent = {name: told for name, told in manifest.training.items() if name != "seed"}
    with pytest.raises(ValueError, match="does not tell the 'seed' of its held-out images"):
        held_out_of(replace(manifest, training=silent), first)


def test_a_finished_run_that_is_run_again_keeps_what_was_measured_since(data, tmp_path):
    manifest = run(TINY, data, tmp_path / "tiny")
    save_manifest(tmp_path / "tiny", replace(manifest, measured={**manifest.measured, "certified_accuracy": {"1": 2}}))
    again = run(TINY, data, tmp_path / "tiny")
    assert again.weights_sha256 == manifest.weights_sha256
    assert again.measured == {**manifest.measured, "certified_accuracy": {"1": 2}}


@pytest.mark.parametrize("change", [{"seed": 5}, {"held_out_per_class": 9}])
def test_a_run_holds_out_what_its_start_held_out(data, tmp_path, change):
    run(TINY, data, tmp_path / "first")
    start = str(tmp_path / "first")
    with pytest.raises(ValueError, match="held out other images of this data: start with seed 0"):
        Trainer(replace(TINY, **change), data, start=start)
    Trainer(replace(TINY, **change), replace(data, description="other pictures"), start=start)


def test_a_run_does_not_start_from_a_model_of_the_same_images_packed_otherwise(data, tmp_path):
    """Another order of them holds out others."""
    run(TINY, replace(data, description="a.zip: 120 images, sha256 " + "5" * 64), tmp_path / "first")
    start = str(tmp_path / "first")
    with pytest.raises(ValueError, match="may be the same images in another order"):
        Trainer(TINY, replace(data, description="folder: 120 images, sha256 " + "6" * 64), start=start)
    Trainer(TINY, replace(data, description="more.zip: 130 images, sha256 " + "7" * 64), start=start)


def test_a_run_goes_on_with_data_under_another_name(data, tmp_path):
    first, renamed = (replace(data, description=f"{name}: 120 images, sha256 {'5' * 64}") for name in ("a", "b"))
    killed_run(TINY, first, tmp_path / "tiny", 4, save_every=0)
    assert run(TINY, renamed, tmp_path / "tiny").weights_sha256 == run(TINY, first, tmp_path / "whole").weights_sha256


def test_what_an_evaluation_wrote_during_the_last_check_is_not_lost(data, tmp_path, monkeypatch):
    trainer = Trainer(TINY, data)
    check = trainer.held_out_accuracy

    def meanwhile(model):
        if (tmp_path / "tiny" / MANIFEST).exists():
            manifest = read_manifest(tmp_path / "tiny")
            save_manifest(tmp_path / "tiny", replace(manifest, measured={"certified_accuracy": {"1": 2}}))
        return check(model)

    monkeypatch.setattr(trainer, "held_out_accuracy", meanwhile)
    measured = train(trainer, tmp_path / "tiny", report=quiet).measured
    assert measured.keys() == {"certified_accuracy", "held_out_single_sample_accuracy"}


def test_a_run_does_not_write_over_a_model(data, tmp_path):
    manifest = run(TINY, data, tmp_path / "tiny")
    (tmp_path / "tiny" / STATE).unlink()
    with pytest.raises(ValueError, match="holds a model, and no state of a run"):
        run(replace(TINY, learning_rate=0.01), data, tmp_path / "tiny")
    assert load_model(str(tmp_path / "tiny")).manifest == manifest


def test_a_run_named_as_an_installed_model_is_a_model_of_its_own(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train(Trainer(TINY, data), Path("cifar10-dssn"), report=quiet)
    assert load_model(str(tmp_path / "cifar10-dssn")).class_names == ("red", "blue")


def test_the_log_holds_what_it_says(data, tmp_path):
    train(Trainer(TINY, data), tmp_path / "tiny", report=quiet, log_every=64, check_every=128)
    log = log_of(tmp_path / "tiny")
    assert all({"images", "loss", "accuracy", "images_per_second"} <= record.keys() for record in log)
    assert [record["images"] for record in log if "held_out" in record] == [128, 256, 320]  # and at the end


# --- data ---


def test_no_held_out_image_is_trained_on(data):
    trainer = Trainer(TINY, data)
    kept = {image.numpy().tobytes() for image in trainer.training.images}
    assert len(kept) == 104 and len(trainer.held_out) == 16
    assert not kept & {image.numpy().tobytes() for image in trainer.held_out.images}


def test_too_few_images_for_a_batch(data):
    with pytest.raises(ValueError, match="a batch of 128 needs more than 104 training images"):
        Trainer(replace(TINY, batch_size=128), data)


# --- augmentation ---


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


@pytest.mark.parametrize("noise", ["uniform", "ssn"])
def test_a_run_of_a_randomized_neighbour_learns_and_loads(noise, data, tmp_path):
    manifest = run(replace(TINY, noise=noise), data, tmp_path / "run")
    assert manifest.noise == noise
    assert manifest.measured["held_out_single_sample_accuracy"]["by_sigma"]["0.25"] > 0.8
    assert load_model(str(tmp_path / "run")).network.scaled_input == (noise == "uniform")


def test_training_in_bfloat16_gives_a_float32_classifier(data, tmp_path):
    manifest = run(replace(TINY, precision="bfloat16"), data, tmp_path / "run")
    assert (manifest.training["precision"], manifest.precision) == ("bfloat16", "float32")
    assert load_model(str(tmp_path / "run")).precision == "float32"
    assert manifest.measured["held_out_single_sample_accuracy"]["by_sigma"]["0.25"] > 0.8


# --- consistency ---


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


# --- what there is to train ---


def test_a_run_may_split_blocks_of_pixels(data, tmp_path):
    trainer = Trainer(replace(TINY, block=(1, 2, 2)), data)
    samples, *_ = trainer._noisy(torch.arange(4), generator(), 1)
    assert torch.equal(samples[..., ::2, ::2], samples[..., 1::2, 1::2])
    manifest = train(trainer, tmp_path / "blocks", report=quiet)
    assert manifest.block == (1, 2, 2)
    model = load_model(str(tmp_path / "blocks"))
    noise = noise_for(model, levels_from_sigma(0.3))
    assert noise.block == (1, 2, 2)
    right = [int(count_votes(model, data.images[place], noise).argmax()) == data.labels[place] for place in range(8)]
    assert sum(right) >= 6


def test_unknown_names_are_refused_when_the_run_is_made(data):
    with pytest.raises(ValueError, match="do not divide"):
        Trainer(replace(TINY, block=(1, 3, 1)), data)
    with pytest.raises(ValueError, match="do not divide"):  # the size that the classifier will take counts as well
        Trainer(replace(TINY, block=(1, 4, 1), input_size=(18, 18)), data)
    with pytest.raises(ValueError, match="no offset fractions named 'r3'"):
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


def test_a_network_of_pooled_stages_learns_of_unbounded_samples_too(data):
    trainer = Trainer(replace(TINY, architecture="film-pooled", network={"stages": [8, 8]}, noise="uniform"), data)
    assert trainer.model.network.scaled_input and math.isfinite(trainer.step()[0])


def test_a_denoiser_trains_resumes_and_loads(tmp_path):
    pictures = torch.randint(0, 256, (24, 3, 32, 32), generator=generator(3), dtype=torch.uint8)
    data = Dataset(pictures, torch.arange(24) % 2, tuple(f"class {c}" for c in range(1000)), "noise")
    settings = replace(
        TASKS["imagenet"].settings,
        network={"widths": [8, 12], "patch": 4},
        images=48,
        batch_size=8,
        held_out_per_class=2,
        crop=2,
        averaging=0.5,
    )
    whole = train(Trainer(settings, data), tmp_path / "whole", report=quiet)
    part = Trainer(settings, data)
    before = [part.step() for _ in range(3)]
    part.save_state(tmp_path / "part" / STATE)
    again = train(Trainer(settings, data), tmp_path / "part", report=quiet)
    assert again.weights_sha256 == whole.weights_sha256
    assert before[0][1] == 0 and before[-1][1] >= 0  # the classifier's answers count only after the first share
    model = load_model(str(tmp_path / "whole"))
    assert model.num_classes == 1000
    assert model.input_shape == (3, 224, 224)  # it takes larger pictures than it was trained on
    kept = model.network.classifier.state_dict()
    pretrained = efficientnet_lite0().state_dict()
    assert len(kept) > 90 and all(torch.equal(tensor, pretrained[name]) for name, tensor in kept.items())
