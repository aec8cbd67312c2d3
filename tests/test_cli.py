"""The command line, as a shell user meets it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dssn_core import certify, levels_from_sigma, load_model, read_image
from dssn_core.__main__ import main
from dssn_core.gallery import sample_pictures

PICTURE = str(sample_pictures()[3].path)


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
        (["certify", PICTURE, "--model", "resnet-9000"], "known: cifar10-dssn"),
        (["evaluate", "--data", "nowhere", "--sigma", "0.5"], "no data at"),
        (["train", "--data", "nowhere", "--output", "unused", "--offsets", "r2"], "no data at"),
        (["standings", "--model", "cifar10-dssn", "cifar10-ssn"], "of different classes or methods"),
        (["standings", "--model", "cifar10-ssn", "--rho", "0.6"], "the paper has no figure at rho = 0.6"),
        (["standings", "--model", "imagenet-dssn", "--files", "ILSVRC*", "--rho", "9"], "no noise has records of both"),
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
    assert half.startswith("rho 0.5: ") and "cifar10-dssn-long at sigma 0.75), paper 72.25, difference" in half
    assert four.startswith("rho 4: ") and "1,000 images" in four


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
