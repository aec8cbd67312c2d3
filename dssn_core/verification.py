"""Computing a certificate file again: everything that it claims, one finding after the other."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from operator import call
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .base_classifier import logits_of
from .certificate import Certificate, RadiusBounds, certificate_from_labels, radius_bounds
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
from .duels import DuelCertificate, count_duels, duel_bounds
from .images import image_sha256
from .layout import ChunkLayout, fitting_batch_size
from .manifest import CheckpointError
from .splitting import PIXELWISE, SplitNoise
from .voting import Tally, complete, noise_for, tally
from .wording import at_most, counted, shown

NEAR_TIE = {"float32": 1e-3, "bfloat16": 0.25}
"""Logits that another machine's rounding may bring to another order, by number format: well above what `agreement`
measures on one. In bfloat16 a processor without kernels for it turned 12 of 2640 kept votes on ImageNet pictures, whose
two best logits were up to 0.06 apart.
"""

MOST_NEAR_TIES = 0.1
"""The largest share of samples that can be excused as near ties."""

LONG = 20
"""Lists with more entries are not spelt out where they agree."""

DIGEST = "digest of the file"
"""The finding about the whole of the file, beside those about its claims."""
RADIUS = "certified radius, counted here"
"""The finding that says how much of the claimed radius the votes here certify."""

Watch = Callable[[Classifier, Iterator[Tally]], Iterator[Tally]]
"""(model, states of its vote) -> the same states: for a caller that shows how far a vote has come."""
Worker = Callable[[Callable[[], np.ndarray]], np.ndarray]
"""Runs a piece of work and returns what it gives."""
LogitsAt = Callable[[np.ndarray], Iterator[tuple[np.ndarray, np.ndarray]]]
"""Of samples at some indices, batch by batch: indices and their logits, as `_logits_of`."""


@dataclass(frozen=True)
class Finding:
    """One thing that was recomputed. text: what was found, in words.

    rounding: of one that does not agree, whether the arithmetic of another machine would explain it.
    """

    what: str
    agrees: bool
    text: str
    rounding: bool = False


class Verdict(StrEnum):
    """What the findings of a file add up to."""

    HOLDS = "The certificate holds."
    ROUNDING = (
        "Everything agrees except what another kind of machine may well count differently: samples that are nearly "
        "tied between two classes. From the file alone one cannot tell another machine's rounding from a forgery: "
        "rely on what the lines about votes and duels say, not on the stated radius."
    )
    EDITED = (
        "All that the certificate claims holds, but the file is not as it was written: its digest differs, so "
        "something that no claim rests on was changed, such as how it was made."
    )
    DIFFERS = "The certificate does not hold as stated."


def verdict(findings: Iterable[Finding]) -> Verdict:
    wrong = [finding for finding in findings if not finding.agrees]
    if not wrong:
        return Verdict.HOLDS
    if all(finding.what == DIGEST for finding in wrong):
        return Verdict.EDITED
    return Verdict.ROUNDING if all(finding.rounding for finding in wrong) else Verdict.DIFFERS


def _finding(what: str, stated: Any, found: Any) -> Finding:
    if stated != found:
        lists = isinstance(stated, list) and isinstance(found, list)
        text = _first_difference(stated, found) if lists else f"the file says {shown(stated)}, but it is {shown(found)}"
        return Finding(what, False, text)
    text = f"all {len(found):,} as stated" if isinstance(found, list) and len(found) > LONG else shown(found)
    return Finding(what, True, text)


def _first_difference(stated: list[Any], found: list[Any]) -> str:
    if len(stated) != len(found):
        return f"the file lists {len(stated):,}, but there are {len(found):,}"
    wrong = [place for place, (a, b) in enumerate(zip(stated, found, strict=True)) if a != b]
    first = wrong[0]
    return (
        f"{len(wrong):,} of {len(found):,} differ, the first in place {first}: the file says {shown(stated[first])}, "
        f"but it is {shown(found[first])}"
    )


def model_of(document: Document, folder: Path = PRETRAINED, chosen: str | None = None) -> tuple[Classifier, Finding]:
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
                f"{', '.join(installed) or 'none'}"
            )
        name = fitting[0] if fitting else name
    model = load_model(name, folder)
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
) -> Iterator[Finding]:
    """Recompute everything a parsed document claims, one finding after the other; it holds if all agree.

    image: torch.uint8 (3, H, W), needed where the file has no pixels, compared where it has. watch: sees the vote pass
    by. chosen: as in `model_of`. work: runs other work of the network, for a caller that has a thread for it.
    CertificateFileError if the pixels or a model are missing, or the image given for a file without pixels is another
    one.
    """
    yield _finding(DIGEST, document["digest"], digest(document))
    subject = yield from _check_image(document, image)
    model, weights = model_of(document, folder, chosen)
    yield weights
    noise, layout = yield from _check_settings(document, model, tuple(subject.shape))
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
            yield _finding(f"shape of the {what}", stated["shape"], list(seen.shape))
            yield _finding(f"SHA-256 of the {what}", stated["sha256"], image_sha256(seen))
    subject = given if pixels is None else pixels
    assert subject is not None
    return subject


def _check_settings(
    document: Document, model: Classifier, shape: tuple[int, ...]
) -> Generator[Finding, None, tuple[SplitNoise, ChunkLayout]]:
    """The samples that the file is about, and the chunks that they are counted in."""
    yield _finding("name of the model", document["model"]["name"], model.manifest.name)
    yield _finding("class names", document["model"]["class_names"], list(model.class_names))
    if shape != model.input_shape:
        raise CertificateFileError(f"{model.manifest.name} takes images of shape {model.input_shape}, not {shape}")
    levels, offsets, how = document["noise"]["levels"], document["noise"]["offsets"], document["evaluation"]
    check_rows(how["rows"], model.input_shape)
    noise, layout = noise_for(model, levels), ChunkLayout.of(levels, how["rows"])
    yield _finding("offset scheme and seed", [offsets["scheme"], offsets["seed"]], [noise.scheme, noise.seed])
    yield _finding("offsets", offsets["sha256"], noise.offsets_sha256)
    block = document["noise"].get("block", list(PIXELWISE))
    yield _finding("pixels that are split together (channels, rows, columns)", block, list(noise.block))
    yield _finding("chunks, and samples in each", [how["chunks"], how["rows"]], [layout.chunks, layout.rows])
    if how["precision"] in (model.manifest.precision, "float32"):  # in float32 any network may vote
        model.precision = how["precision"]
    yield _finding("number format", how["precision"], model.precision)
    counting = stated_counting(document)
    other = f" (this network's own: {model.counting}, by which its answer may be another)"
    yield Finding("counting of the votes", True, counting + other * (counting != model.counting))
    return noise, layout


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
            f"each of the N = {levels} samples must have one vote, for a class from {classes}; the file lists "
            f"{len(listed)}, for classes up to {listed.max()}"
        )
        yield Finding("votes of the samples", False, text)
        return
    counting = stated_counting(document)
    vote = complete(watch(model, tally(model, image, noise, layout.rows, counting)))
    stated: Certificate = certificate_from_labels(listed, model.num_classes)
    logits_at = partial(_logits_of, model, image, noise, work)
    counts = [_compare_votes(logits_at, model, listed, vote)]
    if counting == DUELS:
        try:
            stated = duels = DuelCertificate(levels, stated.votes, claim["label"], tuple(claim["wins"]))
        except ValueError as error:
            yield Finding("duels", False, f"no samples could rank the classes as stated: {error}")
            return
        counts.append(_compare_duels(logits_at, model, duels, vote))
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
        yield _finding(f"arithmetic on the stated {said}: {what}", claim[name], followed[name])


def _logits_of(
    model: Classifier, image: Tensor, noise: SplitNoise, work: Worker, indices: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batch by batch some of the indices, and the float32 (B, K) logits of these samples."""
    for rows in np.array_split(indices, -(-len(indices) // fitting_batch_size(noise.shape))):
        yield rows, work(partial(logits_of, model, noise.samples_at(image, torch.from_numpy(rows)), noise.lam))


def _sure_of(bounds: RadiusBounds, class_names: tuple[str, ...]) -> str:
    if not bounds.final:
        return "no class is certain to win"
    return f"at least {counted(bounds.lower, 'grey level')} are certified for “{class_names[bounds.label]}”"


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


def _compare_votes(logits_at: LogitsAt, model: Classifier, listed: np.ndarray, vote: Tally) -> Finding:
    """The stated votes against those counted here. They are excused where the stated class is nearly the best here.

    How nearly depends on the number format. Nothing is excused where too many differ, or those that do decide which
    class wins by plurality.
    """
    labels = vote.labels
    what, differing = "votes of the samples", np.flatnonzero(listed != labels)
    if not len(differing):
        return Finding(what, True, f"all {vote.total} as stated")
    text = f"{len(differing)} of {vote.total} samples vote differently here than stated, the first: j = {differing[0]}"
    decided = True
    if vote.duels is None:
        bounds = radius_bounds(np.bincount(labels[listed == labels], minlength=model.num_classes), vote.total)
        decided = bounds.final
        text += (
            f". The votes counted here certify {counted(vote.certificate.radius_steps, 'grey level')}; whatever class "
            f"each of these {len(differing)} samples votes for, {_sure_of(bounds, model.class_names)}"
        )
    if len(differing) > MOST_NEAR_TIES * vote.total or not decided:
        return Finding(what, False, text)
    behind = 0.0
    for rows, logits in logits_at(differing):
        stated = np.take_along_axis(logits, listed[rows, None], axis=1)
        behind = max(behind, float((logits.max(axis=1, keepdims=True) - stated).max()))
    near = behind < NEAR_TIE[model.precision]
    how = f"up to {at_most(behind)} behind the best here" if behind else "exactly as good as the best here"
    return Finding(what, False, f"{text}. In logits, the stated classes are {how}", near)


def _compare_duels(logits_at: LogitsAt, model: Classifier, stated: DuelCertificate, vote: Tally) -> Finding:
    """The stated duels against those counted here. They are excused where near ties could have gone so.

    Nothing is excused where too many differ, or samples as nearly tied as those that differ decide which class wins.
    """
    what, here = "duels of the class", vote.certificate
    assert isinstance(here, DuelCertificate)
    a, names = stated.label, model.class_names
    if here.label != a:
        return Finding(what, False, f"the file says that “{names[a]}” wins, but here it is “{names[here.label]}”")
    off = np.array(stated.wins) - np.array(here.wins)
    differing = np.flatnonzero(off)
    if not len(differing):
        return Finding(what, True, f"all {len(off) - 1} as stated")
    logits = np.concatenate([found for _, found in logits_at(np.arange(vote.total))])
    apart = _turned(logits, a, stated.wins, here.wins)
    bounds, c = duel_bounds(count_duels(logits, apart), vote.total), differing[0]
    certified = counted(here.radius_steps, "grey level")
    text = (
        f"{len(differing)} of {len(off) - 1} have other counts here than stated, the first against “{names[c]}”: "
        f"{stated.wins[c]} stated, {here.wins[c]} here. The duels counted here certify {certified}. For those stated, "
        f"samples whose logits are up to {at_most(apart)} apart must side otherwise than here; however all so nearly "
        f"tied side, {_sure_of(bounds, names)}"
    )
    decided = bounds.final and bounds.label == a and abs(off).max() <= MOST_NEAR_TIES * vote.total
    return Finding(what, False, text, rounding=bool(decided and apart < NEAR_TIE[model.precision]))


def _turned(logits: np.ndarray, a: int, stated: Sequence[int], here: Sequence[int]) -> float:
    """How far apart at least the logits are, in some sample, that must change sides if a is to win as often as stated.

    logits: (N, K). stated, here: how many samples rank a above each class; those whose logits are closest turn first.
    """
    leads = logits[:, [a]] - logits.astype(np.float64)
    leads = -np.sort(-leads, axis=0)  # those sure to side with a first
    pairs = [(c, says, is_) for c, (says, is_) in enumerate(zip(stated, here, strict=True)) if says != is_]
    return max(0.0, *(float(-leads[says - 1, c] if says > is_ else leads[says, c]) for c, says, is_ in pairs))
