"""Flips: pictures near another one to which the smoothed classifier gives another answer.

A certificate proves that no picture within R steps has another answer; a flip at D steps shows that one within D has.
So the nearest is R + 1 to D steps away. The search follows the slope of the network's answers, averaged over samples as
in attacks on other smoothed classifiers (Salman et al. 2019), and straight through the splitting: on average a sample's
value moves in proportion to its pixel, for N < q down to half as much near black and white. Slopes only propose.
Whether an answer is another is counted, by all samples.
"""

import operator
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from .attack import distance, gradient
from .base_classifier import BaseClassifier, Worker, counting_of
from .certificate import Certificate
from .constants import PIXEL_STEPS
from .counts import Counts
from .layout import ChunkLayout
from .splitting import SplitNoise, block_sums, over_blocks
from .voting import complete, tally

ROUNDS = 40
LOOKED = 4
"""Chunks of samples whose slopes a round looks at, at most."""

TEMPERATURE = 2.0
"""In logits: a sample whose lead is much larger than this, either way, has little say in where the search goes."""

MEMORY = 0.7
"""Momentum: how much of the slope is that of earlier rounds. Every round moves from the original anew, so it needs the
slopes found on the way, not the last one alone."""

FIRST, GROWTH = 8, 1.5
"""The search looks at this distance first, or just beyond the radius if that is more; then it grows until there is a
flip, each round by this factor."""

NEARER, PATIENCE = 0.9, 3
"""Then it looks at this share of the nearest flip's distance, and after so many rounds in vain halfway back to that."""


@dataclass(frozen=True)
class Flip:
    """image: torch.uint8 (C, H, W), to which the answer is the class `label`. distance: from the original, in steps."""

    image: Tensor = field(repr=False)
    distance: int
    label: int


@dataclass(frozen=True)
class Search:
    """After `done` of at most `rounds` rounds. distance: where it looked last, in steps. nearest: flip so far."""

    done: int
    rounds: int
    distance: int
    nearest: Flip | None


def nearest_flip(
    model: BaseClassifier,
    image: Tensor,
    noise: SplitNoise,
    certificate: Certificate,
    counting: str | None = None,
    rounds: int = ROUNDS,
    work: Worker = operator.call,
) -> Iterator[Search]:
    """Look for a flip of an image, torch.uint8 (C, H, W), and for ever nearer ones; yields the search after each round.

    certificate: of the image, by this way of counting, one of `COUNTINGS`; by default that of the model. work: runs
    the passes of the network. The search ends early where the network has no slope to follow, or a flip is as near as
    one can be. No flip, or none nearer, does not mean that there is none.
    """
    counting = counting_of(model) if counting is None else counting
    label, rival, least = certificate.label, certificate.rival, certificate.radius_steps + 1
    here, remembered = image, torch.zeros(noise.shape)
    nearest: Flip | None = None
    wanted = vain = 0
    for done in range(1, rounds + 1):
        counts, slope = _looked_at(model, here, noise, counting, (label, rival), work)
        seen = counts.certificate(int(counts.votes.sum()))
        rival = seen.rival if seen.label == label else seen.label
        answer = label if seen.label == label else _answer(model, here, noise, counting, work)
        far = distance(here, image)
        if answer != label and (nearest is None or far < nearest.distance):
            nearest = Flip(here, far, answer)
        yield Search(done, rounds, far, nearest)
        if nearest is None:
            wanted = max(FIRST, least, int(GROWTH * far))
        elif nearest.distance == least:
            return
        elif answer != label:
            wanted, vain = max(least, int(NEARER * nearest.distance)), 0
        elif (vain := vain + 1) % PATIENCE == 0:
            wanted = (wanted + nearest.distance) // 2
        remembered = MEMORY * remembered + slope
        here = _moved(image, remembered, wanted)
        if torch.equal(here, image):
            return


def _looked_at(
    model: BaseClassifier, image: Tensor, noise: SplitNoise, counting: str, duel: tuple[int, int], work: Worker
) -> tuple[Counts, Tensor]:
    """What some samples say, spread evenly over all; and (C, H, W), how much more they side with the first of two
    classes, per step of every pixel and up to a factor that is the same for all."""
    layout = ChunkLayout.for_images(noise.levels, noise.shape)
    counts, slope = None, torch.zeros(noise.shape)
    for chunk in range(min(layout.chunks, LOOKED)):
        samples = noise.samples_at(image, layout.indices(chunk)[: layout.real_rows(chunk)])
        logits, steep = work(partial(_slope, model, samples, noise.lam, duel))
        fresh = Counts.of(logits.numpy(), counting)
        counts, slope = fresh if counts is None else counts + fresh, slope + steep
    assert counts is not None
    return counts, over_blocks(block_sums(slope, noise.block), noise.block)


def _slope(model: BaseClassifier, samples: Tensor, lam: float, duel: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Logits of samples, (B, K), and the gradient, (C, H, W), summed over samples, of a smooth count of those that rank
    the first of two classes higher; zero where the model has no slope."""
    own, its = duel
    with torch.enable_grad():
        x = samples.requires_grad_()
        logits = model(x, lam)
        sure = torch.sigmoid((logits[:, own] - logits[:, its]) / TEMPERATURE).sum()
    return logits.detach(), gradient(sure, x).sum(0)


def _answer(model: BaseClassifier, image: Tensor, noise: SplitNoise, counting: str, work: Worker) -> int:
    """The class that wins the whole vote."""
    states = tally(model, image, noise, counting=counting)
    return complete(iter(lambda: work(lambda: next(states, None)), None)).certificate.label


def _moved(image: Tensor, slope: Tensor, steps: int) -> Tensor:
    """An image moved by so many steps against the slope, where it is the steepest, each pixel within its range."""
    down = slope.flatten() > 0
    room = torch.where(down, image.flatten().long(), PIXEL_STEPS - image.flatten().long()) * (slope.flatten() != 0)
    order = slope.abs().flatten().argsort(descending=True, stable=True)
    before = room[order].cumsum(0) - room[order]
    taken = torch.zeros_like(room)
    taken[order] = (steps - before).clamp(min=0).minimum(room[order])
    return (image.flatten() + torch.where(down, -taken, taken)).view(image.shape).to(torch.uint8)
