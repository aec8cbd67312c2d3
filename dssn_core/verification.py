"""Computing a certificate file again: everything that it claims, one finding after the other."""

from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from functools import partial
from operator import call
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .base_classifier import Worker, logits_of
from .certificate import Certificate
from .certificate_file import (
    CertificateFileError,
    Document,
    check_rows,
    claim_of,
    digest,
    embedded_image,
    stated_counting,
)
from .checkpoints import PRETRAINED, find_model, list_models, load_model, read_manifest
from .classifier import Classifier
from .constants import DUELS, PLURALITY
from .duels import DuelCertificate
from .findings import DIGEST, Finding, compared
from .images import image_sha256
from .layout import ChunkLayout, fitting_batch_size
from .manifest import CheckpointError
from .near_ties import compare_duels, compare_votes
from .splitting import PIXELWISE, SplitNoise
from .voting import Tally, Vote, complete, tally
from .wording import counted, shown

RADIUS = "certified radius, counted here"
"""The finding that says how much of the claimed radius the votes here certify."""

Watch = Callable[[Classifier, Iterator[Tally]], Iterator[Tally]]
"""(model, states of its vote) -> the same states: for a caller that shows how far a vote has come."""
Loader = Callable[[str, Path], Classifier]
"""`load_model`, or what gives the same model."""


def voter_of(document: Document, folder: Path, chosen: str | None, load: Loader) -> tuple[Classifier, Finding]:
    """The installed model with the stated weights; failing that, the one of the stated name, with what is wrong.

    chosen: the name or folder of the one model to check with.
    """
    name, weights = document["model"]["name"], document["model"]["weights_sha256"]
    if chosen is not None:  # which may be a path; a path is never the file's own word
        name = chosen
    installed = {}
    for known in list_models(folder):
        with suppress(CheckpointError):  # a damaged model is no answer to any question
            installed[known] = read_manifest(find_model(known, folder))
    same = [known for known, manifest in installed.items() if manifest.weights_sha256 == weights]
    fitting = sorted(same, key=lambda known: known != name)
    if chosen is None:
        if not fitting and name not in installed:
            raise CertificateFileError(
                f"no model with the weights {weights[:16]}… is installed, and none named {shown(name)!r}; installed: "
                f"{', '.join(installed) or 'none'}. On the command line, verify --model names one that lies elsewhere"
            )
        name = fitting[0] if fitting else name
    model = load(name, folder)
    found = model.manifest.weights_sha256
    if found == weights and fitting and not any(model.manifest.computes_as(installed[known]) for known in fitting):
        text = f"{shown(name)} has those of {fitting[0]}, but other settings, classes or offsets: another network"
        return model, Finding("weights", False, text)
    if found == weights:
        return model, Finding("weights", True, f"{shown(name)} is installed here with these weights, {shown(found)}")
    text = f"the file says {weights[:16]}…, but {shown(name)} here has {found[:16]}…"
    return model, Finding("weights", False, text)


def unwatched(model: Classifier, states: Iterator[Tally]) -> Iterator[Tally]:
    return states


def verify(
    document: Document,
    image: Tensor | None = None,
    folder: Path = PRETRAINED,
    watch: Watch = unwatched,
    chosen: str | None = None,
    work: Worker = call,
    load: Loader = load_model,
) -> Iterator[Finding]:
    """Recompute everything a parsed document claims, one finding after the other; it holds if all agree.

    image: torch.uint8 (3, H, W), needed where the file has no pixels, compared where it has. watch: sees the vote pass
    by. chosen: as in `voter_of`. work: runs other work of the network, for a caller that has a thread for it. load: for
    one that has the model already. CertificateFileError if the pixels or a model are missing, or the image given for a
    file without pixels is another one; CheckpointError for a model that is damaged.
    """
    yield compared(DIGEST, document["digest"], digest(document))
    subject = yield from _check_image(document, image)
    model, weights = voter_of(document, folder, chosen, load)
    yield weights
    model, noise, layout = yield from _check_settings(document, model, tuple(subject.shape))
    yield from _check_claim(document, model, subject, noise, layout, watch, work)


def _check_image(document: Document, given: Tensor | None) -> Generator[Finding, None, Tensor]:
    """The image that the file is about, uint8 (C, H, W)."""
    stated, pixels = document["image"], embedded_image(document)
    if pixels is None and given is None:
        raise CertificateFileError("the file holds no pixels: give the image as well")
    if pixels is None and given is not None and image_sha256(given) != stated["sha256"]:
        raise CertificateFileError(
            "the image given is not the one that the file is about, or it was cropped or resized differently: its "
            f"SHA-256 is {image_sha256(given)}, the file says {stated['sha256']}"
        )
    for what, seen in (("image in the file", pixels), ("image given", given)):
        if seen is not None:
            yield compared(f"shape of the {what}", stated["shape"], list(seen.shape))
            yield compared(f"SHA-256 of the {what}", stated["sha256"], image_sha256(seen))
    subject = given if pixels is None else pixels
    assert subject is not None
    return subject


def _check_settings(
    document: Document, model: Classifier, shape: tuple[int, ...]
) -> Generator[Finding, None, tuple[Classifier, SplitNoise, ChunkLayout]]:
    """What votes, in the number format of the file; the samples it is about, and the chunks they are counted in."""
    yield compared("name of the model", document["model"]["name"], model.manifest.name)
    yield compared("class names", document["model"]["class_names"], list(model.class_names))
    if shape != model.input_shape:
        raise CertificateFileError(f"{model.manifest.name} takes images of shape {model.input_shape}, not {shape}")
    levels, offsets, how = document["noise"]["levels"], document["noise"]["offsets"], document["evaluation"]
    check_rows(how["rows"], model.input_shape)
    noise, layout = model.manifest.noise_at(levels), ChunkLayout.of(levels, how["rows"])
    yield compared("offset scheme and seed", [offsets["scheme"], offsets["seed"]], [noise.scheme, noise.seed])
    yield compared("offsets", offsets["sha256"], noise.offsets_sha256)
    block = document["noise"].get("block", list(PIXELWISE))
    yield compared("pixels that are split together (channels, rows, columns)", block, list(noise.block))
    yield compared("chunks, and samples in each", [how["chunks"], how["rows"]], [layout.chunks, layout.rows])
    if how["precision"] in (model.manifest.precision, "float32"):  # in float32 any network may vote
        model = model.running_in(how["precision"])
    yield compared("number format", how["precision"], model.precision)
    counting = stated_counting(document)
    other = f" (this network's own: {model.counting}, by which its answer may be another)"
    yield Finding("counting of the votes", True, counting + other * (counting != model.counting))
    return model, noise, layout


def _check_claim(
    document: Document,
    model: Classifier,
    image: Tensor,
    noise: SplitNoise,
    layout: ChunkLayout,
    watch: Watch,
    work: Worker,
) -> Iterator[Finding]:
    claim, levels = document["claim"], noise.levels
    listed = np.array(claim["sample_labels"])
    if len(listed) != levels or listed.max() >= model.num_classes:
        classes = f"0 to {model.num_classes - 1}"
        text = (
            f"each of the N = {levels:,} samples must have one vote, for a class from {classes}; the file lists "
            f"{len(listed):,}, for classes up to {listed.max()}"
        )
        yield Finding("votes of the samples", False, text)
        return
    counting = stated_counting(document)
    vote = complete(watch(model, tally(model, image, noise, layout.rows, counting)))
    stated = Vote.of_labels(listed, model.num_classes).certificate
    logits_at = partial(_logits_of, model, image, noise, work)
    counts = [compare_votes(logits_at, model, listed, vote)]
    if counting == DUELS:
        try:
            stated = duels = DuelCertificate(levels, stated.votes, claim["label"], tuple(claim["wins"]))
        except ValueError as error:
            yield Finding("duels", False, f"no samples could rank the classes as stated: {error}")
            return
        counts.append(compare_duels(logits_at, model, listed, duels, vote))
    wrong = [finding for finding in counts if not finding.agrees]
    excused = bool(wrong) and all(finding.rounding for finding in wrong)
    yield _compare_radii(claim, vote.certificate, model.class_names, excused)
    yield from counts
    said = "votes" if counting == PLURALITY else "votes and duels"
    followed = claim_of(listed, model.class_names, stated)  # exact arithmetic: no rounding can excuse it
    for name, what in (
        ("votes", "counts of the votes"),
        ("label", "index of the class"),
        ("class", "class"),
        ("radius_steps", "certified radius in grey levels"),
        ("radius", "certified radius ρ"),
    ):
        yield compared(f"arithmetic on the stated {said}: {what}", claim[name], followed[name])


def _logits_of(
    model: Classifier, image: Tensor, noise: SplitNoise, work: Worker, indices: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batch by batch some of the indices, and the float32 (B, K) logits of these samples."""
    for rows in np.array_split(indices, -(-len(indices) // fitting_batch_size(noise.shape))):
        yield rows, work(partial(logits_of, model, noise.samples_at(image, torch.from_numpy(rows)), noise.lam))


def _compare_radii(claim: dict[str, Any], here: Certificate, class_names: tuple[str, ...], excused: bool) -> Finding:
    """What the file claims against what the votes counted here certify; it agrees where that is as much or more.

    excused: whether the counts of votes and duels that differ do so by rounding.
    """
    stated, found = (
        f"{counted(steps, 'grey level')} for “{shown(name)}”"
        for steps, name in ((claim["radius_steps"], claim["class"]), (here.radius_steps, class_names[here.label]))
    )
    agrees = claim["label"] == here.label and here.radius_steps >= claim["radius_steps"]
    text = found if stated == found else f"the file claims {stated}, the votes counted here certify {found}"
    return Finding(RADIUS, agrees, text, excused and not agrees)
