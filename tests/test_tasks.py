"""What there is to train for."""

import pytest
import torch

from dssn_core.datasets import CIFAR10_CLASSES, Dataset, Listing
from dssn_core.imagenet_classes import class_names
from dssn_core.tasks import labelled_for


def some_data(names: tuple[str, ...]) -> Listing:
    return Dataset(torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.tensor([0, 1]), names, "some").listing()


def test_data_are_labelled_as_the_network_does():
    wordnet = some_data(("n01440764", "n03888257"))
    assert labelled_for(wordnet, class_names()).labels.tolist() == [0, 701]
    same = some_data(CIFAR10_CLASSES)
    assert labelled_for(same, CIFAR10_CLASSES) is same


def test_data_of_other_classes_are_refused():
    with pytest.raises(ValueError, match="not the model's"):
        labelled_for(some_data(("cat", "dog")), ("ant", "bee"))
    with pytest.raises(ValueError, match="not those of CIFAR-10"):
        labelled_for(some_data(("cat", "dog")), CIFAR10_CLASSES)
    with pytest.raises(ValueError, match=r"neither WordNet ids nor names of ImageNet's classes: n0210208x$"):
        labelled_for(some_data(("n01440764", "n0210208x")), class_names())
