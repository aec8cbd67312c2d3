"""What is cached of the installed networks."""

import shutil
from dataclasses import replace

from app import installed, resources
from dssn_core.checkpoints import PRETRAINED, save_manifest


def test_what_is_known_of_a_network_is_forgotten_when_its_files_change(tmp_path):
    folder = shutil.copytree(PRETRAINED / "cifar10-dssn", tmp_path / "mine")
    name = str(folder)
    manifest, model = installed.manifest_of(name), resources.model(name)
    assert installed.manifest_of(name) is manifest and resources.model(name) is model
    save_manifest(folder, replace(manifest, measured={}))
    assert installed.manifest_of(name).measured == resources.model(name).manifest.measured == {}
