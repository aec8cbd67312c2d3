"""A tiny run and its data, of which the tests of training are made."""

import torch

from dssn_core.datasets import Dataset
from dssn_core.train_settings import TrainSettings
from tests.random_networks import generator

SHAPE = (3, 16, 16)
TINY = TrainSettings(
    images=320,
    batch_size=32,
    learning_rate=0.05,
    averaging=0.8,  # a short run needs a short memory
    sigma_range=(0.2, 0.6),
    held_out_per_class=8,
    crop=2,
    network={"stem": 8, "stages": [8, 16]},
)


def two_colours():
    """60 noisy pictures of each of two classes, told apart by their colour."""
    labels = torch.arange(120) % 2
    images = torch.randint(0, 60, (120, *SHAPE), dtype=torch.uint8, generator=generator())
    images[labels == 0, 0] += 190
    images[labels == 1, 2] += 190
    return Dataset(images, labels, ("red", "blue"), "made here: 120 images")
