"""A certificate as a file that another person can check: made here, and read from untrusted bytes.

What the claim rests on stands in the file, or is named there by its hash; `verification` computes it again. The schema
is `certificate_schema.json`. The network is named by the hash of its weights: how they are put together stands in the
manifest of the installed model that has them.
"""

import base64
import hashlib
import io
import json
import math
import platform
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from . import strict_json
from .certificate import Certificate
from .classifier import Classifier
from .constants import DUELS, PLURALITY
from .duels import DuelCertificate
from .images import MAX_SIDE, ImageError, fit_picture, image_sha256, open_picture, png
from .layout import CHUNK_VALUES, ChunkLayout
from .precision import processor
from .splitting import PIXELWISE
from .voting import Vote
from .wording import display_radius

FORMAT = 1
MAX_BYTES, MAX_COMMAS = 10 * 2**20, 250_000
"""In a file that is still read. 8,192 samples and 10,000 classes make some 40,000 commas, and names may have some."""
MOST_ROWS, MOST_VALUES = 1024, 2 * CHUNK_VALUES
"""Samples of a chunk that is still checked (the schema says so too), and the values in all of them."""

Document = dict[str, Any]


class CertificateFileError(ValueError):
    """The file is not a certificate that can be checked; the message says why."""


def digest(document: Document) -> str:
    """SHA-256 of everything but the digest itself, as JSON with sorted keys and no spaces.

    It catches accidental changes. Who changes a file on purpose can change it too: `verify` computes all else anew.
    """
    rest = {name: value for name, value in document.items() if name != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def claim_of(labels: np.ndarray, class_names: tuple[str, ...], certificate: Certificate) -> dict[str, Any]:
    """What a file claims of a certificate whose samples vote for these classes, int (N,) in index order."""
    duels = {"counting": DUELS, "wins": list(certificate.wins)} if isinstance(certificate, DuelCertificate) else {}
    return {
        **duels,
        "sample_labels": labels.tolist(),
        "votes": list(certificate.votes),
        "label": certificate.label,
        "class": class_names[certificate.label],
        "radius_steps": certificate.radius_steps,
        "radius": display_radius(certificate.radius_steps),
    }


def machine() -> dict[str, str]:
    """Software and hardware, as far as they are easily found."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "threads": str(torch.get_num_threads()),
    }


def check_rows(rows: int, shape: tuple[int, ...]) -> None:
    """CertificateFileError for chunks of more samples, each of `shape`, than a file that can be checked may have."""
    most = min(MOST_ROWS, MOST_VALUES // math.prod(shape))
    if rows > most:
        raise CertificateFileError(
            f"votes counted in chunks of {rows} samples of this size cannot be checked: at most {most} are allowed"
        )


def make(
    model: Classifier,
    image: Tensor,
    vote: Vote,
    batch_size: int | None = None,
    seconds: float = 0.0,
    embed: bool = True,
    made: dict[str, Any] | None = None,
) -> Document:
    """The file of one certificate.

    model: from `load_model`. image: torch.uint8 (3, H, W). vote: on it, counted with `batch_size`. embed: put the
    pixels into the file; without them `verify` asks for the image. made: what to say of its making, if it was not here
    and now. CertificateFileError for chunks that are too large, as in `check_rows`; ValueError for a `Tally`, which
    knows the labels of one chunk.
    """
    if not isinstance(vote, Vote):
        raise ValueError("a file is made of a whole vote: `complete` makes one of its states")
    levels, certificate = vote.total, vote.certificate
    noise, layout = model.manifest.noise_at(levels), ChunkLayout.for_images(levels, model.input_shape, batch_size)
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
        "claim": claim_of(vote.labels, model.class_names, certificate),
        "made": made or {"seconds": round(seconds, 3), **machine()},
    }
    return {**document, "digest": digest(document)}


def stated_counting(document: Document) -> str:
    """How a file says that its votes were counted: one of `COUNTINGS`, plurality where it says nothing."""
    return str(document["claim"].get("counting", PLURALITY))


def with_votes(document: Document, labels: Sequence[int]) -> Document:
    """The same file with other votes, a class of every sample in index order, and all that follows from them.

    It is a forgery that only counting again brings to light. By duels, every sample that votes for another class than
    a rival of the winner is said to rank that one below it.
    """
    names = tuple(document["model"]["class_names"])
    certificate = plain = Vote.of_labels(np.array(labels), len(names)).certificate
    if stated_counting(document) == DUELS:
        wins = tuple((c != plain.label) * (plain.levels - count) for c, count in enumerate(plain.votes))
        certificate = DuelCertificate(plain.levels, plain.votes, plain.label, wins)
    changed = {**document, "claim": claim_of(np.array(labels), names, certificate)}
    return {**changed, "digest": digest(changed)}


def dumps(document: Document) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def parse(data: bytes) -> Document:
    """Untrusted bytes to a document that fits the schema; CertificateFileError says what does not."""
    if len(data) > MAX_BYTES:
        raise CertificateFileError(f"the file is too large: at most {MAX_BYTES >> 20} MB are read")
    if not data.strip():
        raise CertificateFileError("the file is empty")
    if data.count(b",") > MAX_COMMAS:  # each value takes the schema microseconds, and there is room for millions
        raise CertificateFileError(f"this is not a certificate file: it has more than {MAX_COMMAS:,} commas")
    try:
        found = strict_json.parse(data)
    except ValueError as error:
        raise CertificateFileError(f"this is not a JSON file: {str(error)[:200]}") from None
    try:
        strict_json.check_fits(found, "certificate")
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:  # also half a surrogate pair, which is no text
        raise CertificateFileError(f"this is not a certificate file: {str(error)[:200]}") from None
    document: Document = found
    return document


PNG, RGB_OF_8_BITS = b"\x89PNG\r\n\x1a\n", b"\x08\x02"
CHUNKS = {b"IHDR", b"IDAT", b"IEND"}
"""Of a PNG, all that `images.png` writes. Others may tell viewers to show another picture, as colour profiles do."""


def _is_plain(data: bytes) -> bool:
    """Whether a PNG says nothing but the pixels of one RGB picture, as far as its chunks can be told apart."""
    place, plain = len(PNG), data[24:26] == RGB_OF_8_BITS
    while place < len(data) and plain:
        length, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        plain = kind in CHUNKS
        place += 12 + length  # its length, kind, contents and checksum
    return plain


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
            if not _is_plain(data):
                raise CertificateFileError("the embedded picture is no plain RGB picture: viewers may show another one")
        picture = open_picture(data)
    except CertificateFileError:
        raise
    except ImageError as error:
        raise CertificateFileError(f"the embedded picture cannot be read: {error}") from None
    except Exception:  # Pillow raises errors of many kinds for damaged files
        raise CertificateFileError("the embedded picture cannot be read: it is not a PNG, or damaged") from None
    return fit_picture(picture, (picture.height, picture.width))
