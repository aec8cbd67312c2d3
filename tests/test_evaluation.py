"""Records of many certificates."""

import json
from dataclasses import replace

import pytest
import torch

from dssn_core import evaluation, load_model
from dssn_core.__main__ import main
from dssn_core.accuracy import Share
from dssn_core.architectures import build_network
from dssn_core.checkpoints import PRETRAINED
from dssn_core.classifier import Classifier
from dssn_core.constants import PLURALITY
from dssn_core.datasets import CIFAR10_CLASSES, Dataset
from dssn_core.evaluation import clean_accuracy, evaluate, evenly_spread, selected
from dssn_core.files import only_writer
from dssn_core.gallery import built_in_pictures
from dssn_core.held_out import held_out_of, held_out_split
from dssn_core.imagenet import efficientnet_lite0, preprocess
from dssn_core.imagenet_classes import class_names
from dssn_core.images import read_image
from dssn_core.monte_carlo import certify_randomized
from dssn_core.records import Part, Record, Sampling, Way
from tests.evaluated import SAMPLING, class_folders, pictures_as_data

PLAIN = Way("float32", None, PLURALITY)
DRAWN = Way("float32", SAMPLING, PLURALITY)

NAMED = replace(
    Dataset(
        torch.zeros(9, 3, 2, 2, dtype=torch.uint8), torch.tensor([0, 0, 0, 0, 1, 1, 1, 2, 2]), ("a", "b", "c"), "nine"
    ).listing(),
    files=tuple(f"{kind}_{place}.png" for place, kind in enumerate("vvttvtvvt")),
)


def test_images_are_selected_by_the_names_of_their_files():
    assert selected(NAMED, 100) == list(range(9))
    assert selected(NAMED, 100, Part("v_*")) == [0, 1, 4, 6, 7]
    assert selected(NAMED, 100, Part(but="v_*")) == [2, 3, 5, 8]
    assert selected(NAMED, 100, Part("v_*", "*_7.*")) == [0, 1, 4, 6]
    assert selected(NAMED, 3, Part("v_*")) == [0, 4, 7]  # one of each class
    with pytest.raises(ValueError, match=r"nine has no images, files x but y"):
        selected(NAMED, 3, Part("x", "y"))


def test_data_without_names_can_be_selected_from():
    assert selected(replace(NAMED, files=()), 3) == [0, 4, 7]


def test_a_subset_keeps_its_names():
    assert NAMED.subset(torch.tensor([8, 0])).files == ("t_8.png", "v_0.png")


def test_the_clean_accuracy_is_the_pretrained_classifiers_own():
    pictures = built_in_pictures("imagenet")[:6]
    images = torch.stack([read_image(picture.path, (224, 224)) for picture in pictures])
    data = Dataset(images, torch.tensor([picture.label for picture in pictures]), class_names(), "pictures").listing()
    network = build_network("pretrained-lite0", {}, 3, 1000).eval()
    with torch.inference_mode():
        right = efficientnet_lite0()(preprocess(images.float() / 255)).argmax(1) == data.labels
    share = clean_accuracy(Classifier(network, data.class_names, (3, 224, 224)), data, [0, 1, 2, 5])
    assert (share.count, share.images) == (int(right[[0, 1, 2, 5]].sum()), 4)
    with pytest.raises(ValueError, match="noisy samples only"):
        clean_accuracy(load_model("cifar10-dssn"), pictures_as_data(), [0])


def test_an_even_spread_takes_as_many_of_every_class():
    labels = [0] * 50 + [1] * 50 + [2] * 50
    chosen = evenly_spread(labels, 31)
    assert len(set(chosen)) == 31
    assert sorted(sum(labels[i] == c for i in chosen) for c in range(3)) == [10, 10, 11]


def test_the_images_of_a_class_are_evenly_spaced():
    assert evenly_spread([0] * 12, 5) == [0, 2, 4, 7, 9]
    assert evenly_spread([0, 1] * 6, 4) == [0, 1, 6, 7]


def test_a_small_class_is_taken_whole_and_the_others_make_up_for_it():
    labels = [0] * 550 + [1] * 30 + [2] * 200
    for count, expected in ((90, [30, 30, 30]), (300, [135, 30, 135]), (500, [270, 30, 200]), (780, [550, 30, 200])):
        chosen = evenly_spread(labels, count)
        assert len(set(chosen)) == count
        assert [sum(labels[i] == c for i in chosen) for c in range(3)] == expected


@pytest.mark.parametrize("count", [0, 151])
def test_an_impossible_spread_is_refused(count):
    with pytest.raises(ValueError, match="count must be"):
        evenly_spread([0] * 150, count)


def test_records_of_real_images_add_up_and_survive_json():
    data = pictures_as_data()
    records = list(evaluate(load_model("cifar10-dssn"), data, evenly_spread(data.labels.tolist(), 3), 40, PLAIN))
    for record in records:
        assert sum(record.votes) == 40
        assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_what_is_done_is_not_done_again():
    data, model = pictures_as_data(), load_model("cifar10-dssn")
    done = {record.key: replace(record, seconds=-1.0) for record in evaluate(model, data, [0, 1], 40, PLAIN)}
    again = list(evaluate(model, data, [2, 0, 1], 40, PLAIN, done))
    assert [record.index for record in again] == [2, 0, 1]
    assert all(record == done[record.key] for record in again[1:]) and again[0].key not in done


def test_only_the_images_asked_for_are_read():
    whole, read = pictures_as_data(), []

    def watched(places):
        read.extend(places)
        return whole.read(places)

    data = replace(whole, read=watched).subset(torch.arange(19, -1, -1))
    records = list(evaluate(load_model("cifar10-dssn"), data, [3, 1], 40, PLAIN))
    assert read == [16, 18]
    assert [record.label for record in records] == whole.labels[read].tolist()


def test_data_of_other_classes_is_refused():
    data = replace(pictures_as_data(), class_names=("a", "b"))
    with pytest.raises(ValueError, match="classes"):
        list(evaluate(load_model("cifar10-dssn"), data, [0], 40, PLAIN))


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
    data, model = pictures_as_data(), load_model("cifar10-dssn")
    [first] = evaluate(model, data, [0], 40, PLAIN)
    other = data.subset(torch.arange(19, -1, -1))
    [again] = evaluate(model, other, [0], 40, PLAIN, {first.key: first})
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


def test_records_of_a_randomized_method_give_its_radii_and_survive_json():
    data, model = pictures_as_data(), load_model("cifar10-dssn")
    for record in evaluate(model, data, [0, 7, 12], 441, DRAWN):
        certificate = certify_randomized(model, next(data.read([record.index])), SAMPLING.plan(441))
        assert (record.votes, record.predicted, record.radius_steps) == (certificate.votes, certificate.label, None)
        radius = record.radius_in_steps
        assert radius == (None if certificate.radius is None else certificate.radius * 255)
        assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_another_sampling_is_another_record():
    data, model = pictures_as_data(), load_model("cifar10-dssn")
    [first] = evaluate(model, data, [0], 100, DRAWN)
    done = {first.key: first}
    [other] = evaluate(model, data, [0], 100, replace(DRAWN, sampling=replace(SAMPLING, seed=5)), done)
    assert other.key != first.key
    assert list(evaluate(model, data, [0], 100, DRAWN, done)) == [first]


def test_held_out_images_are_those_of_the_training():
    manifest = load_model("cifar10-dssn").manifest
    labels = torch.arange(4000) % 10
    images = torch.zeros(4000, 3, 1, 1, dtype=torch.uint8)
    data = Dataset(images, labels, CIFAR10_CLASSES, manifest.training["data"]).listing()
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
    assert [record.sampling for record in records] == [Sampling("uniform", 100, 50, 0.001, 7, 64)] * 2
    assert main([*command, "--alpha", "2"]) == 1
    assert "alpha must lie" in capsys.readouterr().err


@pytest.mark.parametrize(("method", "warned"), [("ssn", True), ("dssn", False)])
def test_another_method_than_that_of_the_training_is_told(method, warned, tmp_path, capsys):
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.1", "--limit", "1"]
    command += ["--method", method, *(["--samples", "20"] if warned else [])]
    assert main(command) == 0
    assert ("is trained for dssn: these samples are new to it" in capsys.readouterr().err) == warned


def test_options_that_have_no_effect_are_refused(tmp_path, capsys):
    assert main(["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.1", "--samples", "20"]) == 1
    assert "leave out --samples, of the randomized" in capsys.readouterr().err


def test_a_known_record_is_told_its_file_and_label_anew():
    data, model = pictures_as_data(), load_model("cifar10-dssn")
    (record,) = evaluate(model, data, [0], 88, PLAIN)
    done = {record.key: replace(record, file="old", label=9)}
    assert list(evaluate(model, data, [0], 88, PLAIN, done)) == [record]


def test_an_output_cannot_grow_compressed(tmp_path, capsys):
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.1", "--limit", "10"]
    assert main([*command, "--output", str(tmp_path / "records.jsonl.gz")]) == 1
    assert "give it a name without .gz" in capsys.readouterr().err


def test_an_output_that_another_evaluation_writes_to_is_refused(tmp_path, capsys):
    output, data = tmp_path / "records.jsonl", str(class_folders(tmp_path))
    with only_writer(output):
        assert main(["evaluate", "--data", data, "--sigma", "0.1", "--limit", "10", "--output", str(output)]) == 1
    assert "another process is writing to" in capsys.readouterr().err and not output.exists()


def test_what_is_told_beside_records_on_the_terminal_is_none_of_them(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(evaluation, "clean_accuracy", lambda *_: Share(1, 2))
    monkeypatch.setattr(evaluation, "pretrained_of", lambda model: model)
    assert main(["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.1", "--limit", "1", "--clean"]) == 0
    out, err = capsys.readouterr()
    assert [Record.from_json(json.loads(line)).label for line in out.splitlines()] == [0]
    assert "answered right without noise: 50.0" in err and "right, certified at rho" in err


def test_the_network_runs_in_the_format_that_the_record_says(monkeypatch):
    network, formats, certify = load_model("cifar10-dssn-long"), [], evaluation.certify
    assert network.precision == "bfloat16"

    def watched(model, *arguments, **options):
        formats.append(model.precision)
        return certify(model, *arguments, **options)

    monkeypatch.setattr(evaluation, "certify", watched)
    for precision in ("float32", "bfloat16"):
        list(evaluate(network, pictures_as_data(), [0], 20, replace(PLAIN, precision=precision)))
    assert formats == ["float32", "bfloat16"]
