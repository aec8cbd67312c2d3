import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dssn_core import SplitNoise, count_votes, levels_from_sigma, load_model, training
from dssn_core.checkpoints import read_manifest, save_checkpoint, save_manifest
from dssn_core.datasets import Dataset
from dssn_core.denoising import denoising_loss
from dssn_core.ensembles import joined
from dssn_core.held_out import held_out_of
from dssn_core.imagenet import efficientnet_lite0
from dssn_core.manifest import MANIFEST
from dssn_core.tasks import TASKS
from dssn_core.training import Trainer
from dssn_core.training_run import LOG, STATE, train
from dssn_core.training_state import load_state, save_state
from tests.tiny_run import SHAPE, TINY, generator, two_colours


@pytest.fixture(scope="module")
def data():
    return two_colours()


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


def test_an_interrupted_run_goes_on_from_the_step_that_was_under_way(data, tmp_path):
    """Though no state was due for a long time; and as the whole one, for it is not left in the middle of a step."""
    trainer, reports = Trainer(TINY, data), []
    step = trainer.step

    def interrupted():
        if trainer.position == 4:
            signal.raise_signal(signal.SIGINT)
        return step()

    trainer.step = interrupted
    with pytest.raises(KeyboardInterrupt):
        train(trainer, tmp_path / "left" / "tiny", report=reports.append, log_every=64, check_every=160)
    assert reports[-1] == "saved at 160 images; the same command goes on from there"
    anew = Trainer(TINY, data)
    load_state(anew, tmp_path / "left" / "tiny" / STATE)
    assert anew.position == 5
    assert run(TINY, data, tmp_path / "left" / "tiny") == run(TINY, data, tmp_path / "whole" / "tiny")


def test_a_resumed_run_checks_where_the_whole_one_does(data, tmp_path):
    whole, killed = tmp_path / "whole" / "tiny", tmp_path / "killed" / "tiny"
    run(TINY, data, whole)
    killed_run(TINY, data, killed, 5, save_every=0)  # saved at 160 images, where a check is due with the next line
    run(TINY, data, killed)
    checked = [[line["images"] for line in log_of(folder) if "held_out" in line] for folder in (whole, killed)]
    assert checked[0] == checked[1] != []


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


def test_a_damaged_log_line_is_left_out(data, tmp_path):
    killed_run(TINY, data, tmp_path / "tiny", 2, save_every=0)
    (tmp_path / "tiny" / STATE).unlink()
    (tmp_path / "tiny" / LOG).write_text('{"loss": 1}\n{"images": "x"}\n')
    run(TINY, data, tmp_path / "tiny")
    assert all("images" in line for line in log_of(tmp_path / "tiny"))


def test_a_run_may_start_from_a_model(data, tmp_path):
    run(TINY, data, tmp_path / "first")
    start = str(tmp_path / "first")
    trainer = Trainer(replace(TINY, images=99), data, start=start)
    first = load_model(start)
    assert first.manifest.images_seen == 320
    manifest = trainer.manifest("second")
    assert manifest.training["start_weights_sha256"] == first.manifest.weights_sha256
    assert manifest.images_seen == 320  # none of its own yet
    expected = first.network.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in trainer.model.network.state_dict().items())


def test_a_run_cannot_start_from_a_model_of_other_settings(data, tmp_path):
    run(TINY, data, tmp_path / "first")
    with pytest.raises(ValueError, match="first has other settings than this run: a film-resnet of"):
        Trainer(replace(TINY, network={"stem": 9, "stages": [8, 16]}), data, start=str(tmp_path / "first"))


def test_a_run_cannot_start_from_a_model_of_other_classes(data, tmp_path):
    run(TINY, data, tmp_path / "first")
    labels, names = torch.arange(len(data)) % 3, ("red", "green", "blue")
    other = Dataset(data.images, labels, names, "made here too: 120 images")
    with pytest.raises(ValueError, match=r"first has other settings than this run: a film-resnet of .*, for 2 classes"):
        Trainer(replace(TINY, images=99), other, start=str(tmp_path / "first"))


def test_a_run_may_start_from_a_model_for_another_noise(data, tmp_path):
    first = run(TINY, data, tmp_path / "first")
    trainer = Trainer(replace(TINY, noise="uniform"), data, start=str(tmp_path / "first"))
    assert trainer.model.network.scaled_input  # which has no weights
    expected = load_model(str(tmp_path / "first")).network.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in trainer.model.network.state_dict().items())
    manifest = trainer.manifest("second")
    assert (manifest.noise, manifest.images_seen) == ("uniform", first.images_seen)


def test_a_run_may_start_from_a_member_of_an_ensemble(data, tmp_path):
    other = replace(TINY, network={"stem": 9, "stages": [8, 16]})
    members = [run(settings, data, tmp_path / name) for settings, name in ((other, "other"), (TINY, "first"))]
    save_checkpoint(tmp_path / "both", *joined([load_model(str(tmp_path / m.name)) for m in members], "both"))
    trainer = Trainer(replace(TINY, images=99), data, start=str(tmp_path / "both"))
    expected = load_model(str(tmp_path / "first")).network.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in trainer.model.network.state_dict().items())
    training = trainer.manifest("second").training
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
    one, other = (held_out_of(manifest, data.listing()).load() for data in (renamed, first))
    assert torch.equal(one.images, other.images)
    silent = {name: told for name, told in manifest.training.items() if name != "seed"}
    with pytest.raises(ValueError, match="does not state the 'seed' of its held-out images"):
        held_out_of(replace(manifest, training=silent), first.listing())


def test_votes_of_a_randomized_method_are_not_counted_by_duels(data, tmp_path):
    with pytest.raises(ValueError, match="only DSSN counts votes by duels, not 'ssn'"):
        run(replace(TINY, noise="ssn"), data, tmp_path / "tiny", counting="duels")
    assert not (tmp_path / "tiny").exists()  # nothing was trained that could not be loaded
    assert run(replace(TINY, noise="ssn"), data, tmp_path / "tiny", counting="plurality").counting == "plurality"


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
    with pytest.raises(ValueError, match="holds a model, but no state of a run"):
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


def test_a_run_may_split_blocks_of_pixels(data, tmp_path):
    trainer = Trainer(replace(TINY, block=(1, 2, 2)), data)
    samples, *_ = trainer._noisy(torch.arange(4), generator(), 1)
    assert torch.equal(samples[..., ::2, ::2], samples[..., 1::2, 1::2])
    manifest = train(trainer, tmp_path / "blocks", report=quiet)
    assert manifest.block == (1, 2, 2)
    model = load_model(str(tmp_path / "blocks"))
    noise = model.manifest.noise_at(levels_from_sigma(0.3))
    assert noise.block == (1, 2, 2)
    right = [int(count_votes(model, data.images[place], noise).argmax()) == data.labels[place] for place in range(8)]
    assert sum(right) >= 6


def test_a_denoiser_trains_resumes_and_loads(tmp_path, monkeypatch):
    weighed = []

    def loss(network, x, lam, clean, stability, precision):
        weighed.append(stability)
        return denoising_loss(network, x, lam, clean, stability, precision)

    monkeypatch.setattr(training, "denoising_loss", loss)
    monkeypatch.setattr(training, "STATISTICS_BATCHES", 2)
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
    save_state(part, tmp_path / "part" / STATE)
    again = train(Trainer(settings, data), tmp_path / "part", report=quiet)
    assert again.weights_sha256 == whole.weights_sha256
    assert [right for _, right in before[:2]] == [0, 0]
    assert weighed[:6] == [0, 0, 0.02, 0.02, 0.02, 0.02]  # the classifier's answers count after the first quarter
    model = load_model(str(tmp_path / "whole"))
    assert model.num_classes == 1000
    assert model.input_shape == (3, 224, 224)  # it takes larger pictures than it was trained on
    kept = model.network.classifier.state_dict()
    pretrained = efficientnet_lite0().state_dict()
    assert len(kept) > 90 and all(torch.equal(tensor, pretrained[name]) for name, tensor in kept.items())
