"""Steps against a certificate: change one pixel by one grey level, see the one vote that it can move.

A step of a pixel between k and k + 1 crosses exactly one split position, that of sample j = (k - v) mod N; all other
samples stay the same to the bit. Where blocks of pixels are split, k is the sum of the pixel's block. Every search here
only proposes steps; votes are always counted in the chunk layout.
"""

import operator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from .base_classifier import BaseClassifier, Worker, logits_of
from .constants import PIXEL_STEPS
from .layout import ChunkLayout, fitting_batch_size
from .splitting import Place, SplitNoise, block_sums, over_blocks, samples_from_numerators

FEW_CHUNKS = 6
"""A search may take the passes of so many chunks to look for samples, and as many to try steps."""


@dataclass(frozen=True)
class Step:
    """Change pixel (channel, row, column) by `change`, one grey level up (+1) or down (-1)."""

    channel: int
    row: int
    column: int
    change: int

    @property
    def place(self) -> Place:
        return self.channel, self.row, self.column

    def applied(self, image: Tensor) -> Tensor:
        """A copy of the uint8 image with the step taken; ValueError if it leaves the image or the range 0..255."""
        if self.change not in (-1, 1):
            raise ValueError(f"a step changes a pixel by +1 or -1, got {self.change}")
        if not all(0 <= n < size for n, size in zip(self.place, image.shape, strict=True)):
            raise ValueError(f"there is no pixel {self.place} in an image of shape {tuple(image.shape)}")
        value = int(image[self.place]) + self.change
        if not 0 <= value <= PIXEL_STEPS:
            raise ValueError(f"the pixel is {value - self.change} already; it must stay within 0..{PIXEL_STEPS}")
        changed = image.clone()
        changed[self.place] = value
        return changed


def changed_index(image: Tensor, noise: SplitNoise, step: Step) -> int:
    """The one sample that `step` changes: j = (k - v) mod N, with k the smaller of the two sums of its block."""
    block = noise.of_block(step.place)
    lower = int(block_sums(image, noise.block)[block]) + min(step.change, 0)
    return (lower - int(noise.offsets[block])) % noise.levels


def distance(image: Tensor, other: Tensor) -> int:
    """L1 distance in steps, over all pixels and channels."""
    return int((image.int() - other.int()).abs().sum())


def vote_of(model: BaseClassifier, image: Tensor, noise: SplitNoise, index: int, batch_size: int | None = None) -> int:
    """The class that sample `index` votes for, computed in its own chunk, exactly as `tally` does."""
    if not 0 <= operator.index(index) < noise.levels:
        raise ValueError(f"index must be from 0 to {noise.levels - 1}, got {index}")
    layout = ChunkLayout.for_images(noise.levels, noise.shape, batch_size)
    chunk, row = layout.place_of(index)
    labels = logits_of(model, noise.samples_at(image, layout.indices(chunk)), noise.lam).argmax(axis=1)
    return int(labels[row])


@dataclass(frozen=True)
class Move:
    """A step that was taken: the sample it changed, and that sample's vote before and after."""

    step: Step
    index: int
    before: int
    after: int


@dataclass(frozen=True)
class Poked:
    """An image under attack. labels: int64 (N,), the vote of every sample of `image`, in index order."""

    original: Tensor
    image: Tensor
    labels: np.ndarray
    moves: tuple[Move, ...] = ()

    @property
    def spent(self) -> int:
        """L1 distance from the original, in steps; going back refunds."""
        return distance(self.image, self.original)

    def moved(self, original_labels: np.ndarray) -> int:
        """How many samples vote differently than they did of the original: at most `spent`."""
        return int((self.labels != original_labels).sum())


def poke(model: BaseClassifier, state: Poked, noise: SplitNoise, step: Step, batch_size: int | None = None) -> Poked:
    """Take a step and count again the one vote that can have moved. ValueError for a step out of range."""
    image = step.applied(state.image)
    index = changed_index(state.image, noise, step)
    labels = state.labels.copy()
    before, labels[index] = int(labels[index]), vote_of(model, image, noise, index, batch_size)
    return replace(
        state, image=image, labels=labels, moves=(*state.moves, Move(step, index, before, int(labels[index])))
    )


def undo(state: Poked) -> Poked:
    """Take the last step back; the state itself if there is none."""
    if not state.moves:
        return state
    last = state.moves[-1]
    labels = state.labels.copy()
    labels[last.index] = last.before
    back = replace(last.step, change=-last.step.change)
    return replace(state, image=back.applied(state.image), labels=labels, moves=state.moves[:-1])


def random_step(image: Tensor, generator: torch.Generator, outward_from: Tensor | None = None) -> Step:
    """A random possible step; with `outward_from`, one that does not come nearer to that image."""
    while True:
        channel, row, column, up = (int(torch.randint(n, (1,), generator=generator)) for n in (*image.shape, 2))
        step = Step(channel, row, column, 2 * up - 1)
        value = int(image[step.place])
        moved = 0 if outward_from is None else value - int(outward_from[step.place])
        if 0 <= value + step.change <= PIXEL_STEPS and moved * step.change >= 0:
            return step


def random_walk(image: Tensor, steps: int, generator: torch.Generator) -> Tensor:
    """An image at L1 distance `steps` of `image`, reached by random steps that never come back.

    The distance is smaller only where so many steps might leave no pixel that can go on.
    """
    ways = torch.stack([image.int(), PIXEL_STEPS - image.int()])  # steps down and up before a pixel is at its end
    room = int(torch.where(ways.min(0).values > 0, ways.min(0).values, PIXEL_STEPS).sum())
    walked = image
    for _ in range(min(steps, room)):
        walked = random_step(walked, generator, image).applied(walked)
    return walked


def _lead(logits: Tensor, label: int) -> Tensor:
    """(B,): the logit of `label` minus the best other one; negative where the vote is lost."""
    others = logits.clone()
    others[:, label] = -torch.inf
    return logits[:, label] - others.max(dim=1).values


def _leads(model: BaseClassifier, samples: Tensor, lam: float, label: int) -> Tensor:
    """`_lead` of samples (B, C, H, W)."""
    with torch.inference_mode():
        return _lead(model(samples, lam), label)


def gradient(value: Tensor, x: Tensor) -> Tensor:
    """How a number computed from x grows with every value of it; zero where it comes of a model without a slope."""
    return torch.autograd.grad(value, x)[0] if value.requires_grad else torch.zeros_like(x)


def _slope(model: BaseClassifier, sample: Tensor, lam: float, label: int) -> Tensor:
    """(C, H, W): how the lead of `label` grows with every value of one sample; zero where the model has no slope."""
    with torch.enable_grad():
        x = sample[None].clone().requires_grad_()
        lead = _lead(model(x, lam), label)
    return gradient(lead.sum(), x)[0]


def steps_that_change(image: Tensor, noise: SplitNoise, index: int, change: int) -> list[Step]:
    """All steps by `change` (+1 or -1) that change sample `index`."""
    value = image.long() + change
    lower = block_sums(image, noise.block) + min(change, 0)
    crossed = over_blocks((lower - noise.offsets) % noise.levels == index, noise.block)
    hits = crossed & (value >= 0) & (value <= PIXEL_STEPS)
    return [Step(channel, row, column, change) for channel, row, column in torch.nonzero(hits).tolist()]


def guided_step(
    model: BaseClassifier,
    state: Poked,
    noise: SplitNoise,
    label: int,
    searched: int = 4,
    tried: int | None = None,
    work: Worker = operator.call,
) -> Step | None:
    """A step that takes a vote from `label`, or else the one that brings a vote closest to leaving it.

    Of the samples that vote for `label`, takes the `searched` least sure ones; ranks the steps that change one of them
    by the slope of the network's lead, and tries the `tried` best (by default a few chunks of them). Where more samples
    than a few chunks vote for `label`, it looks at no more than that, spread evenly. No step leads back towards the
    original. None if no sample votes for `label`, or no step is left. work: runs the passes of the network.
    """
    size = fitting_batch_size(noise.shape)
    most = FEW_CHUNKS * size
    voters = torch.from_numpy(np.flatnonzero(state.labels == label))
    if not len(voters):
        return None
    if len(voters) > most:
        voters = voters[torch.arange(most) * len(voters) // most]
    batches = (noise.samples_at(state.image, part) for part in torch.split(voters, size))
    leads = torch.cat([work(partial(_leads, model, batch, noise.lam, label)) for batch in batches])
    # Of the pixels of a block one is enough: a step of any of them does the same to the sample.
    promises: dict[tuple[int, int, Place], tuple[float, int, Step]] = {}
    sums = block_sums(state.image, noise.block)
    for index in voters[leads.argsort()[:searched]].tolist():
        before = noise.split(sums, torch.tensor([index]))[0]
        sample = samples_from_numerators(before, noise.block_size)
        slope = work(partial(_slope, model, sample, noise.lam, label))
        for change in (1, -1):
            moved = (sums + change).clamp(0, noise.block_size * PIXEL_STEPS)
            gain = block_sums(slope * (noise.split(moved, torch.tensor([index]))[0] - before), noise.block)
            for step in steps_that_change(state.image, noise, index, change):
                if (int(state.image[step.place]) - int(state.original[step.place])) * change < 0:
                    continue  # back towards the original: it would take an earlier step back, again and again
                block = noise.of_block(step.place)
                promises.setdefault((index, change, block), (float(gain[block]), index, step))
    best = sorted(promises.values(), key=lambda promise: promise[0])[: most if tried is None else tried]
    if not best:
        return None
    images = torch.stack([step.applied(state.image) for _, _, step in best])
    indices = torch.tensor([index for _, index, _ in best])
    samples = samples_from_numerators(noise.split(block_sums(images, noise.block), indices), noise.block_size)
    after = torch.cat([work(partial(_leads, model, batch, noise.lam, label)) for batch in torch.split(samples, size)])
    return best[int(after.argmin())][2]
