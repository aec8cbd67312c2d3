"""Records of many certificates and what they add up to."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dssn_core import evaluation, load_model
from dssn_core.__main__ import main
from dssn_core.architectures import build_network
from dssn_core.checkpoints import PRETRAINED, read_manifest, save_manifest
from dssn_core.evaluation import (
    Record,
    Sampling,
    certified_accuracy,
    certified_curve,
    certified_steps,
    clean_accuracy,
    evaluate,
    evenly_spread,
    gains,
    keep_records,
    kept_records,
    measured_on,
    publish,
    radius_grid,
    selected,
)
from dssn_core.gallery import CIFAR10_CLASSES, Dataset, Listing, sample_pictures
from dssn_core.imagenet import class_names, efficientnet_lite0, preprocess
from dssn_core.images import read_image, to_picture
from dssn_core.monte_carlo import certify_randomized
from dssn_core.networks import Classifier
from dssn_core.training import held_out_of, held_out_split
from dssn_core.voting import count_votes


def samples_as_data() -> Listing:
    pictures = sample_pictures()
    images = torch.stack([read_image(sample.path) for sample in pictures])
    return Dataset(images, torch.tensor([sample.label for sample in pictures]), CIFAR10_CLASSES, "samples").listing()


def class_folders(parent: Path) -> Path:
    """A folder of class folders, with one picture in each."""
    folder = parent / "data"
    for place, name in enumerate(CIFAR10_CLASSES):
        (folder / name).mkdir(parents=True)
        to_picture(samples_as_data().load().images[place]).save(folder / name / "0.png")
    return folder


def unmeasured(parent: Path, name: str = "cifar10-dssn") -> Path:
    """A copy of a shipped model, without what it keeps of evaluations."""
    folder = shutil.copytree(PRETRAINED / name, parent / "mine")
    save_manifest(folder, replace(read_manifest(folder), measured={}))
    for kept in folder.glob("*.jsonl.gz"):
        kept.unlink()
    return folder


def a_record(steps: int, right: bool = True) -> Record:
    """Of 441 votes, all between classes 1, the true one, and 2."""
    winner, other = 221 + steps, 220 - steps
    votes = (0, winner, other) if right else (0, other, winner)
    return Record(0, 441, "w", "float32", "i", 1, 1 if right else 2, steps, votes, seconds=0.0)


def test_certified_accuracy_counts_right_images_with_enough_radius():
    records = [a_record(127), a_record(128), a_record(200, right=False), a_record(0)]
    assert [certified_accuracy(records, rho).count for rho in (0, 128 / 255, 0.5, 0.51)] == [3, 1, 1, 0]


NAMED = Dataset(
    torch.zeros(9, 3, 2, 2, dtype=torch.uint8),
    torch.tensor([0, 0, 0, 0, 1, 1, 1, 2, 2]),
    ("a", "b", "c"),
    "nine",
    tuple(f"{kind}_{place}.png" for place, kind in enumerate("vvttvtvvt")),
).listing()


def test_images_are_selected_by_the_names_of_their_files():
    assert selected(NAMED, 100) == list(range(9))
    assert selected(NAMED, 100, "v_*") == [0, 1, 4, 6, 7]
    assert selected(NAMED, 100, but="v_*") == [2, 3, 5, 8]
    assert selected(NAMED, 100, "v_*", "*_7.*") == [0, 1, 4, 6]
    assert selected(NAMED, 3, "v_*") == [0, 4, 7]  # one of each class
    with pytest.raises(ValueError, match="no file of nine matches 'x' but not 'y'"):
        selected(NAMED, 3, "x", "y")


def test_data_without_names_can_be_selected_from():
    assert selected(replace(NAMED, files=()), 3) == [0, 4, 7]


def test_a_subset_keeps_its_names():
    assert NAMED.subset(torch.tensor([8, 0])).files == ("t_8.png", "v_0.png")


def test_the_clean_accuracy_is_the_pretrained_classifiers_own():
    samples = sample_pictures("imagenet")[:6]
    images = torch.stack([read_image(sample.path, (224, 224)) for sample in samples])
    data = Dataset(images, torch.tensor([sample.label for sample in samples]), class_names(), "samples").listing()
    network = build_network("pretrained-lite0", {}, 3, 1000).eval()
    with torch.inference_mode():
        right = efficientnet_lite0()(preprocess(images.float() / 255)).argmax(1) == data.labels
    share = clean_accuracy(Classifier(network, data.class_names, (3, 224, 224)), data, [0, 1, 2, 5])
    assert (share.count, share.images) == (int(right[[0, 1, 2, 5]].sum()), 4)
    with pytest.raises(ValueError, match="noisy samples only"):
        clean_accuracy(load_model("cifar10-dssn"), samples_as_data(), [0])


def test_a_radius_is_compared_exactly():
    for steps in range(1, 1000):
        assert certified_accuracy([a_record(steps)], steps / 255).count == 1
        assert certified_accuracy([a_record(steps - 1)], steps / 255).count == 0


def test_the_curve_is_the_accuracy_at_every_radius():
    records = [a_record(127), a_record(128), a_record(200, right=False), a_record(0)]
    rhos = [0, 0.1, 128 / 255, 0.6]
    assert certified_curve(records, rhos) == [certified_accuracy(records, rho) for rho in rhos]
    assert certified_steps(records).tolist() == [127, 128, -1, 0]


def test_the_interval_holds_the_share_and_is_wilsons():
    share = certified_accuracy([a_record(10)] * 8 + [a_record(0)] * 2, 10 / 255)
    low, high = share.interval
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)  # the textbook's example of 8 in 10


def test_no_records_are_refused():
    with pytest.raises(ValueError, match="no records"):
        certified_accuracy([], 0.5)


def test_an_even_spread_takes_as_many_of_every_class():
    labels = [0] * 50 + [1] * 50 + [2] * 50
    chosen = evenly_spread(labels, 31)
    assert len(set(chosen)) == 31
    assert sorted(sum(labels[i] == c for i in chosen) for c in range(3)) == [10, 10, 11]


@pytest.mark.parametrize("count", [0, 151])
def test_an_impossible_spread_is_refused(count):
    with pytest.raises(ValueError, match="count must be"):
        evenly_spread([0] * 150, count)


def test_the_grid_ends_at_the_largest_possible_radius():
    assert radius_grid([a_record(0)]) == [0.0, 0.5]


def test_records_of_real_images_add_up_and_survive_json():
    data = samples_as_data()
    records = list(evaluate(load_model("cifar10-dssn"), data, evenly_spread(data.labels.tolist(), 3), 40))
    for record in records:
        assert sum(record.votes) == 40
        assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_what_is_done_is_not_done_again():
    data, model = samples_as_data(), load_model("cifar10-dssn")
    done = {record.key: replace(record, seconds=-1.0) for record in evaluate(model, data, [0, 1], 40)}
    again = list(evaluate(model, data, [2, 0, 1], 40, done))
    assert [record.index for record in again] == [2, 0, 1]
    assert all(record == done[record.key] for record in again[1:]) and again[0].key not in done


def test_only_the_images_asked_for_are_read():
    whole, read = samples_as_data(), []

    def watched(places):
        read.extend(places)
        return whole.read(places)

    data = replace(whole, read=watched).subset(torch.arange(19, -1, -1))
    records = list(evaluate(load_model("cifar10-dssn"), data, [3, 1], 40))
    assert read == [16, 18]
    assert [record.label for record in records] == whole.labels[read].tolist()


def test_data_of_other_classes_is_refused():
    data = replace(samples_as_data(), class_names=("a", "b"))
    with pytest.raises(ValueError, match="classes"):
        list(evaluate(load_model("cifar10-dssn"), data, [0], 40))


def test_the_command_continues_a_file_with_a_torn_last_line(tmp_path, capsys):
    folder = class_folders(tmp_path)
    output = tmp_path / "records.jsonl"
    command = ["evaluate", "--data", str(folder), "--sigma", "0.1", "--limit", "10", "--output", str(output)]
    assert main(command) == 0
    whole = [json.loads(line) for line in output.read_text().splitlines()]
    output.write_text("".join(json.dumps(r) + "\n" for r in whole[:6]) + '{"index": 7, "lev')
    assert main(command) == 0
    again = [json.loads(line) for line in output.read_text().splitlines()]

    def timeless(records):
        return [{**record, "seconds": 0} for record in records]

    assert timeless(again) == timeless(whole)
    assert "right, certified at rho" in capsys.readouterr().out


def test_a_record_of_another_picture_at_the_same_place_does_not_count():
    data, model = samples_as_data(), load_model("cifar10-dssn")
    [first] = evaluate(model, data, [0], 40)
    other = data.subset(torch.arange(19, -1, -1))
    [again] = evaluate(model, other, [0], 40, {first.key: first})
    assert (again.index, again.image_sha256 == first.image_sha256) == (0, False)


def test_a_file_of_other_lines_is_refused_and_left_alone(tmp_path, capsys):
    log = tmp_path / "log.jsonl"
    log.write_text('{"images": 5}\n')
    command = [
        "evaluate",
        "--data",
        str(class_folders(tmp_path)),
        "--sigma",
        "0.1",
        "--limit",
        "1",
        "--output",
        str(log),
    ]
    assert main(command) == 1
    assert "not a record" in capsys.readouterr().err
    assert log.read_text() == '{"images": 5}\n'


SAMPLING = Sampling("uniform", n0=20, n=200, alpha=0.01, seed=4)


def test_records_of_a_randomized_method_give_its_radii_and_survive_json():
    data, model = samples_as_data(), load_model("cifar10-dssn")
    for record in evaluate(model, data, [0, 7, 12], 441, sampling=SAMPLING):
        certificate = certify_randomized(model, next(data.read([record.index])), SAMPLING.plan(441))
        assert (record.votes, record.predicted, record.radius_steps) == (certificate.votes, certificate.label, None)
        radius = record.radius_in_steps
        assert radius == (None if certificate.radius is None else certificate.radius * 255)
        assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_abstentions_are_never_right():
    sure = replace(a_record(0), radius_steps=None, votes=(0, 200, 0), sampling=SAMPLING)
    torn = replace(sure, votes=(90, 105, 5))
    assert sure.radius_in_steps > 100 and torn.radius_in_steps is None
    assert [certified_accuracy([sure, torn], rho).count for rho in (0, 0.3, 0.87)] == [1, 1, 0]


def test_gains_are_of_images_that_both_answer_right():
    def rival(index, votes, predicted=1):
        return replace(a_record(0), index=index, predicted=predicted, radius_steps=None, votes=votes, sampling=SAMPLING)

    ours = [replace(a_record(50), index=index) for index in range(5)]
    longer, torn, wrong = (0, 200, 0), (90, 105, 5), (200, 0, 0)
    theirs = [rival(0, longer), rival(1, torn), rival(2, wrong, 0), replace(rival(3, longer), image_sha256="other")]
    found = gains(ours, theirs)
    assert list(found) == [0, 1]
    assert found[0].steps == 50 - theirs[0].radius_in_steps and found[1].steps == 50
    assert gains([replace(ours[0], label=0)], theirs) == {}


def test_another_sampling_is_another_record():
    data, model = samples_as_data(), load_model("cifar10-dssn")
    [first] = evaluate(model, data, [0], 100, sampling=SAMPLING)
    done = {first.key: first}
    [other] = evaluate(model, data, [0], 100, done, sampling=replace(SAMPLING, seed=5))
    assert other.key != first.key
    assert list(evaluate(model, data, [0], 100, done, sampling=SAMPLING)) == [first]


def test_held_out_images_are_those_of_the_training():
    manifest = load_model("cifar10-dssn").manifest
    labels = torch.arange(4000) % 10
    images = torch.zeros(4000, 3, 1, 1, dtype=torch.uint8)
    data = Dataset(images, labels, CIFAR10_CLASSES, manifest.training["data"])
    held_out = held_out_of(manifest, data)
    assert len(held_out) == 2000
    assert torch.equal(held_out.labels, labels[held_out_split(labels, 200, 0)[1]])
    with pytest.raises(ValueError, match="the model was trained on"):
        held_out_of(manifest, replace(data, description="another zip"))


def test_the_command_evaluates_a_randomized_method(tmp_path, capsys):
    folder = class_folders(tmp_path)
    output = tmp_path / "records.jsonl"
    command = ["evaluate", "--data", str(folder), "--sigma", "0.5", "--limit", "2", "--output", str(output)]
    command += ["--model", str(PRETRAINED / "cifar10-uniform"), "--samples", "50", "--seed", "7"]
    assert main(command) == 0
    assert "additive uniform, sigma 0.5" in capsys.readouterr().out
    records = [Record.from_json(json.loads(line)) for line in output.read_text().splitlines()]
    assert [record.sampling for record in records] == [Sampling("uniform", 100, 50, 0.001, 7)] * 2
    assert main([*command, "--alpha", "2"]) == 1
    assert "alpha must lie" in capsys.readouterr().err


def test_records_are_kept_once_and_of_one_set_of_weights(tmp_path):
    records = [replace(a_record(steps), index=steps) for steps in (3, 1, 2)]
    keep_records(tmp_path, False, records[:2])
    keep_records(tmp_path, False, records[1:])
    assert [record.index for record in kept_records(tmp_path, False)] == [1, 2, 3]
    assert kept_records(tmp_path, True) == []
    before = (tmp_path / "test.jsonl.gz").read_bytes()
    keep_records(tmp_path, False, records)
    assert (tmp_path / "test.jsonl.gz").read_bytes() == before
    other_format = replace(records[0], precision="bfloat16")
    keep_records(tmp_path, False, [other_format])
    assert kept_records(tmp_path, False) == [other_format]
    other_noise = replace(records[0], levels=443, votes=(0, 225, 218))
    keep_records(tmp_path, False, [other_noise])
    assert kept_records(tmp_path, False) == [other_format, other_noise]  # one number format for each N
    keep_records(tmp_path, False, records)
    other_image = replace(records[0], image_sha256="another data set")
    keep_records(tmp_path, False, [other_image])
    assert kept_records(tmp_path, False) == [other_image]
    keep_records(tmp_path, False, [replace(records[0], weights_sha256="new")])
    assert [record.weights_sha256 for record in kept_records(tmp_path, False)] == ["new"]
    with pytest.raises(ValueError, match="more than one model"):
        keep_records(tmp_path, False, [records[0], replace(records[1], weights_sha256="new")])


def test_only_the_models_own_method_is_recorded(tmp_path, capsys):
    data = str(class_folders(tmp_path))
    command = ["evaluate", "--data", data, "--sigma", "0.1", "--limit", "10", "--method", "uniform", "--record"]
    assert main(command) == 1
    assert "only its own method is kept" in capsys.readouterr().err


@pytest.mark.parametrize(("method", "warned"), [("ssn", True), ("dssn", False)])
def test_another_method_than_that_of_the_training_is_told(method, warned, tmp_path, capsys):
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.1", "--limit", "1", "--samples", "20"]
    assert main([*command, "--method", method]) == 0
    assert ("is trained for dssn: these samples are new to it" in capsys.readouterr().err) == warned


@pytest.mark.parametrize(
    "change",
    [
        {"levels": "x"},
        {"index": [1]},
        {"votes": "abc"},
        {"label": None},
        {"radius_steps": 1.5},
        {"levels": 1},
        {"radius_steps": 4},  # what does not follow from the votes
        {"predicted": 2},
        {"votes": (0, 441, 0)},
        {"votes": (0, 1, 0)},
        {"label": 3},  # beyond the classes
    ],
)
def test_a_record_of_the_wrong_kind_is_refused(change):
    whole = a_record(3).to_json()
    assert Record.from_json(whole).radius_steps == 3
    with pytest.raises(ValueError):
        Record.from_json({**whole, **change})


def test_records_of_another_evaluation_meanwhile_are_not_lost(tmp_path, monkeypatch):
    """Of two evaluations of one model the one that ends last has read the manifest before the other wrote it."""
    folder = unmeasured(tmp_path)
    data = str(class_folders(tmp_path))

    def meanwhile(*arguments):
        manifest = read_manifest(folder)
        save_manifest(folder, replace(manifest, measured={**manifest.measured, "other figures": 1}))
        return keep_records(*arguments)

    monkeypatch.setattr(evaluation, "keep_records", meanwhile)
    command = ["evaluate", "--data", data, "--sigma", "0.1", "--limit", "10", "--model", str(folder), "--record"]
    assert main([*command, "--output", str(tmp_path / "records.jsonl")]) == 0
    assert {"other figures", "certified_accuracy"} <= set(read_manifest(folder).measured)


def test_an_evaluation_goes_on_from_what_is_kept(tmp_path, monkeypatch):
    folder = unmeasured(tmp_path)
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.1", "--model", str(folder), "--record"]
    assert main([*command, "--limit", "8"]) == 0
    eight = kept_records(folder, False)

    counted = []
    monkeypatch.setattr(evaluation, "count_votes", lambda *a: counted.append(a) or count_votes(*a))
    output = tmp_path / "records.jsonl"
    assert main([*command, "--limit", "10", "--output", str(output)]) == 0
    ten = kept_records(folder, False)
    assert (len(eight), len(ten), len(counted)) == (8, 10, 2)
    assert set(eight) < set(ten)
    assert len(output.read_text().splitlines()) == 10  # the output is whole all the same


def test_records_in_another_number_format_are_not_replaced(tmp_path, capsys):
    folder = unmeasured(tmp_path)
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--limit", "10", "--model", str(folder), "--record"]
    assert main([*command, "--sigma", "0.1"]) == 0
    keep_records(folder, False, [replace(record, precision="other") for record in kept_records(folder, False)])
    before = (folder / "test.jsonl.gz").read_bytes()
    capsys.readouterr()
    assert main([*command, "--sigma", "0.05", "0.1"]) == 1
    assert "10 records at N = 88, counted in another way (other, not float32)" in capsys.readouterr().err
    assert (folder / "test.jsonl.gz").read_bytes() == before
    assert main([*command, "--sigma", "0.05"]) == 0
    assert {record.levels: record.precision for record in kept_records(folder, False)} == {44: "float32", 88: "other"}


def test_records_of_other_data_are_not_replaced(tmp_path, capsys):
    folder = shutil.copytree(PRETRAINED / "cifar10-dssn", tmp_path / "mine")
    before = (folder / "test.jsonl.gz").read_bytes()
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.1", "--model", str(folder), "--record"]
    assert main(command) == 1
    assert "mine keeps records of cifar10-test-half.zip" in capsys.readouterr().err
    assert (folder / "test.jsonl.gz").read_bytes() == before


def test_records_of_other_draws_are_not_replaced(tmp_path, capsys):
    folder = unmeasured(tmp_path, "cifar10-uniform")
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.5", "--model", str(folder), "--record"]
    assert main([*command, "--limit", "2", "--samples", "50"]) == 0
    before = (folder / "test.jsonl.gz").read_bytes()
    assert main([*command, "--limit", "1", "--samples", "40"]) == 1
    assert "n 50, alpha 0.001, seed 0, not float32" in capsys.readouterr().err
    assert (folder / "test.jsonl.gz").read_bytes() == before


def test_a_known_record_is_told_its_file_and_label_anew():
    data, model = samples_as_data(), load_model("cifar10-dssn")
    (record,) = evaluate(model, data, [0], 88)
    done = {record.key: replace(record, file="old", label=9)}
    assert list(evaluate(model, data, [0], 88, done)) == [record]


def test_records_at_one_noise_are_drawn_in_one_way(tmp_path):
    drawn = replace(a_record(0), radius_steps=None, sampling=SAMPLING)
    with pytest.raises(ValueError, match="more than one way"):
        keep_records(tmp_path, False, [drawn, replace(drawn, sampling=replace(SAMPLING, n=SAMPLING.n + 1))])


def test_each_noise_is_kept_when_it_is_whole(tmp_path, monkeypatch, capsys):
    """An interruption, or a picture that cannot be read, costs what is unfinished only."""
    folder = unmeasured(tmp_path)
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--limit", "10", "--model", str(folder), "--record"]

    def mortal(model, image, noise):
        if noise.levels == 88:
            raise KeyboardInterrupt
        return count_votes(model, image, noise)

    monkeypatch.setattr(evaluation, "count_votes", mortal)
    assert main([*command, "--sigma", "0.05", "0.1"]) == 130
    assert [record.levels for record in kept_records(folder, False)] == [44] * 10
    assert list(read_manifest(folder).measured["certified_accuracy"]["by_levels"]) == ["44"]
    monkeypatch.setattr(evaluation, "count_votes", count_votes)
    assert main([*command, "--sigma", "0.05", "0.1"]) == 0
    assert {record.levels for record in kept_records(folder, False)} == {44, 88}


def test_nothing_is_kept_beside_other_weights(tmp_path):
    folder = unmeasured(tmp_path)
    with pytest.raises(ValueError, match="holds other weights than at the start"):
        publish(folder, False, [a_record(3)], "data")
    assert kept_records(folder, False) == []


def test_records_that_the_manifest_does_not_name_are_of_unknown_data(tmp_path, capsys):
    folder = unmeasured(tmp_path)
    keep_records(folder, False, [replace(a_record(3), weights_sha256=read_manifest(folder).weights_sha256)])
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.1", "--model", str(folder), "--record"]
    assert main(command) == 1
    assert "keeps records of data that its manifest does not name" in capsys.readouterr().err


def test_records_of_weights_that_are_gone_stop_no_evaluation(tmp_path):
    folder = unmeasured(tmp_path)
    keep_records(folder, False, [a_record(3)])
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.1", "--model", str(folder), "--record"]
    assert main([*command, "--limit", "10"]) == 0
    assert {record.weights_sha256 for record in kept_records(folder, False)} == {read_manifest(folder).weights_sha256}


def test_votes_of_a_randomized_method_add_up_to_its_samples():
    drawn = replace(a_record(0), radius_steps=None, sampling=SAMPLING, votes=(0, SAMPLING.n, 0)).to_json()
    assert Record.from_json(drawn).votes == (0, SAMPLING.n, 0)
    with pytest.raises(ValueError, match="not a record"):
        Record.from_json({**drawn, "votes": (0, SAMPLING.n - 1, 0)})


def test_an_output_cannot_grow_compressed(tmp_path, capsys):
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.1", "--limit", "10"]
    assert main([*command, "--output", str(tmp_path / "records.jsonl.gz")]) == 1
    assert "give it a name without .gz" in capsys.readouterr().err


def test_records_of_other_blocks_are_of_another_network(tmp_path):
    alone = a_record(128)
    together = replace(alone, block=(3, 1, 1))
    assert alone.key != together.key and alone.network != together.network
    assert Record.from_json(json.loads(json.dumps(together.to_json()))) == together
    before = {name: value for name, value in alone.to_json().items() if name != "block"}
    assert Record.from_json(before) == alone  # as files had it before there were blocks
    with pytest.raises(ValueError, match="block must be"):
        Record.from_json({**alone.to_json(), "block": [3, 1]})
    keep_records(tmp_path, False, [alone])
    keep_records(tmp_path, False, [together])
    assert kept_records(tmp_path, False) == [together]
    with pytest.raises(ValueError, match="more than one model"):
        keep_records(tmp_path, False, [alone, together])


def test_records_drawn_otherwise_replace_those_before_at_their_noise(tmp_path):
    drawn = replace(a_record(0), radius_steps=None, votes=(0, 120, 80), sampling=SAMPLING)
    old = [replace(drawn, index=index) for index in range(3)]
    other = replace(drawn, levels=40)
    keep_records(tmp_path, False, [*old, other])
    new = replace(old[1], votes=(0, 120, 81), sampling=replace(SAMPLING, n=SAMPLING.n + 1))
    keep_records(tmp_path, False, [new])
    assert kept_records(tmp_path, False) == [other, new]


def test_a_manifest_says_what_the_kept_records_add_up_to():
    measured = measured_on([a_record(127), a_record(128)], "some images")
    assert measured["data"] == "some images"
    assert measured["by_levels"]["441"]["precision"] == "float32"
    assert measured["by_levels"]["441"]["by_rho"]["0.5"]["count"] == 1
    assert measured["by_levels"]["441"]["by_rho"]["0.5"]["images"] == 2
    asked = measured_on([a_record(127), a_record(128)], "some images", [0.1, 0.25])
    assert list(asked["by_levels"]["441"]["by_rho"]) == ["0.1", "0.25"]
