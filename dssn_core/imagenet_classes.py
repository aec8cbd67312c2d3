"""The thousand classes of ImageNet: their names, and folders that are named by them."""

from dataclasses import replace

import torch

from .datasets import Listing


def class_names() -> tuple[str, ...]:
    """The thousand classes in order of their index."""
    from torchvision.models import EfficientNet_B0_Weights

    return tuple(EfficientNet_B0_Weights.DEFAULT.meta["categories"])


def wordnet_ids() -> tuple[str, ...]:
    """The WordNet id of each class, as folders of ImageNet are named."""
    from timm.data import ImageNetInfo

    return tuple(ImageNetInfo().label_names())


def with_imagenet_labels(data: Listing) -> Listing:
    """A data set of folders named by WordNet ids or class names (any of the thousand), labelled by class indices.

    ValueError for other names.
    """
    places = {name: place for names in (wordnet_ids(), class_names()) for place, name in enumerate(names)}
    unknown = [name for name in data.class_names if name not in places]
    if unknown:
        raise ValueError(
            f"these folders are neither WordNet ids nor names of ImageNet's classes: {', '.join(unknown[:5])}"
        )
    labels = torch.tensor([places[name] for name in data.class_names])[data.labels]
    return replace(data, labels=labels, class_names=class_names())
