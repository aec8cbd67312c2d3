"""One row per method: what DSSN and its randomized neighbours say of the same image at the same lambda."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .certificate import Certificate
from .constants import DSSN, NoiseLevel
from .monte_carlo import RandomizedCertificate
from .neighbours import NEIGHBOURS
from .wording import display_radius, rounded_down

METHODS = {DSSN: "DSSN", **{name: neighbour.title for name, neighbour in NEIGHBOURS.items()}}
"""Every method that is compared, and its name in the literature; DSSN first."""

LITERATURE_SAMPLES = 100_000
"""n in the papers on randomized smoothing, for each image."""


@dataclass(frozen=True)
class Outcome(NoiseLevel):
    """What one method says of one image.

    model: whose network voted. levels: N, lambda = N/(2q). votes: those that count. passes: of the network, in all.
    radius: rho, None for an abstention. radius_steps: R, of DSSN only. box_radius: for an attacker who stays in
    [0, 1]^d; None where it does not apply. failure_probability: of the certificate; exactly 0 for DSSN. seconds:
    measured. n0, n, seed: None for DSSN.
    """

    method: str
    model: str
    image_sha256: str
    levels: int
    label: int
    votes: tuple[int, ...]
    passes: int
    radius: float | None
    box_radius: float | None
    failure_probability: float
    seconds: float
    radius_steps: int | None = None
    abstention: str | None = None
    n0: int | None = None
    n: int | None = None
    seed: int | None = None

    @property
    def exact(self) -> bool:
        """Whether it is DSSN's: of all its samples, and with no chance of failure."""
        return self.method == DSSN

    @property
    def vote_share(self) -> float:
        return self.votes[self.label] / sum(self.votes)

    @property
    def literature_seconds(self) -> float:
        """Estimate of the time that the literature's setting takes at the speed measured here; DSSN's is the same."""
        return self.seconds if self.n is None else self.seconds / self.passes * LITERATURE_SAMPLES

    @property
    def shown_radius(self) -> str:
        """The radius for the screen, rounded down; "none" for an abstention."""
        if self.radius is None:
            return "none"
        return rounded_down(self.radius) if self.radius_steps is None else display_radius(self.radius_steps)

    @property
    def shown_box_radius(self) -> str:
        return "none" if self.box_radius is None else rounded_down(self.box_radius)

    def row(self, class_names: Sequence[str]) -> dict[str, Any]:
        """A flat record, for tables and files."""
        return {
            "method": METHODS[self.method],
            "model": self.model,
            "image_sha256": self.image_sha256,
            "sigma": self.sigma,
            "lambda": self.lam,
            "N": self.levels,
            "class": class_names[self.label],
            "radius": self.radius,
            "box_radius": self.box_radius,
            "vote_share": self.vote_share,
            "passes": self.passes,
            "failure_probability": self.failure_probability if self.abstention is None else None,
            "n0": self.n0,
            "n": self.n,
            "seed": self.seed,
            "seconds": round(self.seconds, 4),
            "abstention": self.abstention,
            "votes": " ".join(f"{name}:{count}" for name, count in zip(class_names, self.votes, strict=True)),
        }


def largest(outcomes: Iterable[Outcome], truth: int | None = None) -> Outcome | None:
    """The outcome with the largest radius, the first of equals; None where every one is an abstention.

    truth: the true class, if known; then of right answers only.
    """
    certified = [one for one in outcomes if one.radius is not None and truth in (None, one.label)]
    return max(certified, key=lambda outcome: outcome.radius or 0.0, default=None)


def exact_outcome(certificate: Certificate, passes: int, model: str, image_sha256: str, seconds: float) -> Outcome:
    return Outcome(
        method=DSSN,
        model=model,
        image_sha256=image_sha256,
        levels=certificate.levels,
        label=certificate.label,
        votes=certificate.votes,
        passes=passes,
        radius=certificate.radius,
        radius_steps=certificate.radius_steps,
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
        passes=plan.passes,
        radius=certificate.radius,
        box_radius=certificate.box_radius,
        failure_probability=plan.alpha,
        seconds=seconds,
        abstention=certificate.abstention,
        n0=plan.n0,
        n=plan.n,
        seed=plan.seed,
    )


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
