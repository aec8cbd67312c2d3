"""The built-in pictures."""

import numpy as np
import pytest
from PIL import Image

from dssn_core import read_image
from dssn_core.datasets import CIFAR10_CLASSES
from dssn_core.gallery import built_in_pictures, pictures_for


def test_twenty_pictures_in_order():
    pictures = built_in_pictures()
    assert [picture.key for picture in pictures] == [f"cifar10-{i:02d}" for i in range(20)]


def test_labels_are_those_of_the_file_names():
    for found in built_in_pictures():
        dataset, index, label = found.path.stem.split("_")
        assert found.key == f"{dataset}-{int(index):02d}"
        assert found.label == int(label) < len(CIFAR10_CLASSES)


def test_they_can_be_read_as_they_are():
    for found in built_in_pictures():
        with Image.open(found.path) as picture:
            assert picture.size == (32, 32)
            expected = np.asarray(picture.convert("RGB"))
        assert np.array_equal(read_image(found.path).permute(1, 2, 0).numpy(), expected)


def test_an_unknown_task():
    with pytest.raises(FileNotFoundError, match="no pictures of 'nonesuch'"):
        built_in_pictures("nonesuch")


def test_a_network_of_other_classes_has_no_pictures():
    class Other:
        class_names = tuple("abcdefghij")  # ten, as CIFAR-10 has

    with pytest.raises(ValueError, match="no built-in pictures or published figures for the classes"):
        pictures_for(Other())
