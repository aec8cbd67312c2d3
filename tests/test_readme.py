"""What the texts say is what the commands print: figures, files and command lines."""

import json
import re
import shlex
import shutil
from dataclasses import asdict
from math import floor
from pathlib import Path
from statistics import NormalDist

import pytest

from app.collection import COLLECTIONS
from dssn_core import load_model
from dssn_core.__main__ import all_commands, main
from dssn_core.accuracy import certified_curve
from dssn_core.checkpoints import PRETRAINED, list_models, read_manifest
from dssn_core.commands.certificates import EXIT_CODES
from dssn_core.commands.making import settings_of
from dssn_core.constants import PIXEL_STEPS, sigma_from_levels
from dssn_core.findings import Verdict
from dssn_core.gallery import built_in_pictures
from dssn_core.paper import published
from dssn_core.record_files import SHELVES, kept_records, measured_on
from dssn_core.records import Part, by_levels
from dssn_core.standings import Evaluated, standings

README = Path(__file__).parents[1] / "README.md"
TEXTS = [README, PRETRAINED / "README.md"]


def rows(words: str) -> list[list[str]]:
    """The cells of the first table after these words of the networks' text, without its heads."""
    _, after = TEXTS[1].read_text(encoding="utf-8").split(words)
    table = re.search(r"^\|.*?(?=\n\n)", after, re.MULTILINE | re.DOTALL)
    assert table
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[0].splitlines()[2:]]


def commands(text: str) -> list[str]:
    """Every whole command line in a text: in its blocks of code, and between backquotes."""
    joined = re.sub(r"\\\n\s*", "", text)
    blocks = re.findall(r"^python -m dssn_core .*", joined, re.MULTILINE)
    quoted = re.findall(r"`python\s-m\sdssn_core\s([^`]*)`", re.sub(r"\n", " ", joined))
    return [line.removeprefix("python -m dssn_core ") for line in [*blocks, *quoted]]


@pytest.mark.parametrize("command", [line for text in TEXTS for line in commands(text.read_text(encoding="utf-8"))])
def test_every_command_line_is_one(command):
    if "COMMAND" not in command and "…" not in command:
        all_commands().parse_args(shlex.split(command, comments=True))


def test_the_command_that_trained_a_network_has_the_settings_of_its_manifest():
    (command,) = [line for line in commands(TEXTS[1].read_text(encoding="utf-8")) if "runs/cifar10-dssn-blocks" in line]
    options, manifest = (
        all_commands().parse_args(shlex.split(command)),
        read_manifest(PRETRAINED / "cifar10-dssn-blocks"),
    )
    settings = json.loads(json.dumps(asdict(settings_of(options))))
    assert settings == {name: manifest.training[name] for name in settings} and options.counting == manifest.counting


def test_the_commands_are_found():
    names = {line.split()[0] for line in commands(README.read_text(encoding="utf-8"))}
    assert names > {"certify", "verify", "evaluate", "train", "standings"}


def test_the_examples_in_python_run(tmp_path, monkeypatch, capsys):
    shutil.copy(built_in_pictures()[9].path, tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    names = {"network": load_model("cifar10-dssn")}
    for block in re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        exec(block.replace("n=100_000", "n=200"), names)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7 + 1 + 1
    assert float(lines[7]) == names["certificate"].radius == 141 / 255


def test_the_table_of_certified_accuracy_is_what_standings_prints(capsys):
    (command,) = (line for line in commands(README.read_text(encoding="utf-8")) if "--markdown" in line)
    assert main(shlex.split(command)) == 0
    assert capsys.readouterr().out.strip() in README.read_text(encoding="utf-8")


def test_the_figures_by_first_choices_are_what_standings_prints(capsys):
    text = README.read_text(encoding="utf-8")
    (command,) = (line for line in commands(text) if "--plurality" in line)
    assert main(shlex.split(command)) == 0
    printed = dict(re.findall(r"^rho (\S+): ([\d.]+) ", capsys.readouterr().out, re.MULTILINE))
    by_duels = re.findall(r"^\| (\S+) \|.*\| duels \|", text, re.MULTILINE)
    (stated,) = re.findall(r"the\s+same\s+votes\s+give\s+(.*?)\s+\(`", text, re.DOTALL)
    assert re.findall(r"\d+\.\d+", stated) == [printed[rho] for rho in by_duels]


def test_where_the_difference_may_be_chance():
    """Elsewhere it is larger than nine rows let expect, by the normal approximation, as if no image were in both."""
    text = README.read_text(encoding="utf-8")
    (within,) = re.findall(
        r"\*\*It may be chance\*\* at ρ = (.*?), where the paper's figure lies within our interval", text
    )
    row = r"^\| (\S+) \| ([\d.]+) \| ([\d.]+) – ([\d.]+) \|.*\| 5,000 \| ([\d.]+) \| \S+ \|$"
    rows = re.findall(row, text, re.MULTILINE)
    assert len(rows) == 9
    for rho, *figures in rows:
        ours, low, high, paper = (float(figure) / 100 for figure in figures)
        error = (ours * (1 - ours) / 5_000 + paper * (1 - paper) / 10_000) ** 0.5
        is_large = abs(ours - paper) > NormalDist().inv_cdf(1 - 0.05 / 2 / len(rows)) * error
        assert (low <= paper <= high) == (not is_large) == (rho in re.findall(r"[\d.]+", within))


def test_the_records_are_those_that_the_text_lists():
    listed, network = {}, ""
    for name, sigmas, levels, precision, counting, held_out, test in rows("## CIFAR-10\n"):
        network = name.strip("`") or network
        for sigma, n in zip(sigmas.split(", "), re.findall(r"[\d,]*\d", levels), strict=True):
            n = int(n.replace(",", ""))
            assert f"{sigma_from_levels(n):.2f}" == sigma
            listed[network, n] = (precision, counting, int(held_out), int(test.replace(",", "")))
    kept = {}
    for name in {name for name, _ in listed}:
        found = Evaluated.read(PRETRAINED / name)
        held_out, test = by_levels(found.held_out), by_levels(found.test)
        assert held_out.keys() == test.keys()
        for n in test:
            kept[name, n] = (test[n][0].precision, test[n][0].counting, len(held_out[n]), len(test[n]))
    assert listed == kept


def test_the_three_methods_figures_are_those_of_their_records(capsys):
    for network, cells in zip(
        ("cifar10-dssn", "cifar10-ssn", "cifar10-uniform"), rows("### Three methods"), strict=True
    ):
        assert main(["standings", "--model", network]) == 0
        printed = re.findall(r"^rho .*?: ([\d.]+) ", capsys.readouterr().out, re.MULTILINE)
        assert [f"{float(figure):.1f}" for figure in printed] == cells[1:]


def test_the_sizes_of_the_weights():
    sizes = {}
    for names, size, *_ in rows("# The networks, and what was measured\n"):
        each = re.findall(r"`(.*?)`", names)
        stated = size.removesuffix(" each").split(", ")
        sizes.update(zip(each, stated * len(each) if len(stated) == 1 else stated, strict=True))
    bytes_of = {name: (PRETRAINED / name / "weights.safetensors").stat().st_size for name in list_models()}
    assert sizes == {name: f"{size / 1e6:.1f} MB" if size > 1000 else "–" for name, size in bytes_of.items()}


@pytest.mark.parametrize(
    ("words", "sigmas", "networks"),
    [
        (
            "Percent of 2,000 training images",
            ("0.25", "0.5", "1", "2", "3.5"),
            ("cifar10-dssn", "cifar10-ssn", "cifar10-uniform", "cifar10-dssn-long"),
        ),
        (
            "Percent of 200 held-out pictures",
            ("0.25", "0.5", "1", "2"),
            ("imagenet-dssn", "imagenet-ssn", "imagenet-uniform"),
        ),
    ],
)
def test_the_shares_of_single_samples_are_those_of_the_manifests(words, sigmas, networks):
    for network, (_, *cells) in zip(networks, rows(words), strict=True):
        measured = read_manifest(PRETRAINED / network).measured["held_out_single_sample_accuracy"]["by_sigma"]
        assert cells == [str(floor(round(1000 * measured[sigma], 3)) / 10) for sigma in sigmas]


def test_the_imagenet_figures_are_those_of_the_records():
    table = iter(rows("Certified accuracy, on Imagenette"))
    validation = "ILSVRC2012_val_*"
    names = ("imagenet-dssn", "imagenet-bare", "imagenet-uniform", "imagenet-ssn")
    for part in (Part(files=validation), Part(but=validation)):
        found = {name: Evaluated.read(PRETRAINED / name, part).test for name in names}
        images = {record.index for record in found["imagenet-dssn"]}
        for network, records in found.items():
            for n, group in by_levels(record for record in records if record.index in images).items():
                who, sigma, *cells = next(table)
                assert not who or f"`{network}`" in who
                assert float(sigma) == round(sigma_from_levels(n), 2) and len(group) == len(images)
                able = [rho for rho in (0, 0.1, 0.25, 0.5, 1) if rho * PIXEL_STEPS <= n // 2]
                counts = [str(share.count) for share in certified_curve(group, able)]
                assert cells == counts + ["–"] * (len(cells) - len(counts))
    assert next(table, None) is None


PARTS = {str(part): part for collection in COLLECTIONS.values() for part in collection.parts.values()}


@pytest.mark.parametrize("name", list_models())
def test_the_figures_of_a_manifest_are_those_of_its_records(name):
    measured = read_manifest(PRETRAINED / name).measured
    for shelf in SHELVES:
        kept = kept_records(PRETRAINED / name, shelf)
        for entry in (entry for entry in measured if entry.startswith(shelf.entry)):
            told, records = measured[entry]["by_levels"], PARTS[entry.removeprefix(shelf.entry)].of(kept)
            assert told.keys() == {str(levels) for levels in by_levels(records)}
            for levels, group in by_levels(records).items():
                found = measured_on(group, "")["by_levels"][str(levels)]
                assert json.loads(json.dumps(found)) == told[str(levels)]


def test_the_table_of_exit_codes():
    told = dict(re.findall(r"^\| (\d) \| ([^|]*?) \|$", README.read_text(encoding="utf-8"), re.MULTILINE))
    begins = {"everything agrees": Verdict.HOLDS, "something differs": Verdict.DIFFERS}
    for words, verdict in {**begins, "only votes or duels of nearly tied": Verdict.ROUNDING}.items():
        assert told[str(EXIT_CODES[verdict])].startswith(words)
    assert told["1"] == "the file cannot be checked"


def test_where_the_paper_is_better():
    networks = [Evaluated.read(PRETRAINED / f"cifar10-dssn-{name}") for name in ("long", "pair", "blocks")]
    rivals = [row for row in published("cifar10") if row.method == "dssn"]
    none, small = standings(networks, rivals, [0.0, 0.25])
    text = re.sub(r"\s+", " ", README.read_text(encoding="utf-8"))
    assert f"at ρ = 0.25 by {-small.difference:.2f} points, and without any radius (`--rho 0`) by " in text
    assert f"(`--rho 0`) by {-none.difference:.2f}." in text


def test_the_images_of_the_table_are_nested():
    """Of the rows' networks at their noise: the 1,000 among the 5,000."""
    measured = [
        {record.index for record in records}
        for name in ("cifar10-dssn-pair", "cifar10-dssn-blocks")
        for records in by_levels(Evaluated.read(PRETRAINED / name).test).values()
    ]
    sets = {len(indices): indices for indices in measured}
    assert sorted(sets) == [1000, 5000] and sets[1000] < sets[5000]
    assert all(indices == sets[len(indices)] for indices in measured)
