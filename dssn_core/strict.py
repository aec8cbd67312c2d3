"""Certificates that survive another machine's rounding.

The same network on another machine, with other kernels, gives slightly other logits, and where the two best of a sample
are close its vote may differ. A strict certificate counts only samples whose two best logits are more than `gap` apart;
the others are undecided, and the radius is what holds whatever they vote.

Guarantee: on every machine whose logits of a sample differ from those computed here by less than gap/2, the vote of
every decided sample is the same, so the label is certified within the strict radius there too. That the logits stay
within gap/2 is the assumption; `agreement` measures how far they move between the settings of one machine.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from .certificate import radius_bounds
from .voting import BaseClassifier, Tally, answers_by_row, check_mode


def undecided(logits: Tensor, gap: float) -> Tensor:
    """bool (B,): whether the two best of the logits, float32 (B, K), are at most `gap` apart.

    In double precision: its rounding keeps order, so that no lead of at most the gap is computed as a larger one.
    """
    best, second = logits.topk(2, dim=1).values.double().unbind(1)
    return best - second <= gap


class Hesitant:
    """A base classifier with a twin of every class: class K+k is class k where the logits are `undecided` within `gap`.

    ValueError for a gap that is not positive, and for a model in training mode, which would be hidden inside this one.
    """

    def __init__(self, model: BaseClassifier, gap: float) -> None:
        self.model, self.gap = model, check_gap(gap)
        self.answers_by_row = answers_by_row(model)
        check_mode(model)
        if hasattr(model, "input_shape"):
            self.input_shape = model.input_shape

    def __call__(self, x: Tensor, lam: float) -> Tensor:
        logits = self.model(x, lam)
        lowest = logits.amin(dim=1, keepdim=True)
        out = (lowest - 1 - lowest.abs()).expand_as(logits)  # never lost in rounding
        close = undecided(logits, self.gap)[:, None]
        return torch.cat([torch.where(close, out, logits), torch.where(close, logits, out)], dim=1)


def check_gap(gap: float) -> float:
    """The gap itself, in logits: twice the error that a certificate is to survive."""
    if not 0 < gap < float("inf"):
        raise ValueError(f"the gap must be a positive number, got {gap}")
    return gap


@dataclass(frozen=True)
class StrictCertificate:
    """votes: of the decided samples. undecided: how many are not. gap: see the module."""

    votes: tuple[int, ...]
    undecided: int
    gap: float

    @property
    def levels(self) -> int:
        """N."""
        return sum(self.votes) + self.undecided

    @property
    def label(self) -> int | None:
        """The certain winner; None if the undecided samples could make another class win: no strict certificate."""
        bounds = radius_bounds(self.votes, self.levels)
        return bounds.label if bounds.final else None

    @property
    def radius_steps(self) -> int | None:
        """The radius in steps of 1/255 that holds however the undecided samples vote; None without a label."""
        return None if self.label is None else radius_bounds(self.votes, self.levels).lower


def strictly(labels: np.ndarray, num_classes: int, gap: float) -> StrictCertificate:
    """The strict certificate in the votes of a `Hesitant`: int (N,), the twins counted from `num_classes` on."""
    votes = np.bincount(labels, minlength=2 * num_classes)[:num_classes]
    return StrictCertificate(tuple(votes.tolist()), len(labels) - int(votes.sum()), gap)


def without_twins(vote: Tally, num_classes: int) -> Tally:
    """The complete vote of a `Hesitant` as that of the model inside it."""
    return replace(vote, votes=vote.votes.reshape(2, num_classes).sum(axis=0), labels=vote.labels % num_classes)
