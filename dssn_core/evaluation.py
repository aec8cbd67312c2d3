"""Certificates of many images: one record per image and N."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import torch

from .accuracy import Share
from .classifier import Classifier
from .constants import PIXEL_STEPS
from .datasets import Listing
from .denoising import Pretrained
from .duels import DuelCertificate
from .images import image_sha256
from .monte_carlo import certify_randomized
from .records import WHOLE, Key, Part, Record, Way
from .voting import certify

CLEAN_BATCH = 32


def evenly_spread(labels: Sequence[int], count: int) -> list[int]:
    """`count` indices with the same number of every class, evenly spaced within each class.

    Of a class that has fewer images than that all are taken, and more of the others. ValueError if there are less.
    """
    if not 0 < count <= len(labels):
        raise ValueError(f"count must be from 1 to {len(labels)}, the size of the data set, got {count}")
    places: dict[int, list[int]] = {}
    for place, label in enumerate(labels):
        places.setdefault(label, []).append(place)
    members = [places[label] for label in sorted(places)]
    wanted = [0] * len(members)
    while missing := count - sum(wanted):
        able = [place for place, of_class in enumerate(members) if wanted[place] < len(of_class)]
        share, rest = divmod(missing, len(able))
        for rank, place in enumerate(able):
            wanted[place] = min(wanted[place] + share + (rank < rest), len(members[place]))
    chosen = [of[k * len(of) // n] for of, n in zip(members, wanted, strict=True) for k in range(n)]
    return sorted(chosen)


def selected(data: Listing, limit: int, part: Part = WHOLE) -> list[int]:
    """At most `limit` places in a part of the data, spread evenly over the classes."""
    labels, names = data.labels.tolist(), data.files or ("",) * len(data)
    places = [place for place, name in enumerate(names) if name in part]
    if not places:
        raise ValueError(f"{data.description} has no images{part}")
    if limit >= len(places):
        return places
    return [places[chosen] for chosen in evenly_spread([labels[place] for place in places], limit)]


def evaluate(
    model: Classifier,
    data: Listing,
    indices: Sequence[int],
    levels: int,
    way: Way,
    done: Mapping[Key, Record] | None = None,
) -> Iterator[Record]:
    """A record of each of the images at `indices`, in their order: the one in `done`, or else a new one.

    way: DSSN's votes, or where it has a `sampling` those of its randomized method.
    """
    if data.class_names != model.class_names:
        raise ValueError(f"the data's classes {data.class_names} are not the model's {model.class_names}")
    model, voter = model.running_in(way.precision), model.manifest.voter
    for index, image in zip(indices, data.read(indices), strict=True):
        digest = image_sha256(image)
        known = (done or {}).get(Key(index, levels, digest, voter, way))
        label, file = int(data.labels[index]), data.files[index] if data.files else ""
        if known and not (known.at_least and known.label != label):  # which was settled for the label of then
            yield replace(known, label=label, file=file)  # no part of the key: those of today
            continue
        began = time.perf_counter()
        wins: tuple[int, ...] = ()
        if way.sampling is None:
            exact = certify(model, image, levels, counting=way.counting)
            predicted, steps, votes = exact.label, exact.radius_steps, exact.votes
            wins = exact.wins if isinstance(exact, DuelCertificate) else wins
        else:
            estimated = certify_randomized(model, image, way.sampling.plan(levels))
            predicted, steps, votes = estimated.label, None, estimated.votes
        seconds = round(time.perf_counter() - began, 4)
        yield Record(
            index=index,
            levels=levels,
            image_sha256=digest,
            **vars(voter),
            **vars(way),
            label=label,
            predicted=predicted,
            radius_steps=steps,
            votes=votes,
            seconds=seconds,
            file=file,
            wins=wins,
        )


def pretrained_of(model: Classifier) -> Pretrained:
    """The model's network, where it answers pictures without noise too; ValueError where it does not."""
    if not isinstance(model.network, Pretrained):
        raise ValueError("this network knows noisy samples only: there is no answer to the picture itself")
    return model.network


def clean_accuracy(model: Classifier, data: Listing, indices: Sequence[int]) -> Share:
    """How many of the images the pretrained classifier itself answers right: no noise, no denoiser, float32."""
    network, right = pretrained_of(model), 0
    for start in range(0, len(indices), CLEAN_BATCH):
        part = indices[start : start + CLEAN_BATCH]
        images = torch.stack(list(data.read(part)))
        with torch.inference_mode():
            logits = network.head(network.of_pictures(images.float() / PIXEL_STEPS))
        right += int((logits.argmax(1) == data.labels[part]).sum())
    return Share(right, len(indices))
