"""The figures that Levine & Feizi published, to stand beside ours; `source` says where they come from."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .constants import DSSN

FILE = Path(__file__).with_name("paper_results.json")
METHOD_NAMES = {"dssn": DSSN, "ssn": "ssn", "additive_uniform": "uniform"}


@dataclass(frozen=True)
class Published:
    """One classifier of the paper. method: as in `comparison.METHODS`. training: "standard" or "stability". samples: of
    each image. certified_accuracy: percent of test images classified right with radius >= rho, by rho."""

    method: str
    sigma: float
    training: str
    samples: int
    certified_accuracy: dict[float, float]


@lru_cache(maxsize=1)
def _document() -> dict[str, object]:
    document: dict[str, object] = json.loads(FILE.read_text(encoding="utf-8"))
    return document


def source() -> str:
    """Where the figures come from, and on how many images they were measured."""
    return str(_document()["source"])


def published(dataset: str) -> tuple[Published, ...]:
    """All classifiers of the paper for "cifar10" or "imagenet"."""
    rows = _document()["rows"]
    assert isinstance(rows, list)
    found = tuple(
        Published(
            method=METHOD_NAMES[row["method"]],
            sigma=row["sigma"],
            training=row["training"],
            samples=row["samples"],
            certified_accuracy={float(rho): share for rho, share in row["certified_accuracy"].items()},
        )
        for row in rows
        if row["dataset"] == dataset
    )
    if not found:
        raise ValueError(f"the paper has no figures for {dataset!r}; known: cifar10, imagenet")
    return found


def best_at(rows: Sequence[Published], rho: float) -> Published:
    """The classifier with the highest certified accuracy at rho, one of the radii that the paper's tables hold."""
    if not rows:
        raise ValueError("there are no classifiers to choose from")
    if any(rho not in row.certified_accuracy for row in rows):
        raise ValueError(f"the paper has no figure at rho = {rho}; known: {sorted(rows[0].certified_accuracy)}")
    return max(rows, key=lambda row: row.certified_accuracy[rho])
