"""Several models joined into one whose base classifier is their mean."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .classifier import Classifier
from .datasets import identity
from .held_out import DECIDED_BY
from .manifest import Manifest, StatedOffsets, check_counting
from .networks import Ensemble

ALIKE = ("noise", "offsets", "class_names", "input_shape", "counting")
"""Fields of the members' manifests that must agree for one vote to make sense for all of them."""


def _without_hashes(offsets: StatedOffsets) -> str:
    return f"{offsets.scheme} (seed {offsets.seed}) over blocks of {' x '.join(map(str, offsets.block))}"


def _common(what: str, values: Sequence[Any]) -> Any:
    told_apart_by = [identity(str(value)) if what == "data" else value for value in values]
    if any(value != told_apart_by[0] for value in told_apart_by):
        said = [_without_hashes(value) if what == "offsets" else str(value) for value in values]
        raise ValueError(f"these models cannot be joined, they differ in {what}: {', '.join(said)}")
    return values[0]


def joined(models: Sequence[Classifier], name: str, counting: str | None = None) -> tuple[Ensemble, Manifest]:
    """The ensemble of `models` and its manifest, for `save_checkpoint`.

    Its noise range is what all of them were trained for, its number format float32 if one of them asks for it, its
    images those of all of them. One that was itself joined counts as its members, each of them as much as any other.
    counting: of its votes, one of `COUNTINGS`; by default that of all of them. ValueError if they vote on different
    samples or classes, or held out different images.
    """
    models = [member for model in models for member in members_of(model)]
    ensemble = Ensemble([model.network for model in models])
    manifests = [model.manifest for model in models]
    if counting is not None:
        manifests = [replace(manifest, counting=check_counting(counting, manifest.noise)) for manifest in manifests]
    alike = {field: _common(field, [getattr(manifest, field) for manifest in manifests]) for field in ALIKE}
    told = {field: _common(field, [m.training.get(field) for m in manifests]) for field in DECIDED_BY}
    held_out = {field: value for field, value in told.items() if value is not None}
    low = max(manifest.sigma_range[0] for manifest in manifests)
    high = min(manifest.sigma_range[1] for manifest in manifests)
    if low > high:
        raise ValueError("these models cannot be joined, there is no noise that all of them were trained for")
    formats = {manifest.precision for manifest in manifests}
    manifest = Manifest(
        name=name,
        architecture="ensemble",
        settings={"members": [{"architecture": m.architecture, "settings": m.settings} for m in manifests]},
        precision=formats.pop() if len(formats) == 1 else "float32",
        sigma_range=(low, high),
        training={
            **held_out,
            "images": sum(m.images_seen for m in manifests),
            "members": [
                {"name": m.name, "weights_sha256": m.weights_sha256, "training": m.training} for m in manifests
            ],
        },
        measured={},
        weights_sha256="",
        **alike,
    )
    return ensemble, manifest


def members_of(model: Classifier) -> list[Classifier]:
    """The models that `model` was joined of, with manifests of their own; a model of one network is its only member.

    ValueError for a manifest that does not tell.
    """
    manifest = model.manifest
    if not isinstance(model.network, Ensemble):
        return [model]
    members = []
    try:
        told = zip(model.network.networks, manifest.settings["members"], manifest.training["members"], strict=True)
        for network, kind, record in told:
            own = replace(manifest, **kind, **record, sigma_range=tuple(record["training"]["sigma_range"]))
            members.append(Classifier(network, model.class_names, model.input_shape, model.precision, own))
    except (LookupError, TypeError, ValueError) as error:
        raise ValueError(f"the manifest of {manifest.name} does not say what it was joined from: {error!r}") from error
    return members
