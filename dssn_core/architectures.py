"""The networks by name, as manifests have it."""

from collections.abc import Callable
from typing import Any

from .denoising import DenoisedLite0, Pretrained
from .networks import FilmPooledNet, FilmResNet, Network

ARCHITECTURES: dict[str, Callable[..., Network]] = {
    "film-resnet": FilmResNet,
    "film-pooled": FilmPooledNet,
    "denoised-lite0": DenoisedLite0,
    "pretrained-lite0": Pretrained,
}


def build_network(kind: str, settings: dict[str, Any], channels: int, num_classes: int) -> Network:
    """The architecture `kind` with its `settings`; ValueError for an unknown kind or setting."""
    if kind not in ARCHITECTURES:
        raise ValueError(f"unknown architecture {kind!r}; known: {', '.join(ARCHITECTURES)}")
    try:
        return ARCHITECTURES[kind](channels=channels, num_classes=num_classes, **settings)
    except TypeError as error:
        raise ValueError(f"settings of {kind!r} do not fit: {error}") from error
