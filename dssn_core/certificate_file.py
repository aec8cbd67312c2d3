"""A certificate as a file that another person can check: made here, read from untrusted bytes, computed again.

What the claim rests on stands in the file, or is named there by its hash, and `verify` computes it again; the schema is
`certificate_schema.json`. The network is named by the hash of its weights: how they are put together stands in the
manifest of the installed model that has them.
"""

import base64
import hashlib
import io
import json
import math
import platform
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, partial
from operator import call
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .certificate import certificate_from_labels, display_radius, radius_bounds
from .checkpoints import PRETRAINED, CheckpointError, find_model, list_models, load_model, read_manifest
from .constants import counted
from .images import ImageError, fit_picture, image_sha256, open_picture, png
from .networks import Classifier
from .splitting import PIXELWISE, SplitNoise
from .voting import CHUNK_VALUES, ChunkLayout, fitting_batch_size, noise_for, sample_labels

FORMAT = 1
MAX_BYTES = 10 * 2**20
MAX_SIDE = 1024
MOST_ROWS, MOST_VALUES = 1024, 2 * CHUNK_VALUES
"""Samples of a chunk that is still checked (the schema says so too), and the values in all of them."""

NEAR_TIE = {"float32": 1e-3, "bfloat16": 0.25}
"""Logits that another machine's rounding may bring to another order, by number format: well above what `agreement`
measures on one. In bfloat16 a processor without kernels for it turned 12 of 2640 kept votes on ImageNet pictures, whose
two best logits were up to 0.06 apart.
"""

LONG = 20
"""Lists with more entries are not spelt out where they agree."""

MOST_NEAR_TIES = 0.1
"""The largest share of samples that can be excused as near ties."""

SCHEMA_FILE = Path(__file__).with_name("certificate_schema.json")

Document = dict[str, Any]
Counter = Callable[[Classifier, Tensor, SplitNoise, int], np.ndarray]
"""(model, image, noise, batch_size) -> the class that each sample votes for, int64 (N,)."""
Worker = Callable[[Callable[[], Tensor]], Tensor]
"""Runs a piece of work and returns what it gives."""


class CertificateFileError(ValueError):
    """The file is not a certificate that can be checked; the message says why."""


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    """The JSON Schema of certificate files."""
    found: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return found


def digest(document: Document) -> str:
    """SHA-256 of everything but the digest itself, as JSON with sorted keys and no spaces.

    It catches accidental changes. Who changes a file on purpose can change it too: `verify` computes all else anew.
    """
    rest = {name: value for name, value in document.items() if name != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _claim(labels: np.ndarray, class_names: tuple[str, ...]) -> dict[str, Any]:
    certificate = certificate_from_labels(labels, len(class_names))
    return {
        "sample_labels": labels.tolist(),
        "votes": list(certificate.votes),
        "label": certificate.label,
        "class": class_names[certificate.label],
        "radius_steps": certificate.radius_steps,
        "radius": display_radius(certificate.radius_steps),
    }


def machine() -> dict[str, str]:
    """Software and hardware, as far as they are easily told."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "processor": torch.backends.cpu.get_cpu_capability(),
        "threads": str(torch.get_num_threads()),
    }


def made_elsewhere(made: dict[str, Any]) -> bool:
    """Whether a file says that it was made on another kind of machine, or with another PyTorch, than this."""
    here = machine()
    return any(made.get(what) != here[what] for what in ("system", "processor", "torch"))


def check_rows(rows: int, shape: tuple[int, ...]) -> None:
    """CertificateFileError for chunks of more samples, each of `shape`, than a file that can be checked may have."""
    most = min(MOST_ROWS, MOST_VALUES // math.prod(shape))
    if rows > most:
        raise CertificateFileError(
            f"nobody could check votes that were counted in chunks of {rows} samples of this size, {most} at most"
        )


def make(
    model: Classifier,
    image: Tensor,
    labels: np.ndarray,
    levels: int,
    batch_size: int | None = None,
    seconds: float = 0.0,
    embed: bool = True,
    made: dict[str, Any] | None = None,
) -> Document:
    """The file of one certificate.

    model: from `load_model`. image: torch.uint8 (3, H, W). labels: int (N,), the vote of every sample in index order,
    counted with `batch_size`. embed: put the pixels into the file; without them `verify` asks for the image.
    made: what to say of its making, if it was not here and now.
    CertificateFileError for chunks that are too large, as in `check_rows`; ValueError for more or less than N votes.
    """
    if len(labels) != levels:
        raise ValueError(f"expected the votes of {levels} samples, got {len(labels)}")
    noise, layout = noise_for(model, levels), ChunkLayout.for_images(levels, model.input_shape, batch_size)
    check_rows(layout.rows, model.input_shape)
    document: Document = {
        "format": FORMAT,
        "image": {
            "sha256": image_sha256(image),
            "shape": list(image.shape),
            "png": base64.b64encode(png(image)).decode() if embed else None,
        },
        "model": {
            "name": model.manifest.name,
            "weights_sha256": model.manifest.weights_sha256,
            "class_names": list(model.class_names),
        },
        "noise": {
            "levels": levels,
            "offsets": {"scheme": noise.scheme, "seed": noise.seed, "sha256": noise.offsets_sha256},
            **({} if noise.block == PIXELWISE else {"block": list(noise.block)}),
        },
        "evaluation": {"chunks": layout.chunks, "rows": layout.rows, "precision": model.precision},
        "claim": _claim(labels, model.class_names),
        "made": made or {"seconds": round(seconds, 3), **machine()},
    }
    return {**document, "digest": digest(document)}


def with_votes(document: Document, labels: Sequence[int]) -> Document:
    """The same file with other votes, a class of every sample in index order, and all that follows from them.

    It is a forgery that only counting again brings to light.
    """
    changed = {**document, "claim": _claim(np.array(labels), tuple(document["model"]["class_names"]))}
    return {**changed, "digest": digest(changed)}


def dumps(document: Document) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    if not math.isfinite(float(text)):
        raise ValueError(f"{text} is too large a number")
    return float(text)


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; ValueError for one that says something twice, of which readers see different ones."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"it says {next(name for name in names if names.count(name) > 1)!r} twice")
    return found


def parse(data: bytes) -> Document:
    """Untrusted bytes to a document that fits the schema; CertificateFileError says what does not."""
    if len(data) > MAX_BYTES:
        raise CertificateFileError(f"the file is too large: at most {MAX_BYTES >> 20} MB are read")
    try:
        found = json.loads(
            data.decode("utf-8"),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_unambiguous,
        )
    except (ValueError, RecursionError) as error:
        raise CertificateFileError(f"this is not a JSON file: {str(error)[:200]}") from None
    try:
        jsonschema.validate(found, schema(), cls=jsonschema.Draft202012Validator)
    except jsonschema.ValidationError as error:
        place = shown("/".join(map(str, error.absolute_path))) or "the file"
        raise CertificateFileError(f"this is not a certificate file: {place}: {error.message[:200]}") from None
    try:
        _check_values({name: value for name, value in found.items() if name != "made"})
        json.dumps(found, ensure_ascii=False).encode()
    except ValueError as error:  # also half a surrogate pair, which is no text
        raise CertificateFileError(f"this is not a certificate file: {str(error)[:200]}") from None
    document: Document = found
    return document


def _check_values(value: Any) -> None:
    """ValueError for a number with a decimal point, which a JSON Schema takes for an integer if it is whole."""
    if isinstance(value, float):
        raise ValueError(f"{value} must be written as an integer")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_values(inner)


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
        "Everything agrees but for what another kind of machine may well count otherwise: samples whose two best "
        "classes are nearly tied. From the file alone one cannot tell another machine's rounding from a forgery: "
        "rely on what the line about votes says, not on the stated radius."
    )
    DIFFERS = "The certificate does not hold as stated."


def verdict(findings: Iterable[Finding]) -> Verdict:
    wrong = [finding for finding in findings if not finding.agrees]
    if not wrong:
        return Verdict.HOLDS
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


def shown(value: object) -> str:
    """A value from a file as one line of text that no terminal and no page takes for anything else."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = "".join(letter if letter.isprintable() else "�" for letter in text)
    if re.fullmatch("[0-9a-f]{64}", text):  # a hash
        return f"{text[:16]}…"
    return text if len(text) <= 80 else f"{text[:60]} …"


def embedded_image(document: Document) -> Tensor | None:
    """torch.uint8 (3, H, W) from the embedded PNG, None without one; CertificateFileError if it is damaged."""
    text = document["image"]["png"]
    if text is None:
        return None
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise CertificateFileError("the embedded picture cannot be read: it is not base64") from None
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as header:  # its size, before anything is decoded
            if max(header.size) > MAX_SIDE:
                raise CertificateFileError(f"the embedded picture has {header.size[0]} x {header.size[1]} pixels")
        picture = open_picture(data)
    except CertificateFileError:
        raise
    except ImageError as error:
        raise CertificateFileError(f"the embedded picture cannot be read: {error}") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise CertificateFileError("the embedded picture cannot be read: it is not a PNG") from None
    return fit_picture(picture, (picture.height, picture.width))


def model_of(document: Document, folder: Path = PRETRAINED, chosen: str | None = None) -> tuple[Classifier, Finding]:
    """The installed model with the stated weights; failing that, the one of the stated name, with what is wrong.

    chosen: the name or folder of the one model to check with.
    """
    name, weights = document["model"]["name"], document["model"]["weights_sha256"]
    if chosen is not None:  # which may be a path; a path is never the file's own word
        name = chosen
    else:
        installed = {}
        for known in list_models(folder):
            with suppress(CheckpointError):  # a damaged model is no answer to any question
                installed[known] = read_manifest(find_model(known, folder)).weights_sha256
        fitting = sorted((known for known in installed if installed[known] == weights), key=lambda known: known != name)
        if not fitting and name not in installed:
            raise CertificateFileError(
                f"no model with the weights {weights[:16]}… is installed, and none named {shown(name)!r}; installed: "
                f"{', '.join(installed) or 'none'}"
            )
        name = fitting[0] if fitting else name
    model = load_model(name, folder)
    found = model.manifest.weights_sha256
    if found == weights:
        return model, Finding("weights", True, f"{shown(name)} is installed here with these weights, {shown(found)}")
    text = f"the file says {weights[:16]}…, but {shown(name)} here has {found[:16]}…"
    return model, Finding("weights", False, text)


def verify(
    document: Document,
    image: Tensor | None = None,
    folder: Path = PRETRAINED,
    count: Counter = sample_labels,
    chosen: str | None = None,
    work: Worker = call,
) -> Iterator[Finding]:
    """Recompute everything a parsed document claims, one finding after the other; it holds if all agree.

    image: torch.uint8 (3, H, W), needed where the file has no pixels, compared where it has. count: counts the votes,
    for a caller that wants to see how far it has come. chosen: as in `model_of`. work: runs other work of the network,
    for a caller that has a thread for it. CertificateFileError if the pixels or a model are missing, or the image given
    for a file without pixels is another one.
    """
    stated = document["image"]
    yield _finding("digest of the file", document["digest"], digest(document))
    pixels = embedded_image(document)
    if pixels is None and image is None:
        raise CertificateFileError("the file holds no pixels: give the image as well")
    if pixels is None and image is not None and image_sha256(image) != stated["sha256"]:
        raise CertificateFileError(
            "the image given is not the one that the file is about, or it was cropped or resized otherwise: its "
            f"SHA-256 is {image_sha256(image)}, the file says {stated['sha256']}"
        )
    for what, seen in (("image in the file", pixels), ("image given", image)):
        if seen is not None:
            yield _finding(f"shape of the {what}", stated["shape"], list(seen.shape))
            yield _finding(f"SHA-256 of the {what}", stated["sha256"], image_sha256(seen))
    subject = pixels if pixels is not None else image
    assert subject is not None

    model, weights = model_of(document, folder, chosen)
    yield weights
    yield _finding("name of the model", document["model"]["name"], model.manifest.name)
    yield _finding("class names", document["model"]["class_names"], list(model.class_names))
    if tuple(subject.shape) != model.input_shape:
        sizes = f"{model.input_shape}, not {tuple(subject.shape)}"
        raise CertificateFileError(f"{model.manifest.name} takes images of shape {sizes}")

    levels, offsets, how = document["noise"]["levels"], document["noise"]["offsets"], document["evaluation"]
    check_rows(how["rows"], model.input_shape)
    noise = noise_for(model, levels)
    yield _finding("offset scheme and seed", [offsets["scheme"], offsets["seed"]], [noise.scheme, noise.seed])
    yield _finding("offsets", offsets["sha256"], noise.offsets_sha256)
    block = document["noise"].get("block", list(PIXELWISE))
    yield _finding("pixels that are split together (channels, rows, columns)", block, list(noise.block))
    layout = ChunkLayout.of(levels, how["rows"])
    yield _finding("chunks, and samples in each", [how["chunks"], how["rows"]], [layout.chunks, layout.rows])
    yield _number_format(model, how["precision"])
    listed = np.array(document["claim"]["sample_labels"])
    if len(listed) != levels or listed.max() >= model.num_classes:
        text = f"the file lists {len(listed)} votes for N = {levels} samples, for class {listed.max()} at most"
        yield Finding("votes of the samples", False, text)
        return
    labels = count(model, subject, noise, layout.rows)
    yield _compare_votes(model, subject, noise, listed, labels, work)
    followed = _claim(listed, model.class_names)  # exact arithmetic: no rounding can excuse it
    for name, what in (
        ("votes", "counts of the votes"),
        ("label", "index of the class"),
        ("class", "class"),
        ("radius_steps", "certified radius in steps"),
        ("radius", "certified radius ρ"),
    ):
        yield _finding(f"from the stated votes: {what}", document["claim"][name], followed[name])


def _number_format(model: Classifier, stated: str) -> Finding:
    """Set the model to the stated number format where that is its own, or float32, in which any network may vote."""
    if stated in (model.manifest.precision, "float32"):
        model.precision = stated
    return _finding("number format", stated, model.precision)


def _logits(model: Classifier, samples: Tensor, lam: float) -> Tensor:
    with torch.inference_mode():
        logits: Tensor = model(samples, lam)
    return logits


def _compare_votes(
    model: Classifier,
    image: Tensor,
    noise: SplitNoise,
    listed: np.ndarray,
    labels: np.ndarray,
    work: Worker,
) -> Finding:
    """The stated votes against those counted here. They are excused where the stated class is nearly the best here.

    How nearly depends on the number format. Nothing is excused where too many differ, or those that do decide which
    class wins.
    """
    what, differing = "votes of the samples", np.flatnonzero(listed != labels)
    if not len(differing):
        return Finding(what, True, f"all {noise.levels} as stated")
    agreed = np.bincount(labels[listed == labels], minlength=model.num_classes)
    here = certificate_from_labels(labels, model.num_classes)
    bounds = radius_bounds(agreed, noise.levels)
    both = f"at least {bounds.lower} for {model.class_names[bounds.label]}" if bounds.final else "no class for sure"
    text = (
        f"{len(differing)} of {noise.levels} samples vote otherwise than stated, first j = {differing[0]}; the votes "
        f"counted here certify {counted(here.radius_steps, 'step')}; whichever of the two is right about them, {both}"
    )
    if len(differing) > MOST_NEAR_TIES * noise.levels or not bounds.final:
        return Finding(what, False, text)
    behind = 0.0
    for rows in np.array_split(differing, -(-len(differing) // fitting_batch_size(noise.shape))):
        logits = work(partial(_logits, model, noise.samples_at(image, torch.from_numpy(rows)), noise.lam))
        stated = logits.gather(1, torch.from_numpy(listed[rows])[:, None])[:, 0]
        behind = max(behind, float((logits.amax(dim=1) - stated).max()))
    near = behind < NEAR_TIE[model.precision]
    how = f"up to {behind:.2g} behind in logits" if behind else "exactly tied with those counted here"
    return Finding(what, False, f"{text}. The stated classes are {how}", near)
