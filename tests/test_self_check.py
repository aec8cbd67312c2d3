"""The self-check passes here, and fails where something is wrong."""

import json
import shutil
from fractions import Fraction

import numpy as np
import pytest

from dssn_core import certificate_file, near_ties, self_check
from dssn_core.__main__ import main
from dssn_core.base_classifier import logits_of
from dssn_core.certificate_file import embedded_image, parse
from dssn_core.checkpoints import PRETRAINED, WEIGHTS, list_models, load_model
from dssn_core.commands.options import DIFFERS
from dssn_core.layout import ChunkLayout
from tests.oracle import centre


def failed(folder):
    return [result.what for result in self_check.run(folder) if result.at_fault]


def test_an_installation_passes(capsys, monkeypatch):
    monkeypatch.setattr(self_check, "list_models", lambda folder: ("cifar10-dssn",))  # of all, in `.ci/run`
    assert main(["self-check"]) == 0
    assert "cifar10-dssn: a known certificate: computed again" in capsys.readouterr().out


@pytest.mark.parametrize("name", list_models())
def test_known_certificates_begin_as_they_are_counted_here(name):
    """Their first chunk, but for near ties, which another machine's rounding may turn."""
    document = parse((PRETRAINED / name / self_check.KNOWN).read_bytes())
    model, how, levels = load_model(name), document["evaluation"], document["noise"]["levels"]
    assert model.precision == how["precision"]
    indices = ChunkLayout.of(levels, how["rows"]).indices(0)
    noise = model.manifest.noise_at(levels)
    logits = logits_of(model, noise.samples_at(embedded_image(document), indices), noise.lam)
    stated = np.array(document["claim"]["sample_labels"])[indices]
    behind = logits.max(axis=1) - logits[np.arange(len(stated)), stated]
    assert behind.max() < near_ties.NEAR_TIE[model.precision]
    assert (behind > 0).sum() <= 3


@pytest.mark.parametrize("levels", [2, 5, 100, 254, 255, 300])
def test_its_fractions_are_the_oracles(levels):
    for pixel in range(0, 256, 5):
        for index in range(0, levels, max(1, levels // 7)):
            expected = centre(pixel, 1, index, levels)
            assert self_check.centre(pixel, 1, index, levels) == expected
            assert isinstance(expected, Fraction)


# With no networks to check, only what is asked for here fails beside that there are none.


def test_a_wrong_splitting_is_found(tmp_path, monkeypatch, capsys):
    original = self_check.SplitNoise.numerators
    monkeypatch.setattr(self_check.SplitNoise, "numerators", lambda *a: original(*a) + 1)
    assert failed(tmp_path) == ["splitting against exact fractions", "the networks"]
    monkeypatch.setattr(self_check, "list_models", lambda folder: ("cifar10-dssn",))
    assert main(["self-check"]) == DIFFERS


def test_a_step_that_changes_two_samples_is_found(tmp_path, monkeypatch):
    original = self_check.SplitNoise.numerators

    def doubled(noise, image, start, stop):
        found = original(noise, image, start, stop)
        found[-1] += found[0]  # another sample follows the first one
        return found

    monkeypatch.setattr(self_check.SplitNoise, "numerators", doubled)
    assert "one step, one sample" in failed(tmp_path)


def test_a_radius_by_duels_too_large_is_found(tmp_path, monkeypatch):
    original = self_check.certificate_from_duels

    class Longer:
        def __init__(self, duels, votes, levels):
            found = original(duels, votes, levels)
            self.label, self.radius_steps = found.label, found.radius_steps + found.won

    monkeypatch.setattr(self_check, "certificate_from_duels", Longer)
    assert failed(tmp_path) == ["the radius by duels against brute force", "the networks"]


@pytest.mark.parametrize("error", [1, -1])
def test_a_radius_too_large_or_too_small_is_found(tmp_path, monkeypatch, error):
    class Wrong:
        def __init__(self, votes, levels):
            self.radius_steps = max(0, certificate(votes, levels).radius_steps + error)

    certificate = self_check.certificate_from_votes
    monkeypatch.setattr(self_check, "certificate_from_votes", Wrong)
    assert failed(tmp_path) == ["the radius against brute force", "the networks"]


def test_nothing_to_check_does_not_pass(tmp_path):
    assert failed(tmp_path) == ["the networks"]


def test_damaged_weights_and_a_changed_certificate_are_found(tmp_path):
    shutil.copytree(PRETRAINED / "cifar10-dssn", tmp_path / "cifar10-dssn")
    file = tmp_path / "cifar10-dssn" / self_check.KNOWN
    document = json.loads(file.read_text())
    document["claim"]["radius_steps"] += 1
    file.write_text(json.dumps(document))
    assert failed(tmp_path) == ["cifar10-dssn: a known certificate"]
    document["claim"]["radius_steps"] -= 1
    document["made"]["system"] = "another"  # which no claim rests on; but the file is not as it was written
    file.write_text(json.dumps(document))
    assert failed(tmp_path) == ["cifar10-dssn: a known certificate"]
    weights = tmp_path / "cifar10-dssn" / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    assert failed(tmp_path) == ["cifar10-dssn: the files", "cifar10-dssn: a known certificate"]


@pytest.mark.parametrize(("near", "expected"), [(1e9, []), (1e-9, ["cifar10-dssn: a known certificate"])])
def test_votes_that_another_machine_may_count_otherwise_are_no_fault(tmp_path, monkeypatch, near, expected):
    shutil.copytree(PRETRAINED / "cifar10-dssn", tmp_path / "cifar10-dssn")
    file = tmp_path / "cifar10-dssn" / self_check.KNOWN
    document = json.loads(file.read_text())
    labels = document["claim"]["sample_labels"]
    labels[0] = (labels[0] + 1) % 10
    file.write_text(json.dumps(certificate_file.with_votes(document, labels)))
    monkeypatch.setitem(near_ties.NEAR_TIE, "float32", near)
    found = list(self_check.run(tmp_path))
    assert [result.what for result in found if result.at_fault] == expected
    assert sum(result.rounding for result in found) == 1 - len(expected)  # told apart from one that agrees


def test_all_shipped_networks_have_a_known_certificate_and_others_need_none(tmp_path):
    assert all((PRETRAINED / name / self_check.KNOWN).is_file() for name in list_models())
    shutil.copytree(PRETRAINED / "cifar10-dssn", tmp_path / "cifar10-dssn")
    (tmp_path / "cifar10-dssn" / self_check.KNOWN).unlink()
    assert [what for what, _ in self_check.checks(tmp_path)][-1] == "cifar10-dssn: the files"
