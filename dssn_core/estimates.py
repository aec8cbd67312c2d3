"""Quick estimates of certified accuracy from a few samples per image: for choosing between models, never certificates.

Shape legend: B images, K classes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .checks import check_shape
from .classifier import Classifier
from .constants import DSSN, lambda_from_levels, levels_from_sigma
from .datasets import Dataset
from .draws import ESTIMATE, keyed_generator
from .noises import NOISES
from .offsets import offset_fractions
from .splitting import block_grid
from .voting import check_model, fitting_batch_size


@dataclass(frozen=True)
class QuickEstimate:
    """Of one model at one sigma: shares in [0, 1], over some images and some random samples of each."""

    sigma: float
    single_sample: float  # share of all samples that are classified right
    certified: dict[float, float]  # rho to the share of images right with an estimated radius of rho or more


def sampled_votes(model: Classifier, data: Dataset, levels: int, samples: int, seed: int) -> Tensor:
    """int64 (B, K): the votes of `samples` random samples of each image, under the noise the model was trained for.

    ValueError for images of another size than the model takes.
    """
    check_model(model, check_shape(data.images.shape[1:]))
    offsets = model.manifest.offsets
    grid = block_grid(model.input_shape, model.manifest.block)
    fractions = offset_fractions(offsets["scheme"], grid, offsets["seed"])
    noisy = NOISES[model.manifest.noise]
    rows = fitting_batch_size(model.input_shape)  # the draws are the same for any
    votes = torch.zeros(len(data), model.num_classes, dtype=torch.int64)
    for draw in range(samples):
        generator = keyed_generator(seed, ESTIMATE, draw)
        for start in range(0, len(data), rows):
            images = data.images[start : start + rows]
            each = torch.full((len(images),), levels)
            with torch.inference_mode():
                labels = model(noisy(images, each, fractions, generator), lambda_from_levels(each)).argmax(1)
            votes[torch.arange(start, start + len(images)), labels] += 1
    return votes


def estimated_certified(
    votes: Tensor, labels: Tensor, lam: float, rhos: Sequence[float], randomized: bool = False
) -> dict[float, float]:
    """Share of images whose label leads by at least rho/lambda of the votes (or leads at all, at rho 0).

    votes: (B, K); labels: (B,). The radius of a whole vote table is lambda times the lead of its first class over the
    second (Levine & Feizi 2021, with both classes counted), less rounding; that of a randomized method
    lambda times its lead over all others together, for it bounds one share only. Here a few votes stand for all.
    """
    own, total = votes.gather(1, labels[:, None])[:, 0], votes.sum(dim=1)
    rival = total - own if randomized else votes.scatter(1, labels[:, None], -1).amax(dim=1)
    lead = (own - rival) / total
    return {rho: float(((lead > 0) & (lead * lam >= rho)).double().mean()) for rho in rhos}


def quick_estimates(
    model: Classifier, data: Dataset, sigmas: Sequence[float], rhos: Sequence[float], samples: int, seed: int = 0
) -> Iterator[QuickEstimate]:
    """A `QuickEstimate` at each sigma; the same seed draws the same samples for every model of the same offsets."""
    randomized = model.manifest.noise != DSSN
    for sigma in sigmas:
        levels = levels_from_sigma(sigma)
        votes = sampled_votes(model, data, levels, samples, seed)
        right = int(votes.gather(1, data.labels[:, None]).sum())
        certified = estimated_certified(votes, data.labels, lambda_from_levels(levels), rhos, randomized)
        yield QuickEstimate(sigma, right / (len(data) * samples), certified)
