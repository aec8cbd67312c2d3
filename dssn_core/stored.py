"""Certificates of the built-in pictures, kept beside a network's weights so that a first view need not wait for them.

They are certificate files without pixels, one a line: anybody can compute them again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .certificate_file import CertificateFileError, Document, digest, dumps, parse, stated_counting
from .classifier import Classifier
from .constants import PLURALITY
from .files import locked, read_json_lines, write_json_lines
from .layout import ChunkLayout

FILE = "gallery.jsonl.gz"


@dataclass(frozen=True)
class Stored:
    """A vote as it was counted elsewhere. labels: int64 (N,), of every sample.

    made: how, and seconds: how long it took, by its own account.
    """

    labels: np.ndarray
    made: dict[str, Any]
    seconds: float


def keep_certificates(folder: Path, documents: Sequence[Document]) -> None:
    """Write the certificates into a model's folder, beside those of the same weights that are about something else."""

    def subject(document: Document) -> tuple[str, str, int]:
        return document["model"]["weights_sha256"], document["image"]["sha256"], document["noise"]["levels"]

    weights = {document["model"]["weights_sha256"] for document in documents}
    with locked(folder):
        try:
            lines = read_json_lines(folder / FILE)
            before = {subject(line): line for line in lines if line["model"]["weights_sha256"] in weights}
        except (KeyError, TypeError) as error:
            raise ValueError(f"{folder / FILE} is damaged ({error!r}): delete it, and it is made anew") from None
        new = {subject(document): document for document in documents}
        write_json_lines(folder / FILE, {**before, **new}.values())


def stored_vote(model: Classifier, folder: Path, image_hash: str, levels: int) -> Stored | None:
    """The vote on an image in a model's folder; None unless it was counted as this model counts.

    Compared are the weights, the offsets, the chunks and the number format, not the kind of machine. By duels no vote
    is kept: a file holds the winner's only. ValueError for a damaged file.
    """
    if model.counting != PLURALITY:
        return None
    for line in read_json_lines(folder / FILE):
        try:
            if (line["image"]["sha256"], line["noise"]["levels"]) != (image_hash, levels):
                continue
            document = parse(dumps(line).encode())
            if document["digest"] != digest(document):
                raise CertificateFileError("the digest of a certificate is not that of what it says")
            seconds = float(document["made"].get("seconds", 0))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"{folder / FILE} is damaged: {error}") from None
        labels = np.array(document["claim"]["sample_labels"], dtype=np.int64)
        noise, layout = model.manifest.noise_at(levels), ChunkLayout.for_images(levels, model.input_shape)
        how = document["evaluation"]
        hashes = document["model"]["weights_sha256"], document["noise"]["offsets"]["sha256"]
        own = model.manifest.weights_sha256, noise.offsets_sha256
        stated = (*hashes, how["precision"], how["chunks"], how["rows"], len(labels), stated_counting(document))
        expected = (*own, model.precision, layout.chunks, layout.rows, levels, PLURALITY)
        if stated == expected and labels.max() < model.num_classes:
            return Stored(labels, document["made"], seconds)
    return None
