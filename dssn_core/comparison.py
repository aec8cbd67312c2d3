"""One row per method: what DSSN and its randomized neighbours say of the same image at the same lambda."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .certificate import Certificate
from .constants import lambda_from_levels, sigma_from_levels
from .monte_carlo import NEIGHBOURS, RandomizedCertificate

METHODS = {"dssn": "DSSN", **{name: neighbour.title for name, neighbour in NEIGHBOURS.items()}}
"""Every method that is compared, and its name in the literature; DSSN first."""

LITERATURE_SAMPLES = 100_000
"""n in the papers on randomized smoothing, for each image."""


@dataclass(frozen=True)
class Outcome:
    """What one method says of one image.

    model: whose network voted. levels: N, lambda = N/(2q). votes: those that count. samples: network passes in all.
    radius: rho, None for an abstention. box_radius: for an attacker who stays in [0, 1]^d; None where it does not
    apply. failure_probability: of the certificate; exactly 0 for DSSN. seconds: measured. n0, n, seed: None for DSSN.
    """

    method: str
    model: str
    image_sha256: str
    levels: int
    label: int
    votes: tuple[int, ...]
    samples: int
    radius: float | None
    box_radius: float | None
    failure_probability: float
    seconds: float
    abstention: str | None = None
    n0: int | None = None
    n: int | None = None
    seed: int | None = None

    @property
    def sigma(self) -> float:
        return sigma_from_levels(self.levels)

    @property
    def vote_share(self) -> float:
        return self.votes[self.label] / sum(self.votes)

    @property
    def literature_seconds(self) -> float:
        """Estimate of the time that the literature's setting takes at the speed measured here; N passes for DSSN."""
        wanted = self.levels if self.method == "dssn" else LITERATURE_SAMPLES
        return self.seconds / self.samples * wanted

    def row(self, class_names: Sequence[str]) -> dict[str, Any]:
        """A flat record, for tables and files."""
        return {
            "method": METHODS[self.method],
            "model": self.model,
            "image_sha256": self.image_sha256,
            "sigma": self.sigma,
            "lambda": lambda_from_levels(self.levels),
            "N": self.levels,
            "class": class_names[self.label],
            "radius": self.radius,
            "box_radius": self.box_radius,
            "vote_share": self.vote_share,
            "samples": self.samples,
            "failure_probability": self.failure_probability,
            "n0": self.n0,
            "n": self.n,
            "seed": self.seed,
            "seconds": round(self.seconds, 4),
            "abstention": self.abstention,
            "votes": " ".join(f"{name}:{count}" for name, count in zip(class_names, self.votes, strict=True)),
        }


def exact_outcome(certificate: Certificate, model: str, image_sha256: str, seconds: float) -> Outcome:
    return Outcome(
        method="dssn",
        model=model,
        image_sha256=image_sha256,
        levels=certificate.levels,
        label=certificate.label,
        votes=certificate.votes,
        samples=certificate.levels,
        radius=certificate.radius,
        box_radius=None,
        failure_probability=0.0,
        seconds=seconds,
    )


def randomized_outcome(certificate: RandomizedCertificate, model: str, image_sha256: str, seconds: float) -> Outcome:
    plan = certificate.plan
    return Outcome(
        method=plan.method,
        model=model,
        image_sha256=image_sha256,
        levels=plan.levels,
        label=certificate.label,
        votes=certificate.votes,
        samples=plan.total,
        radius=certificate.radius,
        box_radius=certificate.box_radius,
        failure_probability=plan.alpha,
        seconds=seconds,
        abstention=certificate.abstention,
        n0=plan.n0,
        n=plan.n,
        seed=plan.seed,
    )


def display_radius(radius: float | None, digits: int = 4) -> str:
    """A radius in decimal digits, rounded down; "none" for an abstention."""
    if radius is None:
        return "none"
    return f"{math.floor(radius * 10**digits + 1e-9) / 10**digits:.{digits}f}"  # 1e-9: R/255 itself is never cut


def to_csv(rows: Iterable[dict[str, Any]]) -> str:
    """Rows of the same keys as CSV with a header; empty for no rows."""
    rows = list(rows)
    if not rows:
        return ""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
