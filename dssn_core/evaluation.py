"""Certificates of many images: one record an image and level count, and what they add up to.

Certified accuracy at rho: the share of images that are classified right with a certified radius of at least rho.
"""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import binomtest

from .certificate import certificate_from_votes
from .checkpoints import Manifest, read_manifest, save_manifest
from .constants import PIXEL_STEPS, NoiseLevel
from .denoising import Pretrained
from .files import read_json_lines, write_json_lines
from .gallery import Listing, identity
from .images import image_sha256
from .monte_carlo import Plan, certify_randomized, lower_confidence_bound, uniform_radius
from .networks import Classifier
from .splitting import PIXELWISE, Block, check_shape
from .voting import BATCH_SIZE, count_votes, fitting_batch_size, noise_for

CLEAN_BATCH = 32

Key = tuple[object, ...]
"""Data set index, levels, weight hash, number format, block, image hash, sampling: what a record is about."""


@dataclass(frozen=True)
class Sampling:
    """How a randomized method's votes were drawn; see `monte_carlo.Plan`."""

    method: str
    n0: int
    n: int
    alpha: float
    seed: int

    def plan(self, levels: int, batch_size: int = BATCH_SIZE) -> Plan:
        return Plan(self.method, levels, self.n0, self.n, self.alpha, self.seed, batch_size)


@dataclass(frozen=True)
class Record(NoiseLevel):
    """One image's certificate. index: place in the data set. label: its true class. predicted: the certified one.

    radius_steps: R, of DSSN; None for a randomized method, whose `sampling` is given instead. precision: number format
    of the convolutions. file: the image's name in the data set, where it has one. block: pixels split together.
    """

    index: int
    levels: int
    weights_sha256: str
    precision: str
    image_sha256: str
    label: int
    predicted: int
    radius_steps: int | None
    votes: tuple[int, ...]
    seconds: float
    sampling: Sampling | None = None
    file: str = ""
    block: Block = PIXELWISE

    @property
    def key(self) -> Key:
        return self.index, self.levels, *self.network, self.image_sha256, self.sampling

    @property
    def network(self) -> tuple[str, str, Block]:
        """What voted: the weights' hash, the number format, and the pixels that are split together."""
        return self.weights_sha256, self.precision, self.block

    @property
    def way(self) -> tuple[str, Sampling | None]:
        """How the votes were counted: in which number format, and drawn how."""
        return self.precision, self.sampling

    @property
    def right(self) -> bool:
        return self.label == self.predicted

    @property
    def radius_in_steps(self) -> float | None:
        """The certified radius in steps of 1/255, whole for DSSN; None for an abstention."""
        if self.sampling is None:
            return self.radius_steps
        p_lower = lower_confidence_bound(self.votes[self.predicted], sum(self.votes), self.sampling.alpha)
        radius = uniform_radius(p_lower, self.lam)
        return None if radius is None else radius * PIXEL_STEPS

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(found: dict[str, Any]) -> "Record":
        """ValueError unless `found` is what `to_json` gives, and what it claims follows from its votes."""
        try:
            sampling = Sampling(**found["sampling"]) if found.get("sampling") else None
            block = check_shape(found.get("block", PIXELWISE), "block")
            record = Record(**{**found, "votes": tuple(found["votes"]), "sampling": sampling, "block": block})
            counts = [record.index, record.levels, record.label, record.predicted, *record.votes]
            if any(type(n) is not int or n < 0 for n in counts):
                raise TypeError
            if max(record.label, record.predicted) >= len(record.votes):
                raise TypeError
            if sampling is None:
                certificate = certificate_from_votes(record.votes, record.levels)
                if (certificate.label, certificate.radius_steps) != (record.predicted, record.radius_steps):
                    raise TypeError
            elif record.radius_steps is not None or sum(record.votes) != sampling.plan(record.levels).n:
                raise TypeError
            return record
        except (KeyError, TypeError) as error:
            raise ValueError(f"this is not a record of an evaluation: {found!r:.200}") from error


def evenly_spread(labels: Sequence[int], count: int) -> list[int]:
    """`count` indices with the same number of every class (as nearly as possible), evenly spaced within each class."""
    if not 0 < count <= len(labels):
        raise ValueError(f"count must be from 1 to {len(labels)}, the size of the data set, got {count}")
    classes = sorted(set(labels))
    members = {c: [i for i, label in enumerate(labels) if label == c] for c in classes}
    share, rest = divmod(count, len(classes))
    chosen = []
    for place, c in enumerate(classes):
        wanted = share + (place < rest)
        if wanted > len(members[c]):
            raise ValueError(f"class {c} has only {len(members[c])} images; an even spread needs {wanted}")
        chosen += [members[c][k * len(members[c]) // wanted] for k in range(wanted)]
    return sorted(chosen)


def evaluate(
    model: Classifier,
    data: Listing,
    indices: Sequence[int],
    levels: int,
    done: Mapping[Key, Record] | None = None,
    sampling: Sampling | None = None,
) -> Iterator[Record]:
    """A record of each of the images at `indices`, in their order: the one in `done`, or else a new one.

    By DSSN; or, given a `sampling`, by its randomized method.
    """
    if model.manifest is None:
        raise ValueError("only a model from a checkpoint can be evaluated: its manifest names offsets and weights")
    if data.class_names != model.class_names:
        raise ValueError(f"the data's classes {data.class_names} are not the model's {model.class_names}")
    noise = noise_for(model, levels)
    for index, image in zip(indices, data.read(indices), strict=True):
        digest = image_sha256(image)
        weights = model.manifest.weights_sha256
        known = (done or {}).get((index, levels, weights, model.precision, noise.block, digest, sampling))
        label, file = int(data.labels[index]), data.files[index] if data.files else ""
        if known:
            yield replace(known, label=label, file=file)  # which do not decide what it is about
            continue
        began = time.perf_counter()
        if sampling is None:
            certificate = certificate_from_votes(count_votes(model, image, noise), levels)
            predicted, steps, votes = certificate.label, certificate.radius_steps, certificate.votes
        else:
            estimate = certify_randomized(model, image, sampling.plan(levels, fitting_batch_size(noise.shape)))
            predicted, steps, votes = estimate.label, None, estimate.votes
        yield Record(
            index=index,
            levels=levels,
            weights_sha256=weights,
            precision=model.precision,
            image_sha256=digest,
            label=label,
            predicted=predicted,
            radius_steps=steps,
            votes=votes,
            sampling=sampling,
            seconds=round(time.perf_counter() - began, 4),
            file=file,
            block=noise.block,
        )


@dataclass(frozen=True)
class Share:
    """`count` of `images`, with the 95 % Wilson interval of the share behind it."""

    count: int
    images: int

    @property
    def share(self) -> float:
        return self.count / self.images

    @property
    def percent(self) -> float:
        """The share in percent, to hundredths, never more than it is."""
        return 10_000 * self.count // self.images / 100

    @property
    def interval(self) -> tuple[float, float]:
        # The interval is the same whatever is tested, and testing the share itself takes no search for a p-value.
        bounds = binomtest(self.count, self.images, self.share).proportion_ci(method="wilson")
        return float(bounds.low), float(bounds.high)

    def to_json(self) -> dict[str, Any]:
        return {"count": self.count, "images": self.images, "interval_95": [round(bound, 4) for bound in self.interval]}

    def __str__(self) -> str:
        low, high = self.interval
        interval = f"95 % interval {100 * low:.1f} to {100 * high:.1f}"
        return f"{self.percent:.2f} % ({self.count} of {self.images}; {interval})"


def certified_steps(records: Sequence[Record]) -> np.ndarray:
    """float64 (n,): each record's certified radius in steps if it is right, -1 if it is wrong or abstains.

    An abstention is never right (as in the literature on randomized smoothing).
    """
    steps = (record.radius_in_steps if record.right else None for record in records)
    return np.array([-1.0 if radius is None else radius for radius in steps])


def certified_curve(records: Sequence[Record], rhos: Sequence[float]) -> list[Share]:
    """How many of the records are right with a certified radius of rho or more, for every rho."""
    if not records:
        raise ValueError("there are no records to summarize")
    # The small term undoes the rounding of rho = R/255 itself, never a step.
    enough = certified_steps(records) >= np.array(rhos)[:, None] * PIXEL_STEPS - 1e-9
    return [Share(int(count), len(records)) for count in enough.sum(axis=1)]


def certified_accuracy(records: Sequence[Record], rho: float) -> Share:
    """`certified_curve` at one rho. rho = 0 gives plain accuracy, of a randomized method less its abstentions."""
    return certified_curve(records, [rho])[0]


def radius_grid(records: Sequence[Record]) -> list[float]:
    """0, 0.5, 1, ... up to the largest radius the records' levels allow."""
    largest = max(record.levels for record in records) // 2 / PIXEL_STEPS
    return [step / 2 for step in range(int(largest * 2) + 1)]


def summary(records: Sequence[Record], rhos: Sequence[float] | None = None) -> dict[str, Share]:
    """Certified accuracy by rho, as text; at the radii of `radius_grid` if none are asked for."""
    grid = radius_grid(records) if rhos is None else rhos
    return {f"{rho:g}": share for rho, share in zip(grid, certified_curve(records, grid), strict=True)}


@dataclass(frozen=True)
class Gain:
    """How many steps longer one certified radius is than that of `rival`, of the same image; both answers are right."""

    steps: float
    rival: Record


def gains(records: Sequence[Record], rivals: Sequence[Record]) -> dict[int, Gain]:
    """By data set index, of the images that have a record in both and are answered right in both.

    An abstention counts as a radius of zero.
    """
    others = {(rival.index, rival.image_sha256): rival for rival in rivals if rival.right}
    pairs = [(record, others.get((record.index, record.image_sha256))) for record in records if record.right]
    return {
        record.index: Gain((record.radius_in_steps or 0) - (rival.radius_in_steps or 0), rival)
        for record, rival in pairs
        if rival is not None
    }


RECORD_FILES = {False: "test.jsonl.gz", True: "held-out.jsonl.gz"}
MEASURED = {False: "certified_accuracy", True: "held_out_certified_accuracy"}
"""By whether the images were held out of training: the file of a model's records, and what they add up to."""


def kept_records(folder: Path, held_out: bool) -> list[Record]:
    """The records in a model's folder: of test images, or of those held out of its training."""
    return [Record.from_json(found) for found in read_json_lines(folder / RECORD_FILES[held_out])]


def kept_before(
    folder: Path, held_out: bool, model: Classifier, levels: Collection[int], sampling: Sampling | None, data: str
) -> dict[Key, Record]:
    """The kept records that an evaluation of `data` at these N goes on from, if it is to be kept too.

    ValueError if it would replace what it does not go on from: records of the same weights, but of other data, or at
    one of these N in another number format or drawn otherwise.
    """
    assert model.manifest is not None
    weights, measured = model.manifest.weights_sha256, model.manifest.measured
    before = [record for record in kept_records(folder, held_out) if record.weights_sha256 == weights]
    described = {of["data"] for name, of in measured.items() if name.startswith(MEASURED[held_out])}
    others = [kept for kept in described if identity(kept) != identity(data) and not kept.startswith(data)]
    if before and (others or not described):
        what = others[0] if others else "data that its manifest does not name"
        raise ValueError(f"{folder.name} keeps records of {what}, this is {data}: give --output without --record")
    for n, group in by_levels(before).items():
        ways = {record.way for record in group} - {(model.precision, sampling)}
        if n in levels and ways:
            raise ValueError(
                f"{folder.name} keeps {len(group)} records at N = {n}, counted in another way ({_said(*ways.pop())}, "
                f"not {_said(model.precision, sampling)}): give --output without --record"
            )
    return {record.key: record for record in before}


def check_of_one_piece(manifest: Manifest) -> None:
    """ValueError if a model's records of test images were measured by patterns of file names only, part by part."""
    whole = MEASURED[False]
    parts = [name.removeprefix(whole).strip(", ") for name in manifest.measured if name.startswith(whole)]
    if parts and "" not in parts:
        raise ValueError(
            f"{manifest.name} keeps records of pictures that were measured apart ({'; '.join(parts)}): choose some by "
            "--files and --but"
        )


def _said(precision: str, sampling: Sampling | None) -> str:
    drawn = {} if sampling is None else asdict(sampling)
    return ", ".join([precision, *(f"{name} {value}" for name, value in drawn.items())])


def keep_records(folder: Path, held_out: bool, records: Sequence[Record]) -> None:
    """Add records of one model, counted in one way at each N, to those in its folder.

    Records kept before are dropped if they are of other weights or blocks, or at the same N drawn otherwise or in
    another number format; and all of them if an index has another image now: they are of another data set.
    """
    images = {record.index: record.image_sha256 for record in records}
    networks = {record.network for record in records}
    ways = {record.levels: record.way for record in records}
    if len(networks) > 1:
        raise ValueError("the records are of more than one model")
    if any(record.way != ways[record.levels] for record in records):
        raise ValueError("the records at one N are drawn in more than one way")
    models = {(weights, block) for weights, _, block in networks}
    before = [
        record
        for record in kept_records(folder, held_out)
        if (record.weights_sha256, record.block) in models and ways.get(record.levels, record.way) == record.way
    ]
    if any(images.get(record.index, record.image_sha256) != record.image_sha256 for record in before):
        before = []
    merged = {record.key: record for record in [*before, *records]}
    ordered = sorted(merged.values(), key=lambda record: (record.levels, record.index))
    write_json_lines(folder / RECORD_FILES[held_out], (record.to_json() for record in ordered))


def publish(
    folder: Path,
    held_out: bool,
    records: Sequence[Record],
    data: str,
    files: str = "*",
    but: str = "",
    rhos: Sequence[float] | None = None,
) -> None:
    """`keep_records`, and say in the model's manifest what all that are kept add up to.

    data, files, but: what images they are of, as for `selected`. ValueError if the folder holds other weights by now.
    """
    if any(record.weights_sha256 != read_manifest(folder).weights_sha256 for record in records):
        raise ValueError(f"{folder} holds other weights than at the start: these figures are not about them")
    keep_records(folder, held_out, records)
    which = f", files {files}" * (files != "*") + f" but {but}" * bool(but)
    measured = measured_on(of_files(kept_records(folder, held_out), files, but), data + which, rhos)
    manifest = read_manifest(folder)  # as it is now: another evaluation may have written into it meanwhile
    save_manifest(folder, replace(manifest, measured={**manifest.measured, MEASURED[held_out] + which: measured}))


def by_levels(records: Iterable[Record]) -> dict[int, list[Record]]:
    """Records by N, ascending."""
    groups: dict[int, list[Record]] = {}
    for record in sorted(records, key=lambda record: record.levels):
        groups.setdefault(record.levels, []).append(record)
    return groups


def measured_on(records: Sequence[Record], data: str, rhos: Sequence[float] | None = None) -> dict[str, Any]:
    """What a manifest says of records of the images that `data` describes, by N; rhos as for `summary`."""
    by_n = {
        str(levels): {
            "precision": group[0].precision,
            "sampling": None if group[0].sampling is None else asdict(group[0].sampling),
            "by_rho": {rho: share.to_json() for rho, share in summary(group, rhos).items()},
        }
        for levels, group in by_levels(records).items()
    }
    what = "images classified right with certified radius of at least rho, by N and rho"
    return {"what": what, "data": data, "by_levels": by_n}


def selected(data: Listing, limit: int, files: str = "*", but: str = "") -> list[int]:
    """At most `limit` places in the data, spread evenly over the classes.

    files, but: patterns of the names of those to choose from, and of those to leave out (as in a shell).
    """
    labels, names = data.labels.tolist(), data.files or ("",) * len(data)
    places = [place for place, name in enumerate(names) if _matches(name, files, but)]
    if not places:
        raise ValueError(f"no file of {data.description} matches {files!r}" + f" but not {but!r}" * bool(but))
    if limit >= len(places):
        return places
    return [places[chosen] for chosen in evenly_spread([labels[place] for place in places], limit)]


def of_files(records: Sequence[Record], files: str, but: str = "") -> list[Record]:
    """The records of images whose names match the pattern `files`, and do not match `but`."""
    return [record for record in records if _matches(record.file, files, but)]


def _matches(name: str, files: str, but: str) -> bool:
    return fnmatch(name, files) and not (but and fnmatch(name, but))


def clean_accuracy(model: Classifier, data: Listing, indices: Sequence[int]) -> Share:
    """How many of the images the pretrained classifier itself answers right: no noise, no denoiser, float32."""
    network = model.network
    if not isinstance(network, Pretrained):
        raise ValueError("this network knows noisy samples only: there is no answer to the picture itself")
    right = 0
    for start in range(0, len(indices), CLEAN_BATCH):
        part = indices[start : start + CLEAN_BATCH]
        images = torch.stack(list(data.read(part)))
        with torch.inference_mode():
            logits = network.head(network.of_pictures(images.float() / PIXEL_STEPS))
        right += int((logits.argmax(1) == data.labels[part]).sum())
    return Share(right, len(indices))
