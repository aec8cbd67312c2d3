"""Certificates of the randomized neighbours of DSSN, each wrong with a probability of at most alpha.

The radii speak of real-valued images and assume exact real arithmetic.

Shape legend: K classes, C, H, W image, d = C*H*W values.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.special import betaincinv
from torch import Tensor

from .base_classifier import BaseClassifier, check_alone, check_model, logits_of
from .checks import check_choice, check_seed, check_shape, check_whole
from .constants import PIXEL_STEPS, PLURALITY, NoiseLevel, check_levels
from .counts import Counts
from .images import check_image
from .layout import BATCH_SIZE
from .neighbours import NEIGHBOURS, check_lambda
from .wording import rounded_down

ROUNDING = 1e-12
"""Taken off every bound and radius: far more than floating point can have added, far less than anybody can see."""


def lower_confidence_bound(successes: int, trials: int, alpha: float) -> float:
    """One-sided Clopper-Pearson bound of a probability: too large with a chance of at most `alpha`, in (0, 1)."""
    if not 0 <= successes <= trials or not 0 < alpha < 1:
        raise ValueError(
            f"need 0 <= successes <= trials and 0 < alpha < 1, got {successes} of {trials} and alpha = {alpha}"
        )
    if successes == 0:
        return 0.0
    return max(0.0, float(betaincinv(successes, trials - successes + 1, alpha)) - ROUNDING)


def uniform_radius(p_lower: float, lam: float) -> float | None:
    """rho = 2*lambda*(p_lower - 1/2), the L1 radius of both methods; None, an abstention, if p_lower <= 1/2.

    (Yang et al. 2020 for additive uniform noise, Levine & Feizi 2021 for SSN.)
    """
    check_lambda(lam)
    return max(0.0, 2 * lam * (p_lower - 0.5) - ROUNDING) if p_lower > 0.5 else None


def box_radius(p_lower: float, lam: float, image: Tensor) -> float | None:
    """The radius when an attacker must stay in [0, 1]^d (Voracek & Hein 2023).

    It is `uniform_radius` or more, unless all of [0, 1]^d is certified; then it is the distance of the farthest
    corner: there is nothing beyond.

    image: torch.uint8 (C, H, W). A pixel x can move by max(x, 1 - x) at most, so a larger change must be spread over
    several pixels, where independent noise makes changes overlap. Every rival is given p_upper = 1 - p_lower.
    """
    if uniform_radius(p_lower, lam) is None:
        return None
    check_image(image)
    grey = image.flatten()
    with_room = torch.bincount(torch.maximum(grey, PIXEL_STEPS - grey), minlength=PIXEL_STEPS + 1).tolist()
    needed = 1.5 - p_lower  # 1 - (p_lower - p_upper)/2: the share of noise that two images must have in common
    common, total = 1.0, 0.0
    for most in (steps / PIXEL_STEPS for steps in range(PIXEL_STEPS, 0, -1) for _ in range(with_room[steps])):
        rest = 2 * lam * (1 - needed / common)
        if rest <= most:
            return max(0.0, total + rest - ROUNDING)
        total += most
        common *= 1 - most / (2 * lam)
    return max(0.0, total - ROUNDING)


def samples_to_decide(share: float, alpha: float) -> int | None:
    """About how many samples it takes until the bound of a class with this share of votes exceeds 1/2.

    None if the share is no majority or ten million samples do not suffice.
    """
    limit = 10**7

    def decides(trials: int) -> bool:
        return lower_confidence_bound(math.floor(share * trials), trials, alpha) > 0.5

    if share <= 0.5 or not decides(limit):
        return None
    low, high = 0, limit
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high


# --- the estimate --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan(NoiseLevel):
    """What is fixed before the first draw; ValueError for values that make no plan.

    method: a name in `NEIGHBOURS`. levels: N, which stands for lambda = N/(2q) only. n0: samples that choose the
    class. n: fresh samples that count it. alpha: allowed chance of a wrong certificate; if chosen after a look at the
    counts it is none. seed: of all draws.
    """

    method: str
    levels: int
    n0: int = 100
    n: int = 100_000
    alpha: float = 0.001
    seed: int = 0
    batch_size: int = BATCH_SIZE

    def __post_init__(self) -> None:
        check_choice("method", self.method, NEIGHBOURS)
        object.__setattr__(self, "levels", check_levels(self.levels))
        object.__setattr__(self, "seed", check_seed(self.seed))
        for name in ("n0", "n", "batch_size"):
            object.__setattr__(self, name, check_whole(name, getattr(self, name)))
        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha must lie between 0 and 1, got {self.alpha!r}")

    @property
    def total(self) -> int:
        """Samples that are counted, in all."""
        return self.n0 + self.n

    @property
    def passes(self) -> int:
        """Network passes in all: every chunk is computed whole, see `estimate`."""
        return self.batch_size * sum(-(-count // self.batch_size) for count in (self.n0, self.n))


@dataclass(frozen=True)
class Estimation:
    """The counts after some chunks. selection, votes: int64 (K,) counts of the two stages so far, read-only.

    image: that it is about, torch.uint8 (C, H, W).
    """

    plan: Plan
    selection: np.ndarray
    votes: np.ndarray
    image: Tensor = field(repr=False)

    @property
    def done(self) -> int:
        return int(self.selection.sum() + self.votes.sum())

    @property
    def total(self) -> int:
        return self.plan.total

    @property
    def label(self) -> int:
        """The class chosen by the first n0 samples (or by those so far): most votes, the lowest index on a tie."""
        return int(self.selection.argmax())

    @property
    def p_lower(self) -> float:
        """The confidence bound from the fresh samples so far: a preview until all n are in."""
        return lower_confidence_bound(int(self.votes[self.label]), int(self.votes.sum()), self.plan.alpha)


@dataclass(frozen=True)
class RandomizedCertificate:
    """What a finished estimate says of one image, wrong with a chance of at most plan.alpha.

    label: the class chosen by the first n0 samples. votes: counts of the n fresh samples. radius: rho for real-valued
    images, or None for an abstention; box_radius: the same for an attacker who stays in [0, 1]^d.
    """

    plan: Plan
    label: int
    votes: tuple[int, ...]
    p_lower: float
    radius: float | None
    box_radius: float | None

    @property
    def abstention(self) -> str | None:
        """Why there is no certificate, in a sentence with the numbers at hand; None if there is one."""
        if self.radius is not None:
            return None
        plan, count = self.plan, self.votes[self.label]
        best = lower_confidence_bound(plan.n, plan.n, plan.alpha)
        if best <= 0.5:
            return (
                f"n = {plan.n:,} is too small for α = {plan.alpha:g}: even if all samples agreed, the bound would be "
                f"{rounded_down(best)}, not above 1/2."
            )
        most = max(self.votes)
        if most <= plan.n / 2:
            return (
                f"No class has a majority: the best one has {most:,} of {plan.n:,} votes "
                f"({100 * most / plan.n:.1f} %), and the radius 2λ(p − 1/2) needs more than half."
            )
        if most != count:
            return (
                f"The {plan.n0:,} samples of the selection chose a class that only {count:,} of the {plan.n:,} fresh "
                f"ones voted for; another class had {most:,}. More selection samples would help."
            )
        share = count / plan.n
        needed = samples_to_decide(share, plan.alpha)
        advice = "no sensible number of samples would do" if needed is None else f"about {needed:,} samples would do"
        return (
            f"{count:,} of {plan.n:,} votes ({100 * share:.1f} %) are a majority, but with α = {plan.alpha:g} they "
            f"only show p ≥ {rounded_down(self.p_lower)}, not above 1/2; at this share {advice}."
        )


def estimate(model: BaseClassifier, image: Tensor, plan: Plan) -> Iterator[Estimation]:
    """Draw and classify chunk by chunk: first the selection, then the estimation. Yields the counts so far.

    image: torch.uint8 (C, H, W), as it is at the call. Every chunk has batch_size rows, the last one of a stage is cut
    after it was classified, so kernels see one shape. ValueError as for `voting.tally`.
    """
    check_image(image)
    check_model(model, check_shape(image.shape))
    return _estimations(model, image.clone(), plan)  # what becomes of the caller's meanwhile is another estimate's


def _estimations(model: BaseClassifier, image: Tensor, plan: Plan) -> Iterator[Estimation]:
    sampler, rows = NEIGHBOURS[plan.method], plan.batch_size
    counts: dict[str, Counts] = {}
    for stage, wanted in (("selection", plan.n0), ("estimation", plan.n)):
        for chunk, done in enumerate(range(0, wanted, rows)):
            samples = sampler.samples(image, plan.lam, rows, seed=plan.seed, stage=stage, chunk=chunk)
            if not counts:
                check_alone(model, samples, plan.lam)
            fresh = Counts.of(logits_of(model, samples, plan.lam)[: wanted - done], PLURALITY)
            counts = counts or dict.fromkeys(("selection", "estimation"), Counts(np.zeros_like(fresh.votes)))
            counts[stage] += fresh
            yield Estimation(plan, counts["selection"].votes, counts["estimation"].votes, image)


def randomized_certificate(state: Estimation) -> RandomizedCertificate:
    """The certificate of a finished estimate; ValueError for an unfinished one, which would break alpha."""
    if state.done != state.total:
        raise ValueError(f"only {state.done} of {state.total} samples are in: n is fixed beforehand")
    p_lower, lam = state.p_lower, state.plan.lam
    return RandomizedCertificate(
        plan=state.plan,
        label=state.label,
        votes=tuple(state.votes.tolist()),
        p_lower=p_lower,
        radius=uniform_radius(p_lower, lam),
        box_radius=box_radius(p_lower, lam, state.image),
    )


def certify_randomized(model: BaseClassifier, image: Tensor, plan: Plan) -> RandomizedCertificate:
    """`estimate` to its end, and the certificate of that: image, plan and errors are those of `estimate`."""
    (state,) = deque(estimate(model, image, plan), maxlen=1)  # the last: all of them at once may be large
    return randomized_certificate(state)
