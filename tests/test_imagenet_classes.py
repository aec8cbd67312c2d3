from dataclasses import replace

import pytest
import torch

from dssn_core import imagenet_classes
from dssn_core.datasets import Dataset


def test_there_are_a_thousand_different_classes():
    assert len(set(imagenet_classes.class_names())) == len(set(imagenet_classes.wordnet_ids())) == 1000
    assert imagenet_classes.class_names()[0] == "tench" and imagenet_classes.wordnet_ids()[0] == "n01440764"
    assert imagenet_classes.class_names()[701] == "parachute" and imagenet_classes.wordnet_ids()[701] == "n03888257"


def test_wordnet_folders_get_imagenets_labels():
    images, labels = torch.zeros(3, 3, 2, 2, dtype=torch.uint8), torch.tensor([0, 1, 1])
    data = Dataset(images, labels, ("n01440764", "n03888257"), "d").listing()
    labelled = imagenet_classes.with_imagenet_labels(data)
    assert labelled.labels.tolist() == [0, 701, 701] and labelled.class_names == imagenet_classes.class_names()
    with pytest.raises(ValueError, match="neither WordNet ids"):
        imagenet_classes.with_imagenet_labels(replace(data, class_names=("n01440764", "cat")))


def test_folders_may_be_named_by_class():
    images, labels = torch.zeros(2, 3, 1, 1, dtype=torch.uint8), torch.tensor([1, 0])
    labelled = imagenet_classes.with_imagenet_labels(Dataset(images, labels, ("bottlecap", "tench"), "d").listing())
    assert labelled.labels.tolist() == [0, 455]
    assert len(set(imagenet_classes.class_names())) == 1000  # so that a name tells the class
