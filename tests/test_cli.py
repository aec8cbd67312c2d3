"""The command line, as a shell user meets it."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dssn_core import certify, levels_from_sigma, load_model, read_image, record_files, stored
from dssn_core.__main__ import COMMANDS, main
from dssn_core.agreement import reference_logits
from dssn_core.attack import distance
from dssn_core.checkpoints import PRETRAINED, read_manifest
from dssn_core.commands.options import DIFFERS
from dssn_core.constants import COUNTINGS, PLURALITY
from dssn_core.datasets import CIFAR10_CLASSES, list_dataset
from dssn_core.estimates import quick_estimates
from dssn_core.evaluation import evenly_spread
from dssn_core.files import only_writer
from dssn_core.flips import Flip, Search
from dssn_core.gallery import built_in_pictures
from dssn_core.held_out import held_out_of
from dssn_core.images import image_sha256, png
from dssn_core.strict import GAPS, strictly
from dssn_core.voting import complete, tally
from tests.evaluated import class_folders, counting_duels, unmeasured

PICTURE = str(built_in_pictures()[3].path)


def test_certify_prints_the_account(capsys):
    assert main(["certify", PICTURE, "--sigma", "0.15"]) == 0
    model = load_model("cifar10-dssn")
    certificate = certify(model, read_image(PICTURE), levels_from_sigma(0.15))
    printed = capsys.readouterr().out
    assert all(line in printed for line in certificate.account(model.class_names))


def test_certify_json_is_one_object_for_machines(capsys):
    assert main(["certify", PICTURE, "--levels", "132", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["levels"] == 132
    assert sum(found["votes"].values()) == 132
    assert found["radius"] == found["radius_steps"] / 255


def test_sigma_lambda_and_levels_say_the_same(capsys):
    outputs = []
    for option in (["--sigma", "0.15"], ["--lambda", str(132 / 510)], ["--levels", "132"]):
        main(["certify", PICTURE, "--json", *option])
        outputs.append(capsys.readouterr().out)
    assert len(set(outputs)) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["certify", "no-such-file.png"], "no image file"),
        (["certify", __file__], "not a picture"),
        (["certify", PICTURE, "--no-pixels"], "applies to the file that --output writes"),
        (["certify", PICTURE, "--model", "resnet-9000"], "known: cifar10-dssn"),
        (["evaluate", "--data", "nowhere", "--sigma", "0.5"], "no data at"),
        (["train", "--data", "nowhere", "--output", "unused", "--offsets", "r2"], "no data at"),
        (["standings", "--model", "cifar10-dssn", "cifar10-ssn"], "of different classes or methods"),
        (["standings", "--model", "cifar10-ssn", "--rho", "0.6"], "the paper has no figure at rho = 0.6"),
        (
            ["standings", "--model", "imagenet-dssn", "--files", "ILSVRC*", "--rho", "9"],
            "no noise that can certify these radii",
        ),
        (["standings", "--model", "imagenet-dssn"], "measured apart (files ILSVRC2012_val_*; but ILSVRC2012_val_*)"),
    ],
)
def test_refusals_exit_with_1_and_a_message(arguments, message, capsys):
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["certify", PICTURE, "--sigma", "0"], "they must be from 2 to 8192"),
        (["certify", PICTURE, "--sigma", "nan"], "finite"),
        (["certify", PICTURE, "--levels", "1"], "from 2 to 8192"),
        (["certify", PICTURE, "--levels", "9", "--sigma", "1"], "not allowed with"),
        (["certify", PICTURE, "--batch-size", "0"], "1 or more"),
        (["evaluate", "--data", "x", "--sigma", "0.5", "--rho", "-1"], "a radius must be a number of 0 or more"),
        (["standings", "--rho", "nan"], "a radius must be a number of 0 or more"),
        (["train", "--data", "x", "--output", "y", "--network", "5"], "must be a JSON object"),
        (["train", "--data", "x", "--output", "y", "--network", "{"], "Expecting"),
        ([], "required"),
    ],
)
def test_wrong_usage_exits_with_2(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


def test_standings_prints_the_kept_figures_beside_the_papers(capsys):
    assert main(["standings", "--model", "cifar10-dssn-long", "--rho", "0.5", "4"]) == 0
    _, half, four = capsys.readouterr().out.splitlines()
    assert half.startswith("rho 0.5: ") and "cifar10-dssn-long at sigma 0.75, votes by plurality), paper 72.25" in half
    assert four.startswith("rho 4: ") and "1,000 images" in four


@pytest.mark.parametrize("counting", COUNTINGS)
def test_a_strict_certificate_is_of_all_chunks_counted_as_asked(counting, capsys):
    picture, model = str(built_in_pictures()[12].path), load_model("cifar10-dssn")
    assert main(["certify", picture, "--levels", "300", "--counting", counting, "--strict", "0.1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["strict"]
    (logits,) = reference_logits(model, [read_image(picture)], 300)
    radii = {way: strictly(logits.numpy(), 0.1, way).radius_steps for way in COUNTINGS}
    assert found["radius_steps"] == radii[counting] and len(set(radii.values())) == 2


def test_the_chunks_that_are_asked_for_vote_and_are_stated(tmp_path, monkeypatch):
    asked, file = [], tmp_path / "certificate.json"

    def watched(model, image, noise, batch_size, counting):
        asked.append(batch_size)
        return tally(model, image, noise, batch_size, counting)

    monkeypatch.setattr("dssn_core.commands.certificates.tally", watched)
    assert main(["certify", PICTURE, "--levels", "60", "--batch-size", "25", "--output", str(file)]) == 0
    assert asked == [25] and json.loads(file.read_text())["evaluation"]["rows"] == 20


def test_certify_strictly(capsys):
    picture = str(built_in_pictures()[9].path)  # of some of whose samples the network is not sure
    command = ["certify", picture, "--levels", "60", "--strict", "0.5"]
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["strict"]
    model = load_model("cifar10-dssn")
    (logits,) = reference_logits(model, [read_image(picture)], 60)
    strict = strictly(logits.numpy(), 0.5, PLURALITY)
    assert found["undecided"] == strict.undecided > 0
    assert (found["label"], found["radius_steps"]) == (strict.label, strict.radius_steps)
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert f"Strictly: {strict.undecided} of 60 samples" in printed and "these samples" in printed


@pytest.mark.parametrize(
    ("output", "options", "message"),
    [
        (".", [], "is not a file, so it cannot be overwritten"),
        (PICTURE, [], "names the picture itself"),
        ("new.json", ["--levels", "3000", "--batch-size", "3000"], "choose a smaller --batch-size"),
    ],
)
def test_an_output_that_cannot_be_is_refused_before_the_vote(output, options, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dssn_core.commands.certificates.tally", lambda *_: pytest.fail("voted"))
    before = Path(PICTURE).read_bytes()
    assert main(["certify", PICTURE, "--output", output, *options]) == 1
    assert message in capsys.readouterr().err
    assert Path(PICTURE).read_bytes() == before and not list(tmp_path.iterdir())


def test_an_attack_brackets_the_nearest_flip(tmp_path, capsys):
    flipped = tmp_path / "flipped.png"
    picture = str(built_in_pictures()[9].path)  # which needs few rounds
    assert main(["attack", picture, "--levels", "88", "--output", str(flipped)]) == 0
    certified, found, bracket = capsys.readouterr().out.splitlines()
    model, image = load_model("cifar10-dssn"), read_image(picture)
    before, after = (certify(model, x, 88) for x in (image, read_image(flipped)))
    away = distance(image, read_image(flipped))
    assert certified == f"{Path(picture).name}: {before.statement(model.class_names[before.label])}"
    assert f"{away:,} grey levels was found that makes it “{model.class_names[after.label]}”" in found
    assert before.label != after.label and bracket == before.bracket(away)


def test_an_attack_that_is_interrupted_keeps_what_it_has_found(tmp_path, monkeypatch):
    found = read_image(built_in_pictures()[9].path)

    def searches(*_):
        yield Search(1, 3, 2, None)
        yield Search(2, 3, 2, Flip(found, 2, 1))
        raise KeyboardInterrupt

    monkeypatch.setattr("dssn_core.commands.attack.nearest_flip", searches)
    flipped = tmp_path / "flipped.png"
    assert main(["attack", PICTURE, "--levels", "20", "--output", str(flipped)]) == 130
    assert read_image(flipped).equal(found)


def test_an_attack_in_vain_says_so(tmp_path, capsys):
    flipped = tmp_path / "flipped.png"
    assert main(["attack", PICTURE, "--levels", "88", "--rounds", "1", "--output", str(flipped)]) == 1
    assert "which does not mean that there is none" in capsys.readouterr().out and not flipped.exists()
    assert main(["attack", PICTURE, "--levels", "88", "--output", PICTURE]) == 1
    assert "names the picture itself" in capsys.readouterr().err
    assert main(["attack", PICTURE, PICTURE, "--output", str(flipped)]) == 1
    assert "for the flip of one picture" in capsys.readouterr().err


def test_an_attack_on_several_pictures_sums_up(capsys):
    others = [str(built_in_pictures()[place].path) for place in (9, 18)]
    assert main(["attack", *others, "--levels", "60"]) == 0
    *lines, total = capsys.readouterr().out.replace(",", "").splitlines()
    ends = [re.search("is ([0-9]+)(?: to ([0-9]+))? grey levels? away", line) for line in lines]
    ratios = [int(to or end) / int(end) for end, to in (at.groups() for at in ends if at)]
    assert len(ratios) == 2
    assert total == (
        f"Flips of 2 of 2 pictures were found at {min(ratios):.1f} to {max(ratios):.1f} times the least that is "
        f"possible R + 1 median {sum(ratios) / 2:.1f}."
    )


def test_a_certificate_is_checked_with_the_model_that_is_asked_for(tmp_path, capsys):
    file = str(tmp_path / "certificate.json")
    assert main(["certify", PICTURE, "--levels", "40", "--output", file]) == 0
    assert main(["verify", file, "--model", "cifar10-dssn"]) == 0
    assert main(["verify", file, "--model", "cifar10-dssn-long"]) == DIFFERS
    assert "but cifar10-dssn-long here has" in capsys.readouterr().out


def test_a_number_format_may_be_asked_for(tmp_path, capsys):
    path, model = tmp_path / "certificate.json", ["--model", "cifar10-dssn-long"]
    assert load_model(model[1]).precision == "bfloat16"
    assert main(["certify", PICTURE, *model, "--levels", "60", "--float32", "--output", str(path)]) == 0
    assert json.loads(path.read_text())["evaluation"]["precision"] == "float32"
    assert main(["verify", str(path)]) == 0
    records = tmp_path / "records.jsonl"
    data = ["--data", str(class_folders(tmp_path)), "--sigma", "0.2", "--limit", "2", "--output", str(records)]
    assert main(["evaluate", *model, *data, "--float32"]) == 0
    assert {json.loads(line)["precision"] for line in records.read_text().splitlines()} == {"float32"}
    capsys.readouterr()


def test_an_endless_file_is_no_certificate(capsys):
    assert main(["verify", "/dev/zero"]) == 1
    assert "too large: at most 10 MB" in capsys.readouterr().err


def test_the_gallery_keeps_what_the_page_shows(tmp_path, capsys):
    folder = shutil.copytree(PRETRAINED / "cifar10-dssn", tmp_path / "mine")
    assert main(["gallery", "--model", str(folder), "--sigma", "0.02"]) == 0
    assert "stored 20 certificates of 20 pictures" in capsys.readouterr().out
    model, image = load_model(str(folder)), read_image(PICTURE)
    levels = levels_from_sigma(0.02)
    found = stored.stored_vote(model, folder, image_sha256(image), levels)
    assert found.labels.tolist() == complete(tally(model, image, model.manifest.noise_at(levels))).labels.tolist()


def test_a_network_that_counts_duels(tmp_path, capsys):
    folder, file = str(counting_duels(unmeasured(tmp_path))), str(tmp_path / "certificate.json")
    picture = str(built_in_pictures()[9].path)
    assert main(["certify", picture, "--model", folder, "--levels", "60", "--output", file]) == 0
    text = capsys.readouterr().out
    assert "won every duel, the closest with n_ab = " in text
    assert main(["verify", file, "--model", folder]) == 0
    assert main(["verify", file, "--model", "cifar10-dssn"]) == 0  # the file says how it was counted
    assert "agrees   duels of the class: all 9 as stated" in capsys.readouterr().out
    assert main(["agree", "--model", folder, "--levels", "4", "--images", "1"]) == 0
    assert f"strict at a gap of {GAPS[0]:g}" in capsys.readouterr().out
    assert main(["certify", picture, "--model", folder, "--levels", "60", "--strict", "1e-6"]) == 0
    assert "Strictly: A sample is counted in a duel only where it has" in capsys.readouterr().out
    assert main(["certify", picture, "--model", folder, "--levels", "60", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["counting"] == "duels" and list(found["wins"]) == list(CIFAR10_CLASSES)
    assert main(["gallery", "--model", folder, "--sigma", "0.02"]) == 1
    assert "only votes by plurality are stored" in capsys.readouterr().err


def test_the_counting_may_be_chosen(tmp_path, capsys):
    file, picture = str(tmp_path / "certificate.json"), built_in_pictures()[12].path
    command = ["certify", str(picture), "--levels", "441", "--json"]
    model, image = load_model("cifar10-dssn"), read_image(picture)
    radii = {}
    for counting in COUNTINGS:
        assert main([*command, "--counting", counting, "--output", file]) == 0
        radii[counting] = json.loads(capsys.readouterr().out)["radius_steps"]
        assert certify(model, image, 441, counting=counting).radius_steps == radii[counting]
        assert json.loads(Path(file).read_text())["claim"].get("counting", PLURALITY) == counting
        assert main(["verify", file]) == 0
        capsys.readouterr()
    assert radii["duels"] > radii["plurality"]


def test_an_evaluation_by_duels(tmp_path, capsys):
    folder = counting_duels(unmeasured(tmp_path))
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.1", "--model", str(folder), "--record"]
    assert main([*command, "--limit", "4"]) == 0
    assert ", counted by duels\n" in capsys.readouterr().out
    records = record_files.kept_records(folder, record_files.TEST, read_manifest(folder))
    model, data = load_model(str(folder)), list_dataset(str(tmp_path / "data"), (32, 32))
    for record, image in zip(records, data.read([record.index for record in records]), strict=True):
        found = certify(model, image, record.levels)
        assert (record.predicted, record.radius_steps, record.wins) == (found.label, found.radius_steps, found.wins)
        assert record.counting == "duels" and record.certificate == found
    assert read_manifest(folder).measured["certified_accuracy"]["by_levels"]["88"]["counting"] == "duels"


def test_each_noise_may_be_counted_in_its_own_way(tmp_path, capsys):
    folder = unmeasured(tmp_path)
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--limit", "4", "--model", str(folder), "--record"]
    assert main([*command, "--sigma", "0.1"]) == 0
    assert main([*command, "--sigma", "0.05", "--counting", "duels"]) == 0
    ways = {88: "plurality", 44: "duels"}
    kept = record_files.kept_records(folder, record_files.TEST, read_manifest(folder))
    assert {(record.levels, record.counting) for record in kept} == set(ways.items())
    measured = read_manifest(folder).measured["certified_accuracy"]["by_levels"]
    assert {int(levels): of["counting"] for levels, of in measured.items()} == ways
    assert main([*command, "--sigma", "0.1", "--counting", "duels"]) == 1
    said = capsys.readouterr().err
    assert "4 records at N = 88, counted in another way (float32, by plurality; not float32, by duels)" in said
    assert kept == record_files.kept_records(folder, record_files.TEST, read_manifest(folder))


def test_randomized_methods_are_not_counted_by_duels(tmp_path, capsys):
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.1", "--model", "cifar10-uniform"]
    assert main([*command, "--counting", "duels"]) == 1
    assert "only DSSN counts votes by duels, not 'uniform'" in capsys.readouterr().err


def test_agree_compares_every_setting_and_prices_every_gap(capsys):
    assert main(["agree", "--levels", "4", "--images", "2"]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("cifar10-dssn, N = 4, 2 pictures, against ")
    assert [line.split()[0] for line in lines].count("strict") == len(GAPS) and len(lines) == 15 + len(GAPS)
    assert all(" of 8 votes " in line for line in lines)


def test_an_interruption_is_told_in_a_word(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("dssn_core.commands.certificates.read_image", interrupted)
    assert main(["certify", PICTURE]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_another_noise_than_that_of_the_training_is_told(capsys):
    assert main(["certify", PICTURE, "--levels", "4", "--model", "cifar10-uniform"]) == 0
    said = capsys.readouterr().err
    assert "cifar10-uniform is trained for uniform: these samples are new to it" in said
    assert "trained for sigma from 0.1 to 3.5: its answers at sigma 0.0045 mean little" in said
    assert main(["certify", PICTURE, "--sigma", "0.1"]) == 0
    assert "trained for" not in capsys.readouterr().err


CHEAP = ("--sigma-range", "0.2", "0.4", "--check-every", "200")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A zip of class folders with 205 noisy pictures in each, and a model that `train` made of 5 of them."""
    home = tmp_path_factory.mktemp("trained")
    generator = np.random.default_rng(0)
    with zipfile.ZipFile(home / "data.zip", "w") as data:
        for place, name in enumerate(CIFAR10_CLASSES):
            for number in range(205):
                pixels = generator.integers(25 * place, 25 * place + 30, (32, 32, 3), dtype=np.uint8)
                data.writestr(f"{name}/{number}.png", png(torch.from_numpy(pixels).permute(2, 0, 1)))
    assert main([*training(home), "--output", str(home / "model")]) == 0
    return home


def training(home):
    command = ["train", "--data", str(home / "data.zip"), "--network", '{"stem": 4, "stages": [8]}']
    return [*command, "--images", "200", "--batch-size", "10", "--seed", "3", *CHEAP]


def test_train_says_how_votes_are_to_be_counted(trained, tmp_path):
    shutil.copytree(trained / "model", tmp_path / "model")  # a run that has ended
    assert main([*training(trained), "--output", str(tmp_path / "model"), "--counting", "duels"]) == 0
    found, before = (read_manifest(folder / "model") for folder in (tmp_path, trained))
    assert found == replace(before, counting="duels") != before


def test_train_takes_its_settings(trained):
    manifest = load_model(str(trained / "model")).manifest
    assert manifest.settings == {"stem": 4, "stages": [8]} and manifest.sigma_range == (0.2, 0.4)
    assert [manifest.training[name] for name in ("images", "batch_size", "seed")] == [200, 10, 3]


def test_train_leaves_a_run_to_the_process_that_is_at_it(trained, capsys):
    command = ["train", "--data", "missing.zip", "--output", str(trained / "model"), "--images", "200"]
    with only_writer(trained / "model"):
        assert main([*command, "--batch-size", "10"]) == 1
    assert "another process is writing to" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["train", "--output", "new", "--start", "nonesuch"], "unknown model 'nonesuch'"),
        (["train", "--output", "new", "--noise", "ssn", "--counting", "duels"], "duels"),
        (["train", "--output", str(PRETRAINED / "cifar10-dssn")], "holds a model, but no state"),
        (["evaluate", "--sigma", "0.5", "--output", f"{PICTURE}/records.jsonl"], "cannot be written to"),
    ],
)
def test_what_can_be_refused_before_the_data_are_read_is(command, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([*command, "--data", "missing.zip"]) == 1
    said = capsys.readouterr().err
    assert message in said and "missing.zip" not in said and not (tmp_path / "new").exists()


def test_evaluate_tells_where_the_images_are_those_of_the_training(trained, capsys):
    command = ["evaluate", "--model", str(trained / "model"), "--data", str(trained / "data.zip"), "--sigma", "0.05"]
    warning = "model was trained on this data: --held-out takes the images it never saw"
    assert main([*command, "--limit", "2"]) == 0
    assert warning in capsys.readouterr().err
    assert main([*command, "--limit", "2", "--held-out"]) == 0
    assert warning not in capsys.readouterr().err


def test_estimate_asks_the_held_out_images(trained, capsys):
    command = ["estimate", "--model", str(trained / "model"), "--data", str(trained / "data.zip")]
    assert main([*command, "--sigma", "0.25", "--limit", "40", "--samples", "2", "--rho", "0", "0.1"]) == 0
    title, head, row = capsys.readouterr().out.splitlines()[-3:]
    assert title.endswith("model: 40 images, 2 samples each") and head.split() == ["sigma", "sample", "0", "0.1"]
    model = load_model(str(trained / "model"))
    held_out = held_out_of(model.manifest, list_dataset(str(trained / "data.zip"))).load()
    few = held_out.subset(torch.tensor(evenly_spread(held_out.labels.tolist(), 40)))
    (expected,) = quick_estimates(model, few, [0.25], [0.0, 0.1], 2)
    shares = [expected.single_sample, *expected.certified.values()]
    assert row.split() == ["0.25", *(f"{100 * share:.1f}" for share in shares)]


def test_evaluate_takes_images_that_the_training_held_out(trained, tmp_path):
    output = tmp_path / "records.jsonl"
    command = ["evaluate", "--model", str(trained / "model"), "--data", str(trained / "data.zip"), "--sigma", "0.05"]
    assert main([*command, "--held-out", "--limit", "30", "--output", str(output), "--files", "[1-9]*.png"]) == 0
    records = [json.loads(line) for line in output.read_text().splitlines()]
    model = load_model(str(trained / "model"))
    held_out = held_out_of(model.manifest, list_dataset(str(trained / "data.zip"))).load()
    known = {image_sha256(image) for image in held_out.images}
    assert len(records) == 30 and {record["image_sha256"] for record in records} <= known
    assert all(record["file"] != "0.png" for record in records)


def test_it_runs_from_any_folder(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-m", "dssn_core", "certify", PICTURE, "--levels", "50", "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["levels"] == 50


def test_bench_prints_ratio_and_memory(capsys):
    assert main(["bench", "--levels", "20", "--rounds", "1"]) == 0
    printed = capsys.readouterr().out
    assert "ratio of times" in printed
    assert "peak memory" in printed


def test_memory_that_is_not_there_is_told(monkeypatch, capsys):
    monkeypatch.setitem(COMMANDS, "agree", replace(COMMANDS["agree"], run=lambda _: torch.empty(10**15)))
    assert main(["agree", "--sigma", "0.5"]) == 1
    assert "not enough memory" in capsys.readouterr().err


def test_other_errors_of_torch_are_none_of_memory(monkeypatch):
    monkeypatch.setitem(COMMANDS, "agree", replace(COMMANDS["agree"], run=lambda _: torch.ones(2) @ torch.ones(3)))
    with pytest.raises(RuntimeError):
        main(["agree", "--sigma", "0.5"])


def test_records_are_not_written_to_a_device(capsys):
    assert main(["evaluate", "--data", "none.zip", "--sigma", "0.02", "--output", "/dev/null"]) == 1
    assert "is not a file" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate", "--data", "{data}", "--record", "--limit", "10"],
        ["gallery"],
        ["certify", PICTURE, "--output", "{data}/new/certificate.json"],
        ["attack", PICTURE, "--output", "{data}/flip.png"],
    ],
)
def test_what_cannot_be_stored_is_not_counted(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(os, "access", lambda *_: False)  # as of a folder that can only be read
    data = class_folders(tmp_path)
    given = [one.format(data=data) for one in arguments]
    assert main([*given, "--sigma", "0.02"]) == 1
    assert "cannot be written to" in capsys.readouterr().err


def test_a_certificate_is_written_though_nobody_reads_what_is_printed(tmp_path):
    command = [sys.executable, "-u", "-m", "dssn_core", "certify", PICTURE, "--levels", "88", "--output"]
    with subprocess.Popen([*command, str(tmp_path / "c.json")], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        run.stdout.close()
        _, errors = run.communicate()
    assert run.returncode == 1 and errors == b""
    assert json.loads((tmp_path / "c.json").read_text())["noise"]["levels"] == 88


def test_where_nobody_reads_a_command_ends_without_a_trace():
    """Its output is a pipe whose reader has left, as `| head` does, or is closed."""
    command = [sys.executable, "-m", "dssn_core", "standings"]
    reader, writer = os.pipe()
    os.close(reader)
    left = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    closed = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *command], stderr=subprocess.PIPE)
    assert [(run.returncode, run.stderr) for run in (left, closed)] == [(1, b""), (0, b"")]


def test_a_setting_that_is_for_a_denoiser_is_not_ignored(tmp_path, capsys):
    assert main(["train", "--data", "none.zip", "--output", str(tmp_path / "mine"), "--stability", "1"]) == 1
    assert "--stability is for a denoiser" in capsys.readouterr().err


def test_a_command_works_where_progress_and_warnings_have_no_place():
    command = [sys.executable, "-m", "dssn_core", "certify", PICTURE, "--levels", "20", "--json"]
    run = subprocess.run(["sh", "-c", 'exec "$@" 2>&-', "sh", *command], stdout=subprocess.PIPE)
    assert run.returncode == 0 and json.loads(run.stdout)["levels"] == 20
