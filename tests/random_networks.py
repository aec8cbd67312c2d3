"""Networks of random weights, and samples for them."""

import torch

from dssn_core.classifier import Classifier
from dssn_core.networks import FilmResNet

SMALL = {"stem": 8, "stages": (8, 16), "embedding": 16}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def randomize(network, seed=0):
    """Fill every parameter and running statistic with something that is neither zero nor one."""
    draw = generator(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw) * 0.3)
        for name, buffer in network.named_buffers():
            if name.endswith("running_mean"):
                buffer.copy_(torch.randn(buffer.shape, generator=draw) * 0.2)
            elif name.endswith("running_var"):
                buffer.copy_(0.5 + torch.rand(buffer.shape, generator=draw))
    return network


def random_classifier(precision="float32", classes=4):
    network = randomize(FilmResNet(3, classes, **SMALL))
    names = tuple(f"class {c}" for c in range(classes))
    return Classifier(network, names, (3, 32, 32), precision).eval()


def some_samples(rows, shape=(3, 32, 32), seed=0):
    return torch.randint(0, 1021, (rows, *shape), generator=generator(seed)).float() / 1020
