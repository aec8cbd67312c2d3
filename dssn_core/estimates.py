"""Quick estimates of certified accuracy from a few samples per image: for choosing between models, never certificates.

Shape legend: B images, K classes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .base_classifier import check_model
from .checks import check_shape
from .classifier import Classifier
from .constants import DSSN, DUELS, PLURALITY, lambda_from_levels, levels_from_sigma
from .datasets import Dataset
from .draws import ESTIMATE, keyed_generator
from .layout import fitting_batch_size
from .noises import NOISES
from .offsets import offset_fractions
from .splitting import block_grid

RANDOMIZED = "randomized"


@dataclass(frozen=True)
class QuickEstimate:
    """Of one model at one sigma: shares in [0, 1], over some images and some random samples of each."""

    sigma: float
    single_sample: float  # share of all samples that are classified right
    certified: dict[float, float]  # rho to the share of images right with an estimated radius of rho or more


@dataclass(frozen=True)
class Sampled:
    """Of a few samples of each image: what they say of its own class. All int64.

    votes: (B, K) first choices. wins: (B, K) how many rank the image's own class above each other one; all of them at
    itself. labels: (B,) the images' own classes.
    """

    votes: Tensor
    wins: Tensor
    labels: Tensor

    @property
    def own(self) -> Tensor:
        """(B,): first choices for the image's own class."""
        return self.votes.gather(1, self.labels[:, None])[:, 0]

    @property
    def total(self) -> int:
        """Samples of each image."""
        return int(self.votes[0].sum())

    def certified(self, way: str, lam: float, rhos: Sequence[float]) -> dict[float, float]:
        """Share of images whose own class leads by at least rho/lambda of the samples (or leads at all, at rho 0).

        way: one of `LEADS`. The radius of a whole vote is lambda times its lead, less rounding. Here a few samples
        stand for all.
        """
        leads = LEADS[way](self)
        return {rho: float(((leads > 0) & (leads / self.total * lam >= rho)).double().mean()) for rho in rhos}


LEADS: dict[str, Callable[[Sampled], Tensor]] = {
    PLURALITY: lambda of: of.own - of.votes.scatter(1, of.labels[:, None], -1).amax(dim=1),
    DUELS: lambda of: 2 * of.wins.amin(dim=1) - of.total,
    RANDOMIZED: lambda of: 2 * of.own - of.total,
}
"""(B,), by how many samples an image's own class leads: over its closest rival, as DSSN's votes are counted; of a
randomized method, which bounds one share only, over all other classes together."""


def sampled(model: Classifier, data: Dataset, levels: int, samples: int, seed: int) -> Sampled:
    """`samples` random samples of each image, under the noise the model was trained for.

    ValueError for images of another size than the model takes.
    """
    check_model(model, check_shape(data.images.shape[1:]))
    offsets = model.manifest.offsets
    fractions = offset_fractions(offsets.scheme, block_grid(model.input_shape, offsets.block), offsets.seed)
    noisy = NOISES[model.manifest.noise]
    rows = fitting_batch_size(model.input_shape)  # the draws are the same for any
    votes, wins = (torch.zeros(len(data), model.num_classes, dtype=torch.int64) for _ in range(2))
    classes = torch.arange(model.num_classes)
    for draw in range(samples):
        generator = keyed_generator(seed, ESTIMATE, draw)
        for start in range(0, len(data), rows):
            images, own = data.images[start : start + rows], data.labels[start : start + rows, None]
            each = torch.full((len(images),), levels)
            with torch.inference_mode():
                logits = model(noisy(images, each, fractions, generator), lambda_from_levels(each))
            votes[torch.arange(start, start + len(images)), logits.argmax(1)] += 1
            ours = logits.gather(1, own)
            wins[start : start + rows] += (ours > logits) | ((ours == logits) & (own <= classes))
    return Sampled(votes, wins, data.labels)


def quick_estimates(
    model: Classifier, data: Dataset, sigmas: Sequence[float], rhos: Sequence[float], samples: int, seed: int = 0
) -> Iterator[QuickEstimate]:
    """A `QuickEstimate` at each sigma; the same seed draws the same samples for every model of the same offsets."""
    way = model.counting if model.manifest.noise == DSSN else RANDOMIZED
    for sigma in sigmas:
        levels = levels_from_sigma(sigma)
        found = sampled(model, data, levels, samples, seed)
        single = int(found.own.sum()) / (len(data) * samples)
        yield QuickEstimate(sigma, single, found.certified(way, lambda_from_levels(levels), rhos))
