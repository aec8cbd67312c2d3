"""Running a base classifier over the N samples of one image, chunk by chunk, into votes.

Rows of different images never share a chunk: the vote of a sample, by a `BaseClassifier`, depends on nothing but the
sample, and the `layout` of the chunks.
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from torch import Tensor

from .base_classifier import BaseClassifier, LoadedModel, check_alone, check_model, counting_of, logits_of
from .certificate import Certificate, RadiusBounds
from .checks import check_choice
from .constants import COUNTINGS, PLURALITY
from .counts import Counts
from .images import check_image
from .layout import ChunkLayout
from .splitting import SplitNoise


@dataclass(frozen=True)
class VoteState:
    """How a vote stands. counts: of the samples that have voted. total: samples in all."""

    counts: Counts
    total: int

    @property
    def votes(self) -> np.ndarray:
        """int64 (K,): first choices so far."""
        return self.counts.votes

    @property
    def duels(self) -> np.ndarray | None:
        """int32 (K, K), of `duels.count_duels`; None where they are not counted."""
        return self.counts.duels

    @cached_property
    def done(self) -> int:
        """Samples that have voted."""
        return int(self.votes.sum())

    @cached_property
    def bounds(self) -> RadiusBounds:
        """Exact bounds of the final radius."""
        return self.counts.bounds(self.total)

    @cached_property
    def certificate(self) -> Certificate:
        """What the complete vote proves; ValueError before it is complete."""
        return self.counts.certificate(self.total)


@dataclass(frozen=True)
class Tally(VoteState):
    """A vote after some chunks, and the one just finished, B of its samples.

    indices, labels: int64 (B,), which samples, and the class that each voted for. logits: float32 (B, K). Read-only.
    """

    indices: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    logits: np.ndarray = field(repr=False)

    def __post_init__(self) -> None:
        for array in (self.indices, self.labels, self.logits):
            array.setflags(write=False)


@dataclass(frozen=True)
class Vote(VoteState):
    """A complete vote. labels: int64 (N,), the class that each sample voted for, in index order; read-only.

    ValueError for a vote of which samples are missing.
    """

    labels: np.ndarray = field(repr=False)

    def __post_init__(self) -> None:
        if not self.done == len(self.labels) == self.total:
            raise ValueError(
                f"expected the votes of {self.total} samples, got {self.done}, and {len(self.labels)} labels"
            )
        self.labels.setflags(write=False)

    @staticmethod
    def of_labels(labels: np.ndarray, num_classes: int) -> "Vote":
        """The vote of these labels by plurality."""
        return Vote(Counts(np.bincount(labels, minlength=num_classes)), len(labels), labels.copy())


def tally(
    model: BaseClassifier,
    image: Tensor,
    noise: SplitNoise,
    batch_size: int | None = None,
    counting: str | None = None,
) -> Iterator[Tally]:
    """Vote chunk by chunk; every step yields the state of the whole vote so far.

    image: torch.uint8 (C, H, W). Samples are visited in an order that is spread evenly over 0..N-1 from the start, so
    that the bounds close early. batch_size: samples in a chunk at most, 64 by default, or fewer of large images; it is
    part of what is certified, for kernels may round differently. counting: one of `COUNTINGS`; by default that of the
    model (`counting_of`). Memory is that of one chunk, and of K x K counts for duels.

    What is voted on is the image as it is at the call. ValueError there for arguments that do not fit together, and on
    the way for a model whose answers are no logits of samples by themselves.
    """
    counting = counting_of(model) if counting is None else counting
    check_choice("counting", counting, COUNTINGS)
    check_model(model, noise.shape)
    check_image(image, noise.shape)
    layout = ChunkLayout.for_images(noise.levels, noise.shape, batch_size)
    # Copies: the caller may change its own between two chunks.
    return _states(model, image.clone(), deepcopy(noise), layout, counting)


def _states(
    model: BaseClassifier, image: Tensor, noise: SplitNoise, layout: ChunkLayout, counting: str
) -> Iterator[Tally]:
    counts = None
    for chunk in range(layout.chunks):
        indices, real = layout.indices(chunk), layout.real_rows(chunk)
        samples = noise.samples_at(image, indices)
        if chunk == 0:
            check_alone(model, samples, noise.lam)
        logits = logits_of(model, samples, noise.lam)[:real]
        fresh = Counts.of(logits, counting)
        counts = fresh if counts is None else counts + fresh
        yield Tally(counts, layout.levels, indices[:real].numpy(), logits.argmax(axis=1), logits)


def complete(states: Iterable[Tally]) -> Vote:
    """The vote whose states these are, all of them. ValueError if they end before it does."""
    state, seen = None, []
    for state in states:
        seen.append((state.indices, state.labels))  # not the state itself: memory is to be that of one chunk
    if state is None or state.done < state.total:
        raise ValueError("the vote ended before all samples had voted: go through all states of `tally`")
    indices, labels = map(np.concatenate, zip(*seen, strict=True))
    return Vote(state.counts, state.total, labels[indices.argsort()])


def count_votes(model: BaseClassifier, image: Tensor, noise: SplitNoise, batch_size: int | None = None) -> np.ndarray:
    """int64 (K,) votes, first choices of all N samples; they add up to N. Arguments and errors are those of `tally`."""
    return complete(tally(model, image, noise, batch_size, PLURALITY)).votes.copy()


def certify(
    model: LoadedModel, image: Tensor, levels: int, batch_size: int | None = None, counting: str | None = None
) -> Certificate:
    """The exact certificate of one image, torch.uint8 (C, H, W), for a model from `load_model`.

    levels: N, 2 or more, at any of which a certificate is sound; outside of the range that the model was trained for
    its answers mean little. batch_size: as for `tally`. counting: one of `COUNTINGS`; by default as the manifest says.
    Each makes its own smoothed classifier: taking the larger radius, image by image, describes neither.
    ValueError for arguments that do not fit together, and for a model without a manifest.
    """
    if not hasattr(model, "manifest"):
        raise ValueError("the model has no manifest to take offsets from: make a SplitNoise and call count_votes")
    return complete(tally(model, image, model.manifest.noise_at(levels), batch_size, counting)).certificate
