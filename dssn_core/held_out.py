"""The held-out training images: never trained on, and there for making choices."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .datasets import Listing, count_of, identity, may_be_the_same
from .draws import HELD_OUT_SPLIT, keyed_generator
from .manifest import Manifest

DECIDED_BY = ("data", "seed", "held_out_per_class")
"""Entries of a manifest's `training` that decide which images were held out."""


def held_out_split(labels: Tensor, per_class: int, seed: int) -> tuple[Tensor, Tensor]:
    """Indices (training, held out), int64 and ascending: `per_class` images of every class are never trained on.

    labels: int64 (n,). seed: of the draw. ValueError if a class has no more images than are to be held out.
    """
    held = []
    for label in sorted(set(labels.tolist())):
        members = torch.nonzero(labels == label).flatten()
        if len(members) <= per_class:
            raise ValueError(
                f"class {label}, counted from 0, has {len(members)} images, and {per_class} are to be held out: choose "
                "a smaller held_out_per_class"
            )
        order = torch.randperm(len(members), generator=keyed_generator(seed, HELD_OUT_SPLIT, label))
        held.append(members[order[:per_class]])
    held_out = torch.cat(held).sort().values
    mask = torch.ones(len(labels), dtype=torch.bool)
    mask[held_out] = False
    return torch.nonzero(mask).flatten(), held_out


def held_out_of(manifest: Manifest, data: Listing) -> Listing:
    """Of the training set `data`, the images that the model's training never saw; ValueError for other data."""
    if identity(manifest.training.get("data", "")) != identity(data.description):
        raise ValueError(f"the model was trained on {manifest.training.get('data')}, this is {data.description}")
    try:
        per_class, seed = manifest.training["held_out_per_class"], manifest.training["seed"]
    except KeyError as error:
        raise ValueError(f"the manifest of {manifest.name} does not state the {error} of its held-out images") from None
    return data.subset(held_out_split(data.labels, per_class, seed)[1])


def seen_in(training: dict[str, Any]) -> list[dict[str, Any]]:
    """The training data of a model, of its members if it is an ensemble, and of the networks that they started from.

    training: as its manifest has it. Of each: data, seed, images held out; "" for what is not told.
    """
    of_members = [seen for member in training.get("members", []) for seen in seen_in(member["training"])]
    went_on = training.get("start") or training.get("images_before")
    before = training.get("seen_before", [{}] if went_on else [])
    return [*of_members, *({name: one.get(name, "") for name in DECIDED_BY} for one in [*before, training])]


def trained_on(training: dict[str, Any], description: str) -> str | None:
    """Of what a model has seen, as `seen_in`, the data that may be the very images of this description, if any."""
    return next((seen["data"] for seen in seen_in(training) if may_be_the_same(description, seen["data"])), None)


def check_unseen(name: str, seen_before: Sequence[dict[str, Any]], description: str, seed: int, per_class: int) -> None:
    """ValueError if the model `name` may have been trained on images of this data that are to be held out now.

    It may where its manifest does not state what it has seen, where other images of the same data were held out, and
    where its data had as many images but another hash: the same ones, packed differently. For data of another size it
    is up to the user that no image is in both.
    """
    for seen in seen_before:
        if untold := [what for what in DECIDED_BY if seen.get(what, "") == ""]:
            raise ValueError(f"the manifest of {name} does not state the {' and '.join(untold)} of its training")
        if identity(seen["data"]) != identity(description):
            if count_of(seen["data"]) is not None and count_of(seen["data"]) == count_of(description):
                raise ValueError(
                    f"{name} was trained on {seen['data']}; these may be the same images in another order, and it "
                    "has seen some that would be held out: give --data as it was then"
                )
            continue
        if seen["seed"] != seed or seen["held_out_per_class"] < per_class:
            raise ValueError(
                f"{name} held out other images of this data: start with seed {seen['seed']} and at most "
                f"{seen['held_out_per_class']} held out per class"
            )
