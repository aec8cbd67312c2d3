"""The networks by name, as manifests have it."""

from collections.abc import Callable
from typing import Any

from .checks import check_choice
from .denoising import DenoisedLite0, Pretrained
from .networks import Ensemble, FilmPooledNet, FilmResNet, Network


def _ensemble(channels: int, num_classes: int, members: list[dict[str, Any]]) -> Ensemble:
    """members: of each its `architecture` and `settings`, as its own manifest has them."""

    def built(architecture: str, settings: dict[str, Any]) -> Network:
        return build_network(architecture, settings, channels, num_classes)

    return Ensemble([built(**member) for member in members])


ARCHITECTURES: dict[str, Callable[..., Network]] = {
    "film-resnet": FilmResNet,
    "film-pooled": FilmPooledNet,
    "denoised-lite0": DenoisedLite0,
    "pretrained-lite0": Pretrained,
    "ensemble": _ensemble,
}


def build_network(kind: str, settings: dict[str, Any], channels: int, num_classes: int) -> Network:
    """The architecture `kind` with its `settings`; ValueError for an unknown kind or setting."""
    check_choice("architecture", kind, ARCHITECTURES)
    try:
        return ARCHITECTURES[kind](channels=channels, num_classes=num_classes, **settings)
    except (TypeError, LookupError, ArithmeticError, RuntimeError) as error:  # as layers complain of senseless sizes
        raise ValueError(f"settings of {kind!r} do not fit: {error}") from error
