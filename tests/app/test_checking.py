"""What checking finds is known afterwards, of just that."""

import os
import shutil

import pytest

from app import checking
from dssn_core import load_model, read_image
from dssn_core.certificate_file import CertificateFileError, make
from dssn_core.checkpoints import PRETRAINED, WEIGHTS
from dssn_core.gallery import built_in_pictures
from dssn_core.manifest import MANIFEST
from dssn_core.self_check import KNOWN
from dssn_core.voting import complete, tally


def test_what_is_known_of_a_file_is_known_of_its_own_picture_only():
    model, image = load_model("cifar10-dssn"), read_image(built_in_pictures()[9].path)
    document = make(model, image, complete(tally(model, image, model.manifest.noise_at(30))), embed=False)
    assert checking.verification(document, image, lambda share: None)
    with pytest.raises(CertificateFileError, match="not the one that the file is about"):
        checking.verification(document, 255 - image, lambda share: None)


def test_a_file_of_a_network_that_is_written_makes_it_another_installation(installed):
    folder = shutil.copytree(PRETRAINED / "cifar10-dssn", installed / "cifar10-dssn")
    for file in (MANIFEST, WEIGHTS, KNOWN):
        before = checking.installation()
        os.utime(folder / file, ns=(1, 1))
        assert checking.installation() != before
