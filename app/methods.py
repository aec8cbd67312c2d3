"""One picture under every method of smoothing: its run, and one of its samples."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from app import resources
from app.collection import Collection
from app.runs import Run
from dssn_core.constants import DSSN, PLURALITY, lambda_from_levels
from dssn_core.layout import fitting_batch_size
from dssn_core.monte_carlo import Plan
from dssn_core.neighbours import NEIGHBOURS


@dataclass(frozen=True)
class Settings:
    """What is compared, and how."""

    collection: Collection
    levels: int
    methods: tuple[str, ...]
    n: int
    alpha: float
    seed: int


def run_of(method: str, image: Tensor, settings: Settings, repeat: int = 0) -> Run[Any]:
    """The run of a method; every number `repeat` gives one of its own."""
    name = settings.collection.model_for(method)
    if method == DSSN:
        return resources.votes_of(name, image, settings.levels, PLURALITY, repeat)  # as all the others count
    rows = fitting_batch_size(image.shape)
    plan = Plan(method, settings.levels, n=settings.n, seed=settings.seed + repeat, batch_size=rows)
    return resources.estimate_of(name, image, plan)


def sample_of(method: str, image: Tensor, settings: Settings) -> Tensor:
    """float32 (1, C, H, W): a sample as the method's network sees it, sample 0 of DSSN."""
    if method == DSSN:
        noise = resources.model(settings.collection.model_for(method)).manifest.noise_at(settings.levels)
        return noise.samples(image, 0, 1)
    return NEIGHBOURS[method].samples(image, lambda_from_levels(settings.levels), 1, seed=settings.seed)
