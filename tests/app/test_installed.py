"""What is cached of the installed networks."""

import shutil
from dataclasses import replace

import pytest

from app import checking, installed, resources
from app.collection import COLLECTIONS
from dssn_core import read_image, stored
from dssn_core.checkpoints import PRETRAINED, save_manifest
from dssn_core.constants import PLURALITY
from dssn_core.gallery import built_in_pictures
from dssn_core.monte_carlo import Plan
from dssn_core.records import WHOLE
from dssn_core.standings import Evaluated
from dssn_core.stored import keep_certificates


@pytest.fixture
def installed_models(request):
    return request.getfixturevalue("installed")


@pytest.fixture
def folder(tmp_path):
    """A copy of the small network that nothing else knows."""
    return shutil.copytree(PRETRAINED / "cifar10-dssn", tmp_path / "mine")


def test_what_is_known_of_a_network_is_forgotten_when_its_files_change(folder):
    name = str(folder)
    manifest, model = installed.manifest_of(name), resources.model(name)
    assert installed.manifest_of(name) is manifest and resources.model(name) is model
    save_manifest(folder, replace(manifest, measured={}))
    assert installed.manifest_of(name).measured == resources.model(name).manifest.measured == {}


def test_records_are_read_once():
    name, part = "imagenet-dssn", next(iter(COLLECTIONS["ImageNet"].parts.values()))
    whole = installed.evaluated(name, WHOLE)
    assert installed.evaluated(name, WHOLE) is whole
    assert installed.evaluated(name, part) == Evaluated.read(PRETRAINED / name, part)
    assert all(any(record is known for known in whole.test) for record in installed.evaluated(name, part).test)


@pytest.mark.parametrize("damage", [None, "{"])
def test_a_collection_whose_first_network_is_gone_keeps_the_others(installed_models, damage):
    own = COLLECTIONS["CIFAR-10"].model
    shutil.copytree(PRETRAINED / "cifar10-dssn-long", installed_models / "cifar10-dssn-long")
    shutil.copytree(PRETRAINED / "cifar10-uniform", installed_models / "cifar10-uniform")
    assert installed.networks_of(COLLECTIONS["CIFAR-10"]) == ["cifar10-dssn-long"]
    (installed_models / own).mkdir()
    if damage:
        (installed_models / own / "manifest.json").write_text(damage)
    assert installed.networks_of(COLLECTIONS["CIFAR-10"]) == ["cifar10-dssn-long"]
    shutil.copytree(PRETRAINED / own, installed_models / own, dirs_exist_ok=True)
    assert installed.networks_of(COLLECTIONS["CIFAR-10"]) == [own, "cifar10-dssn-long"]


def test_a_vote_under_way_outlives_what_an_evaluation_writes(folder):
    name, pixels = str(folder), read_image(built_in_pictures()[0].path)
    run = resources.votes_of(name, pixels, 100, PLURALITY)
    other = resources.estimate_of(name, pixels, Plan("ssn", 100, n=50))
    run.advance()
    manifest = installed.manifest_of(name)
    save_manifest(folder, replace(manifest, measured={}))
    assert resources.votes_of(name, pixels, 100, PLURALITY) is run
    assert resources.estimate_of(name, pixels, Plan("ssn", 100, n=50)) is other
    save_manifest(folder, replace(manifest, precision="bfloat16"))  # another function
    assert resources.votes_of(name, pixels, 100, PLURALITY) is not run


def test_a_vote_that_was_added_is_found(folder):
    name, pixels = str(folder), read_image(built_in_pictures()[0].path)
    assert resources.stored_run(name, pixels, 100) is None
    run = resources.votes_of(name, pixels, 100, PLURALITY)
    run.finish()
    keep_certificates(folder, [run.document(embed=False)])
    found = resources.stored_run(name, pixels, 100)
    assert found is not None and (found.labels == run.labels).all()


@pytest.mark.parametrize("spoil", [lambda file: file.write_text("no gzip"), lambda file: file.mkdir()])
def test_a_file_of_votes_that_cannot_be_read_is_none(folder, spoil):
    spoil(folder / stored.FILE)
    assert resources.stored_run(str(folder), read_image(built_in_pictures()[0].path), 100) is None


def test_a_check_of_an_installation_that_has_changed_is_made_again(monkeypatch):
    answers = iter(["first", "second"])
    monkeypatch.setattr(checking, "stamp_of", lambda name, files: (next(stamps),))
    stamps = iter(range(1000))
    found = [checking.checked("a test of checks", checking.installation(), lambda: next(answers)) for _ in range(2)]
    assert [result.text for result in found] == ["first", "second"]
