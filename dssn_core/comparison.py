"""One row per method: what DSSN and its randomized neighbours say of the same image at the same lambda."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .certificate import Certificate
from .constants import DSSN, NoiseLevel
from .monte_carlo import Plan, RandomizedCertificate
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
    seconds: measured. radius: rho, None for an abstention. radius_steps: R, of DSSN only; plan, abstention, box_radius,
    for an attacker who stays in [0, 1]^d: of a randomized method only.
    """

    model: str
    image_sha256: str
    levels: int
    label: int
    votes: tuple[int, ...]
    passes: int
    seconds: float
    radius: float | None
    radius_steps: int | None = None
    box_radius: float | None = None
    abstention: str | None = None
    plan: Plan | None = None

    @property
    def method(self) -> str:
        return DSSN if self.plan is None else self.plan.method

    @property
    def vote_share(self) -> float:
        return self.votes[self.label] / sum(self.votes)

    @property
    def literature_seconds(self) -> float:
        """Estimate of the time that the literature's setting takes at the speed measured here; DSSN's is the same."""
        return self.seconds if self.plan is None else self.seconds / self.passes * LITERATURE_SAMPLES

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
            "radius_steps": self.radius_steps,
            "box_radius": self.box_radius,
            "vote_share": self.vote_share,
            "passes": self.passes,
            "failure_probability": None if self.abstention else 0.0 if self.plan is None else self.plan.alpha,
            **{name: getattr(self.plan, name, None) for name in ("n0", "n", "seed")},
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
        model=model,
        image_sha256=image_sha256,
        levels=certificate.levels,
        label=certificate.label,
        votes=certificate.votes,
        passes=passes,
        seconds=seconds,
        radius=certificate.radius,
        radius_steps=certificate.radius_steps,
    )


def randomized_outcome(certificate: RandomizedCertificate, model: str, image_sha256: str, seconds: float) -> Outcome:
    plan = certificate.plan
    return Outcome(
        model=model,
        image_sha256=image_sha256,
        levels=plan.levels,
        label=certificate.label,
        votes=certificate.votes,
        passes=plan.passes,
        seconds=seconds,
        radius=certificate.radius,
        box_radius=certificate.box_radius,
        abstention=certificate.abstention,
        plan=plan,
    )
